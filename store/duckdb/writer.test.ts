import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MetricRegistry,
  parseVolume,
  readMessage,
  SHARED_KEY_ID,
  sha256,
  signSample,
  silentLogger,
} from '@nephometer/core';
import type { BatchRecord } from '@nephometer/core';
import t from 'tap';
import { openDuckDbStore } from './index.ts';

const folder = await mkdtemp(join(tmpdir(), 'nephometer-writer-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

/** A headerless batch of one sample. */
function batchOf(messageId: string): BatchRecord {
  const counter = {
    meter: 'memory',
    type: 'gauge',
    unit: 'MiB',
    volume: parseVolume('512'),
    resourceId: messageId,
    projectId: null,
    userId: null,
    timestamp: 1_767_225_600_000_000,
    metadata: new Map(),
    monotonicTime: null,
  } as const;
  const { text } = signSample(counter, { messageId, source: 'test' }, Buffer.from('a secret'));
  const sample = { ...readMessage(text).sample, text, slot: null };
  const header = { header: null, headerText: null, keyId: SHARED_KEY_ID, transport: 'http' } as const;
  return { digest: sha256(text), ...header, samples: [sample] };
}

t.test('what can never be written is refused, and takes nobody along that shared its transaction', async (t) => {
  const path = join(folder, 'shared.duckdb');
  const store = await openDuckDbStore({ path, log: silentLogger, metrics: new MetricRegistry() });
  t.teardown(() => store.close());
  const bad = batchOf('bad');
  const broken = { ...bad, samples: bad.samples.map((sample) => ({ ...sample, timestamp: 0.5 })) };
  const outcomes = await Promise.allSettled(
    [batchOf('first'), broken, batchOf('last')].map((batch) => store.record([batch])),
  );
  t.match(outcomes, [
    { status: 'fulfilled', value: [{ outcome: 'recorded' }] },
    { status: 'rejected', reason: { code: 'MTR_STORE_REFUSED', retryable: false } },
    { status: 'fulfilled', value: [{ outcome: 'recorded' }] },
  ]);
  const stored: string[] = [];
  for await (const { messageId } of store.samples({})) stored.push(messageId);
  t.same(stored.sort(), ['first', 'last']);
  t.match(await store.record([batchOf('bad')]), [{ outcome: 'recorded' }], 'nothing is left of the refused one');
});
