import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

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
      listener,
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
  }

  /** Resolves when connections are accepted. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.#host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Where it listens; meaningful between listen and close. */
  get url(): string {
    const address = this.#server.address() as AddressInfo | null;
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
    return `http://${host}:${address?.port ?? this.#port}`;
  }

  /** Stops accepting, waits for running requests (bounded), then cuts what is left. Safe before listen and twice. */
  close(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      const cut = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MS);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }
}
