import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  askerAt,
  HttpServer,
  isLoopback,
  messageOf,
  MeteringError,
  Refusal,
  StoreUnavailable,
  missingToken,
  tokenFromHeaders,
} from '@nephometer/core';
import type { Identity, Logger, MessageIngest, ProcessStatus, Role, Service, TokenBook } from '@nephometer/core';
import { BodyTooLarge, readBody } from './read-body.ts';

export interface CollectorServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly collector: MessageIngest;
  readonly status: ProcessStatus;
  readonly tokens: TokenBook;
  readonly log: Logger;
  /** Largest body of a POST, bytes. */
  readonly maxBody: number;
}

export interface CollectorServer extends Service {
  /** Where it listens; what was asked for before it is started. */
  readonly port: number;
}

/** Bodies held at a time, so that memory stays bounded whatever is posted; more are told to come back. */
const MOST_POSTS = 8;
const LIMITS = {
  headersMs: 10_000,
  requestMs: 120_000,
  keepAliveMs: 5_000,
  headerBytes: 16_384,
  connections: 1_000,
  requestsPerSocket: 10_000,
  drainMs: 5_000,
};
const OPEN_PATHS = ['/healthz', '/readyz'];

/** The collector's own door: `POST /v1/messages` for those without a broker, and the state of its process. */
export function createCollectorServer(options: CollectorServerOptions): CollectorServer {
  return new HttpDoor(options);
}

class HttpDoor implements CollectorServer {
  readonly name = 'collector server';
  readonly #options: CollectorServerOptions;
  readonly #server: HttpServer;
  #posts = 0;

  constructor(options: CollectorServerOptions) {
    this.#options = options;
    this.#server = new HttpServer((request, response) => void this.#serve(request, response), options, LIMITS);
  }

  get port(): number {
    return this.#server.port ?? this.#options.port;
  }

  async start(): Promise<void> {
    await this.#server.listen();
    this.#options.log.info({ url: this.#server.url }, 'Taking messages by HTTP.');
  }

  stop(): Promise<void> {
    return this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      send(response, await this.#answer(request));
    } catch (cause) {
      send(response, this.#failure(cause));
    }
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path === '/v1/messages') return this.#post(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return problem(405, 'Method not allowed', `${path} is read with GET.`, { allow: 'GET' });
    }
    // They name agents and queues of all projects, which a reader must not see.
    if (!OPEN_PATHS.includes(path) && !isLoopback(this.#options.host)) await this.#identify(request, ['admin']);
    const answer = await this.#options.status.answer(path, askerAt(this.#options.host));
    if (answer === null) return problem(404, 'Not found', `There is nothing at ${path}; see POST /v1/messages.`);
    return { ...answer, headers: {} };
  }

  async #post(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'POST') {
      return problem(405, 'Method not allowed', 'Metering messages are posted to /v1/messages.', { allow: 'POST' });
    }
    // Before the body is read: who may not post costs no memory.
    const { name } = await this.#identify(request, ['admin', 'writer']);
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') {
      return problem(415, 'Unsupported encoding', `The body is ${encoding}; send it without content-encoding.`);
    }
    if (this.#posts >= MOST_POSTS) return busy(`${MOST_POSTS} bodies are being recorded already.`, 1);
    this.#posts += 1;
    try {
      const body = await readBody(request, this.#options.maxBody);
      const sender = `${name}@${request.socket.remoteAddress ?? 'unknown'}`;
      const results = await this.#options.collector.ingest(body, sender);
      return {
        status: 200,
        contentType: 'application/json; charset=utf-8',
        body: JSON.stringify({ results }),
        headers: {},
      };
    } finally {
      this.#posts -= 1;
    }
  }

  /** @throws Unauthorized */
  async #identify(request: IncomingMessage, roles: readonly Role[]): Promise<Identity> {
    const token = tokenFromHeaders(request.headers);
    if (token === null) throw new Unauthorized(401, missingToken(request.headers));
    const identity = await this.#options.tokens.identify(token);
    if (identity === null) throw new Unauthorized(401, 'The token is not known, or was revoked.');
    if (roles.includes(identity.role)) return identity;
    throw new Unauthorized(403, `The token has the role ${identity.role}; this needs ${roles.join(' or ')}.`);
  }

  #failure(cause: unknown): Answer {
    if (cause instanceof Unauthorized) return unauthorized(cause);
    if (cause instanceof BodyTooLarge) return problem(413, 'Body too large', cause.message, { connection: 'close' });
    if (cause instanceof Refusal) return { ...problem(400, 'Not a metering message', cause.message, {}, cause.reason) };
    if (cause instanceof StoreUnavailable) return busy('The store is away; nothing is lost if you post again.', 5);
    const retryable = cause instanceof MeteringError && cause.retryable;
    this.#options.log.error({ cause: messageOf(cause) }, 'A posted body could not be handled.');
    if (retryable) return busy('Try again.', 5);
    return problem(500, 'Internal error', 'The log of the collector says what happened.');
  }
}

/** Nobody, or somebody who may not. */
class Unauthorized extends Error {
  override name = 'Unauthorized';
  readonly status: 401 | 403;
  constructor(status: 401 | 403, message: string) {
    super(message);
    this.status = status;
  }
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

function problem(
  status: number,
  title: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
  reason?: string,
): Answer {
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, reason });
  return { status, contentType: 'application/problem+json', body, headers };
}

function busy(detail: string, seconds: number): Answer {
  return problem(503, 'Not now', detail, { 'retry-after': String(seconds) });
}

function unauthorized({ status, message }: Unauthorized): Answer {
  if (status === 403) return problem(403, 'Forbidden', message);
  return problem(401, 'Unauthorized', message, { 'www-authenticate': 'Bearer' });
}

function send(response: ServerResponse, { status, contentType, body, headers }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  // What is left of a body that was not read would be taken for the next request.
  const unread = !response.req.complete ? { connection: 'close' } : {};
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    ...headers,
    ...unread,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
  if (!response.req.complete) response.once('finish', () => response.req.destroy());
}
