import { createServer } from 'node:http';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import { ConfigError, messageOf } from './errors.ts';

/** What a server takes at most. Times are milliseconds. */
export interface HttpServerLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly headerBytes: number;
  readonly connections: number;
  readonly requestsPerSocket: number;
  /** How long running requests may go on after the server is told to stop. */
  readonly drainMs: number;
}

export interface Address {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** An HTTP server that is bounded in every direction, and stops by finishing what it has begun. */
export class HttpServer {
  readonly #server: Server;
  readonly #address: Address;
  readonly #drainMs: number;
  readonly #running = new Set<ServerResponse>();
  #starting: Promise<void> | null = null;
  #isStopping = false;

  constructor(listener: RequestListener, address: Address, limits: HttpServerLimits) {
    this.#address = address;
    this.#drainMs = limits.drainMs;
    this.#server = createServer(
      {
        headersTimeout: limits.headersMs,
        requestTimeout: limits.requestMs,
        keepAliveTimeout: limits.keepAliveMs,
        maxHeaderSize: limits.headerBytes,
        connectionsCheckingInterval: 5_000,
      },
      (request, response) => {
        this.#track(response);
        listener(request, response);
      },
    );
    this.#server.maxConnections = limits.connections;
    this.#server.maxRequestsPerSocket = limits.requestsPerSocket;
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
      const failed = (cause: NodeJS.ErrnoException): void => reject(cannotListen(this.#address, cause));
      this.#server.once('error', failed);
      this.#server.listen(this.#address.port, this.#address.host, () => {
        this.#server.off('error', failed);
        resolve();
      });
    });
  }

  /** The port that it listens on; null before and after. */
  get port(): number | null {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : null;
  }

  /** Where it listens; meaningful between listen and close. */
  get url(): string {
    const { host, port } = this.#address;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.port ?? port}`;
  }

  /** Stops accepting, waits for running requests (bounded), then cuts what is left. Safe before listen, while it starts, and twice. */
  async close(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    if (!this.#server.listening) return;
    this.#isStopping = true;
    // Makes an answer that has not begun say `Connection: close`.
    for (const response of this.#running) response.shouldKeepAlive = false;
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => this.#server.closeAllConnections(), this.#drainMs);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }
}

/** Why a process cannot answer at `listen.host` and `listen.port`, as a mistake of the configuration. */
function cannotListen({ host, port }: Address, cause: NodeJS.ErrnoException): ConfigError {
  const why = cause.code === 'EADDRINUSE' ? 'the port is taken; choose another' : messageOf(cause);
  return new ConfigError([
    { file: 'configuration', line: null, key: 'listen.port', message: `cannot listen on ${host}:${port}: ${why}` },
  ]);
}
