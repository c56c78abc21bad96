import {
  decimal,
  defaultConfig,
  encodeBatch,
  ManualClock,
  merkleRoot,
  MetricRegistry,
  polledSampleId,
  ProcessStatus,
  SharedSecretKeyring,
  signHeader,
  signSample,
  silentLogger,
  toText,
} from '@nephometer/core';
import type { BatchHeader, ConfigInput, Counter, Keyring, Micros, SignedHeader } from '@nephometer/core';

/** What the tests of this folder build on: an agent that signs as a real one does, and a process without surroundings. */
export const SECRET = Buffer.from('a shared secret of the tests');
export const START: Micros = 1_767_225_600_000_000;
export const EPOCH = '0123456789abcdef';
export const AGENT = 'agent-1';

export function counter(meter: string, volume: number, resourceId = 'vm-1', timestamp = START): Counter {
  const exact = decimal(volume);
  return {
    meter,
    type: 'gauge',
    unit: 'MiB',
    volume: { ...exact, literal: toText(exact) },
    resourceId,
    projectId: 'project-1',
    userId: null,
    timestamp,
    metadata: new Map([['host', 'node-1']]),
    monotonicTime: null,
  };
}

export interface BatchOf {
  readonly agent?: string;
  readonly epoch?: string;
  readonly seq?: number;
  readonly keyId?: string;
  readonly secret?: Uint8Array;
  readonly created?: Micros;
  readonly slot?: Micros | null;
  /** Overrides of the header, signed as they are. */
  readonly header?: Partial<BatchHeader>;
  readonly ids?: readonly string[];
}

export interface MadeBatch {
  readonly header: SignedHeader;
  readonly texts: readonly string[];
  readonly body: Buffer;
  readonly ids: readonly string[];
}

/** A batch as an agent makes it of one tick. */
export function batchOf(counters: readonly Counter[], of: BatchOf = {}): MadeBatch {
  const { agent = AGENT, epoch = EPOCH, seq = 1, keyId = 'shared', secret = SECRET, created = START } = of;
  const slot = of.slot === undefined ? START : of.slot;
  const ids = counters.map(({ meter, resourceId }, index) => {
    const identity = { agentId: agent, epoch, source: 'default', meter, resourceId, slot: slot ?? 0 };
    return of.ids?.[index] ?? polledSampleId(identity);
  });
  const texts = counters.map((one, i) => signSample(one, { messageId: ids[i] ?? '', source: 'test' }, secret).text);
  const header: BatchHeader = {
    version: 1,
    agent_id: agent,
    epoch,
    seq,
    created,
    samples: texts.length,
    merkle_root: merkleRoot(texts),
    previous: null,
    runs: texts.length === 0 ? [] : [{ source: 'default', slot, samples: texts.length }],
    cycles: [],
    key_id: keyId,
    ...of.header,
  };
  const signed = signHeader(header, secret);
  return { header: signed, texts, ids, body: Buffer.from(encodeBatch(signed, texts)) };
}

/** A metering message as a Ceilometer sends it. */
export function messageOf(one: Counter, messageId: string, secret: Uint8Array = SECRET): string {
  return signSample(one, { messageId, source: 'openstack' }, secret).text;
}

/** What every part of a process is given. */
export function surroundings(config: ConfigInput = {}, keyring: Keyring = new SharedSecretKeyring(SECRET)) {
  const metrics = new MetricRegistry();
  const log = silentLogger;
  return {
    config: defaultConfig(config),
    keyring,
    clock: new ManualClock(START),
    log,
    metrics,
    status: new ProcessStatus(metrics, {}),
  };
}

/** Waits until something holds; fails after a while with what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const started = Date.now(); Date.now() - started < 5000;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Waited 5 s in vain until ${what}.`);
}

/** All of a stream. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
