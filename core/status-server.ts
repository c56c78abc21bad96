import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError, messageOf } from './errors.ts';
import type { Service } from './lifecycle.ts';
import type { Logger } from './log.ts';
import type { ProcessStatus, StatusAnswer } from './status.ts';
import { isLoopback, tokenFromHeaders } from './tokens.ts';
import type { Identity } from './tokens.ts';

export interface StatusServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly status: ProcessStatus;
  readonly log: Logger;
  /** Who a token belongs to; must be given to listen beyond loopback. */
  readonly authenticate?: (token: string) => Promise<Identity | null>;
}

export interface StatusServer extends Service {
  /** The port that it listens on; null before the start. */
  readonly port: number | null;
}

/** Paths for probes: they say nothing but alive and ready, and want no token. */
const OPEN_PATHS = ['/healthz', '/readyz'];

/**
 * Serves /healthz, /readyz, /metrics and /varz of one process. On loopback nothing wants a token; beyond it all but
 * the probes do.
 * @throws ConfigError when it would listen beyond loopback without authentication
 */
export function serveStatus(options: StatusServerOptions): StatusServer {
  const { host, authenticate } = options;
  if (!isLoopback(host) && authenticate === undefined) {
    const message =
      `listens on ${host}, beyond loopback, but this process has no tokens to ask for; ` +
      'use 127.0.0.1, or declare tokens in api.tokens';
    throw new ConfigError([{ file: 'configuration', line: null, key: 'listen.host', message }]);
  }
  let server: Server | null = null;
  return {
    name: 'status server',
    get port() {
      const address = server?.address() as AddressInfo | string | null | undefined;
      return typeof address === 'object' && address !== null ? address.port : null;
    },
    async start() {
      server = await listen(options);
      const { port } = server.address() as AddressInfo;
      options.log.info({ url: `http://${host}:${port}/` }, 'Serving health and metrics.');
    },
    async stop() {
      const running = server;
      server = null;
      if (running === null) return;
      await new Promise<void>((resolve) => {
        running.close(() => resolve());
        running.closeAllConnections();
      });
    },
  };
}

async function listen(options: StatusServerOptions): Promise<Server> {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
    respond(options, request, response).catch((cause: unknown) => {
      options.log.error({ path: request.url, cause: messageOf(cause) }, 'A status request failed.');
      response.destroy();
    });
  });
  server.maxRequestsPerSocket = 1000;
  server.maxConnections = 100;
  server.keepAliveTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen(options, cause)));
    server.listen(options.port, options.host, resolve);
  });
  return server;
}

/** Why a process cannot answer at `listen.host` and `listen.port`, as a mistake of the configuration. */
export function cannotListen(
  { host, port }: { readonly host: string; readonly port: number },
  cause: NodeJS.ErrnoException,
): ConfigError {
  const why = cause.code === 'EADDRINUSE' ? 'the port is taken; choose another' : messageOf(cause);
  return new ConfigError([
    { file: 'configuration', line: null, key: 'listen.port', message: `cannot listen on ${host}:${port}: ${why}` },
  ]);
}

async function respond(
  options: StatusServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const answer = (await refusalOf(options, request, path)) ?? (await options.status.answer(path)) ?? NOT_FOUND;
  response.writeHead(answer.status, { 'content-type': answer.contentType, 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

async function refusalOf(
  { host, authenticate }: StatusServerOptions,
  request: IncomingMessage,
  path: string,
): Promise<StatusAnswer | null> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return problem(405, 'Method not allowed', 'Only GET and HEAD are answered here.');
  }
  if (isLoopback(host) || OPEN_PATHS.includes(path)) return null;
  const token = tokenFromHeaders(request.headers);
  const who = token === null ? null : await authenticate?.(token);
  if (who === null || who === undefined) {
    return problem(401, 'Unauthorized', 'Send a token as X-Auth-Token or Authorization: Bearer.');
  }
  return who.role === 'admin' ? null : problem(403, 'Forbidden', 'This wants a token of the role admin.');
}

const NOT_FOUND = problem(404, 'Not found', 'Known paths: /healthz, /readyz, /metrics, /varz.');

function problem(status: number, title: string, detail: string): StatusAnswer {
  return {
    status,
    contentType: 'application/problem+json',
    body: `${JSON.stringify({ type: 'about:blank', title, status, detail }, null, 2)}\n`,
  };
}
