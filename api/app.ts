import Koa from 'koa';
import { Router } from '@koa/router';
import { askerAt, HttpServer } from '@nephometer/core';
import type { ProcessStatus, Service } from '@nephometer/core';
import { authenticate } from './auth.ts';
import type { ApiOptions, ApiRouter, ApiState } from './context.ts';
import { addDocs } from './docs/serve.ts';
import { isV2, httpError } from './errors.ts';
import { answerErrors, observeRequests } from './observe.ts';
import { addV1 } from './v1/routes.ts';
import { deskOf } from './v1/usage/desk.ts';
import { addV2 } from './v2/routes.ts';

const DEFAULT_PORT = 8777;

const LIMITS = {
  headersMs: 15_000,
  requestMs: 120_000,
  keepAliveMs: 65_000,
  // Long questions name many resources.
  headerBytes: 64 * 1024,
  connections: 2_000,
  requestsPerSocket: 10_000,
  drainMs: 10_000,
};

/** The query API of one process. */
export interface Api extends Service {
  /** Where it is reached, `http://127.0.0.1:8777`, after the start. */
  readonly url: string;
}

/** The API server: Ceilometer's v2, our own v1, and the status paths, on `listen.host` and `listen.port`. */
export function createApi(options: ApiOptions): Api {
  const { config, log } = options;
  const handle = createApp(options).callback();
  const { host, port = DEFAULT_PORT } = config.listen;
  const folds = deskOf(options).folds;
  const server = new HttpServer((request, response) => void handle(request, response), { host, port }, LIMITS);
  return {
    name: 'api',
    get url() {
      return server.url;
    },
    async start() {
      await server.listen();
      log.info({ url: server.url }, 'API listens.');
      await folds?.keeper.start();
    },
    async stop() {
      await folds?.keeper.stop();
      await server.close();
      log.info({}, 'API stopped.');
    },
  };
}

function createApp(options: ApiOptions): Koa<ApiState> {
  const { config, log, metrics, clock, tokens, status } = options;
  const app = new Koa<ApiState>();
  app.silent = true;
  // Only what fails after an answer has begun comes here: a client that went away, or a store that broke off.
  app.on('error', (cause: Error) => log.debug({ cause: cause.message }, 'An answer was cut.'));
  app.use(observeRequests(metrics, log, clock));
  app.use(answerErrors(log));
  app.use(authenticate(tokens, config.listen.host));
  app.use(answerStatus(status, config.listen.host));
  app.use(createRouter(options).routes());
  app.use(async (ctx) => noRoute(ctx));
  return app;
}

/** Every path but those of the process's status. */
export function createRouter(options: ApiOptions): ApiRouter {
  const router: ApiRouter = new Router<ApiState>();
  addV2(router, options);
  addV1(router, options);
  addDocs(router);
  return router;
}

/** /healthz, /readyz, /metrics and /varz. */
function answerStatus(status: ProcessStatus, host: string): Koa.Middleware<ApiState> {
  return async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    const answer = isRead ? await status.answer(ctx.path, askerAt(host)) : null;
    if (answer === null) {
      await next();
      return;
    }
    ctx.status = answer.status;
    ctx.type = answer.contentType;
    ctx.body = answer.body;
  };
}

/** No route took the request: 405 where the path takes another method, else 404. */
function noRoute(ctx: { readonly path: string; readonly matched?: readonly { readonly methods: string[] }[] }): never {
  const methods = new Set((ctx.matched ?? []).flatMap((layer) => layer.methods));
  if (methods.size === 0) {
    const text = isV2(ctx.path) ? '404 Not Found\n\nThe resource could not be found.' : `There is no ${ctx.path} here.`;
    throw httpError('MTR_NOT_FOUND', text, { isPlain: true });
  }
  const text = '405 Method Not Allowed\n\nThe method is not allowed for this resource.';
  throw httpError('MTR_METHOD', text, { isPlain: true, headers: { Allow: [...methods].sort().join(', ') } });
}
