import { createServer } from 'node:http';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import { cannotListen } from '@nephometer/core';

const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 120_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_CONNECTIONS = 2_000;
const MAX_REQUESTS_PER_SOCKET = 10_000;
/** Long questions name many resources. */
const MAX_HEADER_BYTES = 64 * 1024;
const DRAIN_MS = 10_000;

/** An HTTP server that is bounded in every direction, and stops by finishing what it has begun. */
export class HttpServer {
  readonly #server: Server;
  readonly #host: string;
  readonly #port: number;
  readonly #running = new Set<ServerResponse>();
  #starting: Promise<void> | null = null;
  #isStopping = false;

  constructor(listener: RequestListener, host: string, port: number) {
    this.#host = host;
    this.#port = port;
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        connectionsCheckingInterval: 5_000,
      },
      (request, response) => {
        this.#track(response);
        listener(request, response);
      },
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
  }

  /** A connection that is kept alive would hold up the stop: each is closed behind the answer that runs on it. */
  #track(response: ServerResponse): void {
    this.#running.add(response);
    response.on('close', () => {
      this.#running.delete(response);
      if (this.#isStopping) setImmediate(() => this.#server.closeIdleConnections());
    });
  }

  /** Resolves when connections are accepted. @throws ConfigError if the port is taken, or is not ours to take */
  listen(): Promise<void> {
    this.#starting ??= this.#listen();
    return this.#starting;
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (cause: NodeJS.ErrnoException): void =>
        reject(cannotListen({ host: this.#host, port: this.#port }, cause));
      this.#server.once('error', failed);
      this.#server.listen(this.#port, this.#host, () => {
        this.#server.off('error', failed);
        resolve();
      });
    });
  }

  /** Where it listens; meaningful between listen and close. */
  get url(): string {
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : this.#port;
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${port}`;
  }

  /** Stops accepting, waits for running requests (bounded), then cuts what is left. Safe before listen, while it starts, and twice. */
  async close(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    if (!this.#server.listening) return;
    this.#isStopping = true;
    // Makes an answer that has not begun say `Connection: close`.
    for (const response of this.#running) response.shouldKeepAlive = false;
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MS);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }
}
