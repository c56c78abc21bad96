import { createApi } from '@nephometer/api';
import type { ApiOptions } from '@nephometer/api';
import {
  AgentBook,
  DAY,
  defaultConfig,
  hashToken,
  KeyBook,
  MetricRegistry,
  ProcessStatus,
  SECOND,
  SharedSecretKeyring,
  silentLogger,
  StatementKey,
  TokenBook,
} from '@nephometer/core';
import type { Clock, ConfigInput, Store, TokenRecord } from '@nephometer/core';
import type { ZodType } from 'zod';

/** For commands that are run against it. */
export const ADMIN = 'admin-token-of-a-test-0123';
export const READER = 'reader-of-p1-of-a-test-0123';

/** The same in every run, so that signatures are. */
const STATEMENT_KEY = new StatementKey(
  `-----BEGIN PRIVATE KEY-----\n${Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]).toString('base64')}\n-----END PRIVATE KEY-----\n`,
);

const TOKENS: readonly TokenRecord[] = [
  {
    id: 'config:admin',
    name: 'admin',
    role: 'admin',
    projects: null,
    userId: null,
    hash: hashToken(ADMIN),
    revoked: false,
  },
  {
    id: 'config:reader',
    name: 'reader',
    role: 'reader',
    projects: ['p1'],
    userId: null,
    hash: hashToken(READER),
    revoked: false,
  },
];

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export interface Asking {
  readonly url: string;
  readonly get: (path: string, options?: AskOptions) => Promise<Asked>;
  readonly post: (path: string, body: unknown, options?: AskOptions) => Promise<Asked>;
  readonly stop: () => Promise<void>;
}

/** An answer by its schema: what is more or less than that fails. */
export function read<T>({ status, text }: Asked, schema: ZodType<T>): T {
  if (status >= 400) throw new Error(`${status} ${text}`);
  return schema.parse(JSON.parse(text));
}

interface AskOptions {
  readonly who?: 'admin' | 'reader';
  readonly accept?: string;
}

/** What an API over a store is made of. */
export function apiOptions(store: Store, clock: Clock, config: ConfigInput = {}): ApiOptions {
  const metrics = new MetricRegistry();
  const expected = config.expected_agents ?? [];
  return {
    config: defaultConfig({ store: { url: 'memory:' }, ...config, listen: { port: 0 } }),
    store,
    tokens: new TokenBook(TOKENS, store),
    status: new ProcessStatus(metrics, { version: 'test' }),
    keyring: new KeyBook(new SharedSecretKeyring(Buffer.from('not-a-secret-at-all')), store),
    agents: new AgentBook({ store, clock, expected, margin: 15 * SECOND, lookback: 7 * DAY }),
    clock,
    log: silentLogger,
    metrics,
    bus: null,
    ingest: null,
    statementKey: STATEMENT_KEY,
  };
}

/** An API on a free port over a store, with a clock turned by hand. */
export async function startApi(store: Store, clock: Clock, config: ConfigInput = {}): Promise<Asking> {
  return serveApi(apiOptions(store, clock, config));
}

export async function serveApi(options: ApiOptions): Promise<Asking> {
  const api = createApi(options);
  await api.start();
  const ask = async (path: string, init: RequestInit, { who = 'admin', accept }: AskOptions): Promise<Asked> => {
    const headers = {
      'X-Auth-Token': who === 'admin' ? ADMIN : READER,
      'Content-Type': 'application/json',
      ...(accept === undefined ? {} : { Accept: accept }),
    };
    const response = await fetch(api.url + path, { ...init, headers });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json() {
        return JSON.parse(text) as unknown;
      },
    };
  };
  return {
    url: api.url,
    get: (path, options = {}) => ask(path, { method: 'GET' }, options),
    post: (path, body, options = {}) => ask(path, { method: 'POST', body: JSON.stringify(body) }, options),
    stop: () => api.stop(),
  };
}
