import {
  AgentBook,
  createLogger,
  DAY,
  defaultConfig,
  fromPlain,
  hashToken,
  isJsonObject,
  KeyBook,
  ManualClock,
  MetricRegistry,
  parseTimestamp,
  parseVolume,
  ProcessStatus,
  SECOND,
  sha256,
  SharedSecretKeyring,
  signSample,
  TokenBook,
} from '@nephometer/core';
import type {
  BatchRecord,
  ConfigInput,
  Counter,
  Identity,
  JsonObject,
  Keyring,
  Store,
  TokenRecord,
} from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import { createApi } from './index.ts';
import type { Api, ApiOptions } from './index.ts';

/** An API on a free port, over the memory store, with three tokens. */
export const SECRET = Buffer.from('not-a-secret-at-all');
export const TOKENS = {
  admin: 'admin-token-0123456789',
  reader: 'reader-of-p1-0123456789',
  user: 'reader-of-p1-as-u1-0123',
  writer: 'writer-token-0123456789',
  bound: 'writer-of-p1-0123456789',
} as const;
export type Who = keyof typeof TOKENS;

const IDENTITIES: Readonly<Record<Who, Omit<Identity, 'name'>>> = {
  admin: { role: 'admin', projects: null, userId: null },
  reader: { role: 'reader', projects: ['p1'], userId: null },
  user: { role: 'reader', projects: ['p1'], userId: 'u1' },
  writer: { role: 'writer', projects: null, userId: null },
  bound: { role: 'writer', projects: ['p1'], userId: 'poster' },
};

const RECORDS: readonly TokenRecord[] = (Object.keys(TOKENS) as Who[]).map((name) => {
  return { id: `config:${name}`, name, ...IDENTITIES[name], hash: hashToken(TOKENS[name]), revoked: false };
});

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  readonly json: unknown;
}

export interface Kit {
  readonly api: Api;
  readonly store: Store;
  readonly clock: ManualClock;
  readonly metrics: MetricRegistry;
  readonly log: string[];
  readonly get: (path: string, who?: Who | null, headers?: Record<string, string>) => Promise<Answer>;
  readonly send: (
    method: string,
    path: string,
    body?: unknown,
    who?: Who | null,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
}

export interface KitOptions {
  readonly config?: ConfigInput;
  readonly samples?: readonly BatchRecord[];
  readonly store?: Store;
  readonly bus?: ApiOptions['bus'];
  readonly ingest?: ApiOptions['ingest'];
  readonly keyring?: Keyring;
}

interface Test {
  teardown(end: () => Promise<void>): void;
}

export async function startApi(t: Test, options: KitOptions = {}): Promise<Kit> {
  const clock = new ManualClock(parseTimestamp('2026-03-01T12:00:00'));
  const store = options.store ?? createMemoryStore({ clock });
  if (options.samples !== undefined) await store.record(options.samples);
  const metrics = new MetricRegistry();
  const log: string[] = [];
  const api = createApi({
    config: defaultConfig({ ...options.config, listen: { port: 0, ...options.config?.listen } }),
    store,
    tokens: new TokenBook(RECORDS, store),
    status: new ProcessStatus(metrics, { version: 'test' }),
    keyring: new KeyBook(options.keyring ?? new SharedSecretKeyring(SECRET), store),
    agents: new AgentBook({
      store,
      clock,
      expected: options.config?.expected_agents ?? [],
      margin: 15 * SECOND,
      lookback: 7 * DAY,
    }),
    clock,
    log: createLogger({ level: 'debug', format: 'text', write: (line) => void log.push(line) }),
    metrics,
    bus: options.bus ?? null,
    ingest: options.ingest ?? null,
  });
  await api.start();
  t.teardown(() => api.stop());
  const send: Kit['send'] = async (method, path, body, who = 'admin', headers = {}) => {
    const token: Record<string, string> = who === null ? {} : { 'X-Auth-Token': TOKENS[who] };
    const type: Record<string, string> = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const init = { method, headers: { ...token, ...type, ...headers }, ...(text === undefined ? {} : { body: text }) };
    return answerOf(await fetch(api.url + path, init));
  };
  return {
    api,
    store,
    clock,
    metrics,
    log,
    send,
    get: (path, who, headers) => send('GET', path, undefined, who, headers),
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const { status, headers } = response;
  return {
    status,
    headers,
    text,
    get json() {
      return JSON.parse(text) as unknown;
    },
  };
}

export interface SampleSpec {
  readonly meter?: string;
  readonly type?: Counter['type'];
  readonly unit?: string | null;
  readonly volume?: string;
  readonly resource?: string;
  readonly project?: string | null;
  readonly user?: string | null;
  /** Time of 2026-03-01, or a whole timestamp. */
  readonly at?: string;
  readonly metadata?: Record<string, unknown>;
  readonly source?: string;
  readonly id?: string;
}

let serial = 0;

/** A headerless metering message, signed, ready to record. */
export function sampleOf(spec: SampleSpec): BatchRecord {
  serial += 1;
  const id = spec.id ?? `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`;
  const { sample, text } = signSample(counterOf(spec), { messageId: id, source: spec.source ?? 'openstack' }, SECRET);
  const samples = [{ ...sample, text, slot: null }];
  return { digest: sha256(text), header: null, headerText: null, keyId: 'shared', transport: 'bus', samples };
}

export function counterOf(spec: SampleSpec): Counter {
  const { at = '12:00:00', project = 'p1', user = 'u1', unit = 'GiB' } = spec;
  return {
    meter: spec.meter ?? 'volume.size',
    type: spec.type ?? 'gauge',
    unit,
    volume: parseVolume(spec.volume ?? '1.0'),
    resourceId: spec.resource ?? 'r1',
    projectId: project,
    userId: user,
    timestamp: parseTimestamp(at.includes('-') ? at : `2026-03-01T${at}`),
    metadata: metadataOf(spec.metadata ?? {}),
    monotonicTime: null,
  };
}

function metadataOf(plain: Record<string, unknown>): JsonObject {
  const metadata = fromPlain(plain);
  return isJsonObject(metadata) ? metadata : new Map();
}

/** The text of a Ceilometer fault. */
export function faultOf({ json }: Answer): string {
  const { error_message: error } = json as { error_message: { faultstring: string } };
  return error.faultstring;
}
