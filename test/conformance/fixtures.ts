import {
  fromPlain,
  headerDigest,
  isJsonObject,
  merkleRoot,
  parseTimestamp,
  parseVolume,
  readMessage,
  sha256,
  signHeader,
  signSample,
  stringifyJson,
  uuidv5,
  NEPHOMETER_NAMESPACE,
} from '@nephometer/core';
import type {
  BatchHeader,
  BatchRecord,
  Counter,
  JsonObject,
  LedgerQuery,
  LedgerRow,
  Micros,
  ReceivedSample,
  SampleQuery,
  SampleType,
  SignedHeader,
  Store,
  StoredSample,
} from '@nephometer/core';

const SECRET = new TextEncoder().encode('conformance');
const KEY_ID = 'shared';

/** A counter in shorthand: what is left out is the same for all. */
export interface Reading {
  readonly meter?: string;
  readonly type?: SampleType;
  readonly unit?: string | null;
  /** The literal as it stands in the message. */
  readonly volume?: string;
  readonly resource?: string;
  readonly project?: string | null;
  readonly user?: string | null;
  readonly source?: string;
  /** Microseconds or ISO text. */
  readonly at?: Micros | string;
  /** Plain values, or parsed JSON where literals matter. */
  readonly metadata?: Record<string, unknown> | JsonObject;
  /** Seconds of a steady clock. */
  readonly monotonic?: number;
  readonly slot?: Micros | null;
  /** Derived from all the others when left out. */
  readonly id?: string;
}

/** Noon of a day in the past, so that no test depends on the time at which it runs. */
export const NOON: Micros = parseTimestamp('2024-03-05T12:00:00Z');

/** A signed metering message as a collector receives it. */
export function makeSample(reading: Reading = {}): ReceivedSample {
  const { id, source = 'openstack', slot = null } = reading;
  const messageId = id ?? uuidv5(NEPHOMETER_NAMESPACE, stringifyJson(fromPlain(reading)));
  const { text } = signSample(counterOf(reading), { messageId, source }, SECRET);
  return { ...readMessage(text).sample, text, slot };
}

function counterOf(reading: Reading): Counter {
  const { meter = 'cpu', type = 'cumulative', unit = 'ns', volume = '1', at = NOON, metadata = {} } = reading;
  const json = fromPlain(metadata);
  if (!isJsonObject(json)) throw new TypeError('resource_metadata is an object.');
  return {
    meter,
    type,
    unit,
    volume: parseVolume(volume),
    resourceId: reading.resource ?? 'instance-1',
    projectId: reading.project === undefined ? 'project-1' : reading.project,
    userId: reading.user === undefined ? 'user-1' : reading.user,
    timestamp: typeof at === 'string' ? parseTimestamp(at) : at,
    metadata: json,
    monotonicTime: reading.monotonic ?? null,
  };
}

export interface BatchOptions {
  readonly agentId?: string;
  readonly epoch?: string;
  readonly seq?: number;
  readonly transport?: BatchRecord['transport'];
  readonly cycles?: BatchHeader['cycles'];
  /** Of the tick that its samples came from; noon when left out. */
  readonly slot?: Micros | null;
}

let batches = 0;

/** A signed batch as an agent sends it. Two calls never give one digest, unless `seq` is said. */
export function makeBatch(samples: readonly (Reading | ReceivedSample)[], options: BatchOptions = {}): BatchRecord {
  const received = samples.map((sample) => ('messageId' in sample ? sample : makeSample(sample)));
  const header = signHeader(headerOf(received, options), SECRET);
  return {
    digest: headerDigest(header),
    header,
    headerText: JSON.stringify(header),
    keyId: KEY_ID,
    transport: options.transport ?? 'bus',
    samples: received,
  };
}

function headerOf(samples: readonly ReceivedSample[], options: BatchOptions): BatchHeader {
  return {
    version: 1,
    agent_id: options.agentId ?? 'agent-1',
    epoch: options.epoch ?? '00000000000000aa',
    seq: options.seq ?? ++batches,
    created: NOON,
    samples: samples.length,
    merkle_root: merkleRoot(samples.map(({ text }) => text)),
    previous: null,
    runs: [{ source: 'all', slot: options.slot === undefined ? NOON : options.slot, samples: samples.length }],
    cycles: options.cycles ?? [],
    key_id: KEY_ID,
  };
}

/** A cycle report of a tick that found nothing. */
export const EMPTY_CYCLE: SignedHeader['cycles'][number] = {
  source: 'all',
  interval: 60_000_000,
  scheduled: NOON,
  started: NOON + 5,
  finished: NOON + 900,
  outcome: 'ran',
  meters: ['cpu'],
  discovery_complete: true,
  pollsters: [{ name: 'libvirt', asked: 0, answered: 0, readings: 0, failed: [], error: null }],
  dropped: [],
};

/** One metering message from a sender that has no batch headers. */
export function makeHeaderless(reading: Reading | ReceivedSample): BatchRecord {
  const sample = 'messageId' in reading ? reading : makeSample(reading);
  return {
    digest: sha256(sample.text),
    header: null,
    headerText: null,
    keyId: KEY_ID,
    transport: 'http',
    samples: [sample],
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function samplesOf(store: Store, query: SampleQuery = {}): Promise<StoredSample[]> {
  return collect(store.samples(query));
}

export function ledgerOf(store: Store, query: LedgerQuery = {}): Promise<LedgerRow[]> {
  return collect(store.ledger(query));
}

/** The volumes as spelled, in the order in which they came. */
export function literals(samples: readonly StoredSample[]): string[] {
  return samples.map(({ volume }) => volume.literal);
}
