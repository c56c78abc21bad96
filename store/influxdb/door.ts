import http from 'node:http';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
// The client's own query and write calls round integers and accept any 2xx; its pool is the part that speaks HTTP.
import { Pool, RequestError, ServiceNotAvailableError } from 'influx/lib/src/pool.js';
import { StoreUnavailable } from '@nephometer/core';
import { answerFailure, connectionFailure, NotNow } from './failures.ts';
import type { InfluxSeries } from './client.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface DoorRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Never put a host aside: whether to try again is for the caller to say. */
const noBackoff = { getDelay: () => 0, next: () => noBackoff, reset: () => noBackoff };

/** HTTP to one InfluxDB through the pool of `influx`: no retries, an absolute limit on the time of each request. */
export class Door {
  readonly where: string;
  readonly #pool: Pool;
  readonly #agent: http.Agent;
  readonly #timeoutMs: number;

  constructor(origin: string, authorization: string | null, timeoutMs: number) {
    this.where = origin;
    this.#timeoutMs = timeoutMs;
    this.#agent = new (origin.startsWith('https:') ? https : http).Agent({ keepAlive: true, maxSockets: 16 });
    this.#pool = new Pool({ maxRetries: 0, requestTimeout: timeoutMs, backoff: noBackoff });
    const headers = authorization === null ? {} : { authorization };
    this.#pool.addHost(origin, { agent: this.#agent, headers });
  }

  /** The answer, whatever its status below 500. @throws StoreUnavailable */
  async ask(request: DoorRequest, timeoutMs = this.#timeoutMs): Promise<Answer> {
    try {
      const response = await this.#open(request, AbortSignal.timeout(timeoutMs));
      if ('status' in response) return response;
      let body = '';
      for await (const part of response) body += String(part);
      return { status: response.statusCode ?? 0, body };
    } catch (cause) {
      if (cause instanceof ServiceNotAvailableError && !/timed out/.test(cause.message)) {
        throw new NotNow(`InfluxDB at ${this.where} failed: ${cause.message}`);
      }
      throw connectionFailure(this.where, timeoutMs, cause);
    }
  }

  #open(request: DoorRequest, signal: AbortSignal): Promise<IncomingMessage | Answer> {
    return new Promise((resolve, reject) => {
      this.#pool.stream({ ...request, signal }, (error: Error | undefined, response: IncomingMessage) => {
        if (error instanceof RequestError)
          resolve({
            status: error.res.statusCode ?? 0,
            body: error.message.replace(/^A \d+ .*? error occurred: /, ''),
          });
        else if (error === undefined || error === null) resolve(response);
        else reject(error);
      });
    });
  }

  /** InfluxQL through `/query`, which 1.x, 2.x and 3.x share. */
  async query(database: string, statements: readonly string[]): Promise<InfluxSeries[][]> {
    const form = new URLSearchParams({ db: database, q: statements.join(';') });
    const { status, body } = await this.ask({ method: 'POST', path: '/query', body: form.toString() });
    if (status !== 200) throw answerFailure(this.where, status, body);
    const results = readResults(this.where, body);
    if (results.length === statements.length) return results;
    throw new StoreUnavailable(
      `InfluxDB at ${this.where} answered ${results.length} results to ${statements.length} statements.`,
    );
  }

  close(): void {
    this.#agent.destroy();
  }
}

interface QueryAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly partial?: boolean;
    readonly series?: readonly (Partial<InfluxSeries> & { readonly partial?: boolean })[];
  }[];
}

function readResults(where: string, body: string): InfluxSeries[][] {
  let answer: QueryAnswer;
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every part is optional, and checked
    answer = JSON.parse(body) as QueryAnswer;
  } catch {
    throw new StoreUnavailable(`InfluxDB at ${where} answered a query with something other than JSON.`);
  }
  const problem = answer.error ?? answer.results?.find(({ error }) => error !== undefined)?.error;
  if (problem !== undefined) throw new StoreUnavailable(`InfluxDB at ${where} could not answer a query: ${problem}`);
  return (answer.results ?? []).map(({ partial, series = [] }) => {
    if (partial === true || series.some((one) => one.partial === true)) {
      throw new StoreUnavailable(
        `InfluxDB at ${where} cut an answer short; set max-row-limit to 0 in its configuration.`,
      );
    }
    return series.map(({ tags = {}, columns = [], values = [] }) => ({ tags, columns, values }));
  });
}
