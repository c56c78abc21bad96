import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigError, messageOf } from './errors.ts';
import { HttpServer } from './http-server.ts';
import type { Service } from './lifecycle.ts';
import type { Logger } from './log.ts';
import type { ProcessStatus, StatusAnswer } from './status.ts';
import { isLoopback, missingToken, tokenFromHeaders } from './tokens.ts';
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

const LIMITS = {
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
  headerBytes: 16_384,
  connections: 100,
  requestsPerSocket: 1_000,
  drainMs: 1_000,
};

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
  const server = new HttpServer((request, response) => void serve(options, request, response), options, LIMITS);
  return {
    name: 'status server',
    get port() {
      return server.port;
    },
    async start() {
      await server.listen();
      options.log.info({ url: server.url }, 'Serving health and metrics.');
    },
    stop: () => server.close(),
  };
}

async function serve(options: StatusServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await respond(options, request, response);
  } catch (cause) {
    options.log.error({ path: request.url, cause: messageOf(cause) }, 'A status request failed.');
    response.destroy();
  }
}

async function respond(
  options: StatusServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const answer =
    (await refusalOf(options, request, path)) ??
    (await options.status.answer(path, askerAt(options.host))) ??
    NOT_FOUND;
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
    const unknown = 'The token in X-Auth-Token or Authorization is not known, or was revoked.';
    return problem(401, 'Unauthorized', token === null ? missingToken(request.headers) : unknown);
  }
  return who.role === 'admin' ? null : problem(403, 'Forbidden', 'This wants a token of the role admin.');
}

/** Who may ask a probe without a token. */
export function askerAt(host: string): 'operator' | 'anyone' {
  return isLoopback(host) ? 'operator' : 'anyone';
}

const NOT_FOUND = problem(404, 'Not found', 'Known paths: /healthz, /readyz, /metrics, /varz.');

function problem(status: number, title: string, detail: string): StatusAnswer {
  return {
    status,
    contentType: 'application/problem+json',
    body: `${JSON.stringify({ type: 'about:blank', title, status, detail }, null, 2)}\n`,
  };
}
