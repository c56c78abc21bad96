import { SECOND } from '@nephometer/core';
import type { BatchRecord, StoredSample } from '@nephometer/core';
import type { Test } from 'tap';
import {
  EMPTY_CYCLE,
  ledgerOf,
  literals,
  makeBatch,
  makeHeaderless,
  makeSample,
  NOON,
  samplesOf,
} from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

/** What the store gives back of a batch that was recorded at that time. */
function asStored(batch: BatchRecord, recordedAt: number): StoredSample[] {
  return batch.samples.map((sample, batchIndex) => ({
    ...sample,
    recordedAt,
    batchDigest: batch.digest,
    batchIndex,
    agentId: batch.header?.agent_id ?? null,
    epoch: batch.header?.epoch ?? null,
    seq: batch.header?.seq ?? null,
    keyId: batch.keyId,
  }));
}

export function testRecord(t: Test, open: OpenStore): void {
  t.test('a batch is readable when its outcome is returned, every field as it came', async (t) => {
    const store = await openFor(t, open);
    const batch = makeBatch([
      { volume: '41.0', at: NOON, slot: NOON - 1, monotonic: 12.25, metadata: { flavor: { id: 7 }, 'a.b': [1, null] } },
      { volume: '-1', at: NOON + 1, type: 'delta', unit: null, project: null, user: null },
    ]);
    const [outcome] = await store.record([batch]);
    t.match(outcome, { digest: batch.digest, outcome: 'recorded', duplicates: [], conflicts: [] });
    const stored = await samplesOf(store, { order: 'oldest' });
    t.strictSame(stored, asStored(batch, outcome?.recordedAt ?? 0));
  });

  t.test('a headerless message has no agent, epoch and seq', async (t) => {
    const store = await openFor(t, open);
    const batch = makeHeaderless({ volume: '3' });
    const [outcome] = await store.record([batch]);
    t.strictSame(await samplesOf(store), asStored(batch, outcome?.recordedAt ?? 0));
    t.match(await ledgerOf(store), [{ agentId: null, epoch: null, seq: null, headerText: null, transport: 'http' }]);
  });

  t.test('a batch whose digest is in the ledger is a duplicate, in one call and in the next', async (t) => {
    const store = await openFor(t, open);
    const batch = makeBatch([{ volume: '1' }, { volume: '2' }]);
    const [first, again] = await store.record([batch, batch]);
    const [third] = await store.record([batch]);
    t.equal(first?.outcome, 'recorded');
    t.match([again, third], [{ outcome: 'duplicate' }, { outcome: 'duplicate' }]);
    t.equal(again?.recordedAt, first?.recordedAt);
    t.equal(third?.recordedAt, first?.recordedAt);
    t.equal((await samplesOf(store)).length, 2);
    t.equal((await ledgerOf(store)).length, 1);
  });

  t.test('a message_id with the same content is counted and not stored again', async (t) => {
    const store = await openFor(t, open);
    const first = makeSample({ id: 'one', volume: '1', at: NOON, monotonic: 5, metadata: { size: 1 } });
    const copy = makeSample({ id: 'one', volume: '1.0', at: NOON, monotonic: 6, metadata: { size: 1 } });
    await store.record([makeHeaderless(first)]);
    const batch = makeBatch([copy, { id: 'two' }, copy]);
    const [outcome] = await store.record([batch]);
    t.match(outcome, { outcome: 'recorded', duplicates: ['one', 'one'], conflicts: [] });
    t.strictSame(literals(await samplesOf(store, { messageId: 'one' })), ['1'], 'the copy recorded first is shown');
    const [row] = await ledgerOf(store, { digest: batch.digest });
    t.match(row, { samples: 1, duplicates: 2 });
    t.equal((await samplesOf(store, { messageId: 'two' }))[0]?.batchIndex, 1, 'places in the batch stay');
  });

  t.test('copies within one batch and within one call are stored once', async (t) => {
    const store = await openFor(t, open);
    const copy = makeSample({ id: 'one' });
    const [first, second] = await store.record([makeBatch([copy, copy]), makeBatch([copy])]);
    t.strictSame([first?.duplicates, second?.duplicates], [['one'], ['one']]);
    t.equal((await samplesOf(store)).length, 1);
  });

  t.test('samples of one series and one instant do not overwrite each other', async (t) => {
    const store = await openFor(t, open);
    const at = (id: string, volume: string) => ({ id, volume, at: NOON, metadata: {} });
    await store.record([makeBatch([at('a', '1'), at('b', '1'), at('c', '2')])]);
    await store.record([makeBatch([at('d', '1'), at('e', '3')]), makeHeaderless(at('f', '1'))]);
    t.strictSame(literals(await samplesOf(store)), ['1', '1', '2', '1', '3', '1']);
  });

  t.test('a batch without samples is in the ledger', async (t) => {
    const store = await openFor(t, open);
    const batch = makeBatch([], { cycles: [EMPTY_CYCLE] });
    const [outcome] = await store.record([batch]);
    t.equal(outcome?.outcome, 'recorded');
    t.match(await ledgerOf(store), [{ digest: batch.digest, samples: 0, headerText: batch.headerText }]);
    t.strictSame(await samplesOf(store), []);
    t.equal((await store.record([batch]))[0]?.outcome, 'duplicate');
  });

  t.test('nothing to record is no error', async (t) => {
    const store = await openFor(t, open);
    t.strictSame(await store.record([]), []);
    t.strictSame(await ledgerOf(store), []);
  });

  t.test('recorded_at grows from call to call, and within a call', async (t) => {
    const store = await openFor(t, open);
    const outcomes = await store.record([makeBatch([{ id: 'a' }]), makeBatch([{ id: 'b' }]), makeBatch([])]);
    const later = await store.record([makeBatch([{ id: 'c' }])]);
    const times = [...outcomes, ...later].map(({ recordedAt }) => recordedAt);
    t.strictSame(
      times,
      [...new Set(times)].sort((a, b) => a - b),
    );
    t.strictSame(
      (await ledgerOf(store)).map(({ recordedAt }) => recordedAt),
      times,
    );
  });

  t.test('many calls at once keep every sample once', async (t) => {
    const store = await openFor(t, open);
    const batchOf = (i: number) => makeBatch([{ id: `id-${i}`, at: NOON + i * SECOND }, { id: 'shared' }]);
    const batches = Array.from({ length: 20 }, (_, i) => batchOf(i));
    const outcomes = await Promise.all(batches.map((batch) => store.record([batch])));
    t.equal(outcomes.flat().filter(({ duplicates }) => duplicates.includes('shared')).length, 19);
    t.equal((await samplesOf(store)).length, 21);
    t.equal((await ledgerOf(store)).length, 20);
  });

  t.test('a large batch is stored whole', async (t) => {
    const store = await openFor(t, open);
    const readings = Array.from({ length: 5000 }, (_, i) => ({ id: `id-${i}`, volume: String(i), at: NOON + i }));
    const batch = makeBatch(readings);
    const [outcome] = await store.record([batch]);
    t.strictSame(await samplesOf(store, { order: 'oldest' }), asStored(batch, outcome?.recordedAt ?? 0));
  });
}
