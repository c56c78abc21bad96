import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES, MeteringError, messageOf } from '@nephometer/core';

/** Where and as whom a command asks the API. */
export interface ClientFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly dataDir?: string;
}

/** The API said no, or nothing. */
export class ApiError extends MeteringError {
  readonly code = 'MTR_API';
  readonly retryable = false;
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Evidence of a large month takes its time. */
const DOWNLOAD_MS = 3_600_000;

/** Asks the API; every command that shows or changes data is such a client. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string | null;
  readonly #timeoutMs: number;

  /** @param timeoutMs longest that an answer may take */
  constructor(flags: ClientFlags, timeoutMs = 120_000) {
    this.#timeoutMs = timeoutMs;
    this.#url = (flags.url ?? process.env['NEPHOMETER_URL'] ?? 'http://127.0.0.1:8777').replace(/\/+$/, '');
    this.#token = findToken(flags);
  }

  get<T>(path: string, query: QueryPairs = []): Promise<T> {
    const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString();
    return this.#request<T>('GET', search === '' ? path : `${path}?${search}`);
  }

  /** An answer as it comes, for files. */
  async download(path: string, accept: string): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#fetch('GET', path, undefined, accept, DOWNLOAD_MS);
    if (response.ok && response.body !== null) return response.body;
    throw this.#refusal('GET', path, response.status, await response.text());
  }

  /** The same, chunk by chunk. @throws ApiError when the server breaks off */
  async *bytes(path: string): AsyncGenerator<Uint8Array> {
    const body = await this.download(path, '*/*');
    try {
      yield* body;
    } catch (cause) {
      throw this.#brokenOff(cause);
    }
  }

  post<T>(path: string, body: string): Promise<T> {
    return this.#request<T>('POST', path, body);
  }

  delete(path: string): Promise<unknown> {
    return this.#request('DELETE', path);
  }

  async #request<T>(method: string, path: string, body?: string): Promise<T> {
    const response = await this.#fetch(method, path, body);
    const text = await response.text().catch((cause: unknown) => {
      throw this.#brokenOff(cause);
    });
    if (response.ok) return (text === '' ? null : JSON.parse(text)) as T;
    throw this.#refusal(method, path, response.status, text);
  }

  #brokenOff(cause: unknown): ApiError {
    const why = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
    return new ApiError(`The answer of ${this.#url} broke off: ${why}.`, EXIT_CODES.unavailable.code);
  }

  #refusal(method: string, path: string, status: number, text: string): ApiError {
    return new ApiError(`${method} ${this.#url}${path}: ${status} ${reasonIn(text)}`, exitCodeFor(status));
  }

  async #fetch(
    method: string,
    path: string,
    body: string | undefined,
    accept = 'application/json',
    timeoutMs = this.#timeoutMs,
  ): Promise<Response> {
    try {
      return await fetch(this.#url + path, {
        method,
        headers: {
          accept,
          ...(this.#token === null ? {} : { 'x-auth-token': this.#token }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body }),
        // The token goes to the server that was named and to no other.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (cause) {
      const why = messageOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause);
      const message = `No answer from ${this.#url}: ${why}. Is \`nephometer up\` or an API server running there? Name another with --url.`;
      throw new ApiError(message, EXIT_CODES.unavailable.code);
    }
  }
}

export type QueryPairs = readonly (readonly [string, string])[];

/** What was said, under the names of the API. */
export function given(fields: Readonly<Record<string, string | undefined>>): QueryPairs {
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

/** A token from the file named, from the environment, or the admin token of a local `up`. */
function findToken(flags: ClientFlags): string | null {
  const named = flags.tokenFile ?? process.env['NEPHOMETER_TOKEN_FILE'];
  if (named !== undefined) return readToken(named);
  const direct = process.env['NEPHOMETER_TOKEN'];
  if (direct !== undefined && direct !== '') return direct;
  const local = join(flags.dataDir ?? process.env['NEPHOMETER_DATA_DIR'] ?? './data', 'admin-token');
  return existsSync(local) ? readToken(local) : null;
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch (cause) {
    throw new ApiError(`Cannot read the token from ${file}: ${messageOf(cause)}`, EXIT_CODES.denied.code);
  }
}

function exitCodeFor(status: number): number {
  if (status === 401 || status === 403) return EXIT_CODES.denied.code;
  if (status === 502 || status === 503 || status === 504) return EXIT_CODES.unavailable.code;
  return status >= 500 ? EXIT_CODES.failed.code : EXIT_CODES.data.code;
}

/** The sentence in an error body: Ceilometer's faultstring, or problem+json's detail. */
function reasonIn(text: string): string {
  try {
    const body = JSON.parse(text) as {
      error_message?: { faultstring?: string } | string;
      detail?: string;
      title?: string;
    };
    const message = body.error_message;
    return (typeof message === 'object' ? message.faultstring : message) ?? body.detail ?? body.title ?? text;
  } catch {
    return text;
  }
}
