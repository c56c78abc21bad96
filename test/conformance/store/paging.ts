import { comparePlace } from '@nephometer/core';
import type { SampleQuery, Store } from '@nephometer/core';
import type { Test } from 'tap';
import { literals, makeBatch, NOON, samplesOf } from '../fixtures.ts';
import { variedBatches } from './dataset.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

async function pageThrough(store: Store, query: SampleQuery): Promise<string[]> {
  const ids: string[] = [];
  for (let after: SampleQuery['after']; ;) {
    const page = await samplesOf(store, after === undefined ? query : { ...query, after });
    ids.push(...page.map(({ messageId }) => messageId));
    const last = page.at(-1);
    if (last === undefined) return ids;
    after = { timestamp: last.timestamp, messageId: last.messageId };
  }
}

export function testPaging(t: Test, open: OpenStore): void {
  t.test('newest first unless told, ties by message_id', async (t) => {
    const store = await openFor(t, open);
    await store.record([
      makeBatch([
        { id: 'b', volume: '1', at: NOON },
        { id: 'a', volume: '2', at: NOON },
        { id: 'c', volume: '3', at: NOON + 1 },
      ]),
    ]);
    t.strictSame(literals(await samplesOf(store)), ['3', '2', '1']);
    t.strictSame(literals(await samplesOf(store, { order: 'newest' })), ['3', '2', '1']);
    t.strictSame(literals(await samplesOf(store, { order: 'oldest' })), ['2', '1', '3']);
  });

  t.test('message_ids are ordered by code point', async (t) => {
    const store = await openFor(t, open);
    const ids = ['Z', 'a', 'ä', '\uffee', '😀'];
    await store.record([makeBatch(ids.toReversed().map((id) => ({ id })))]);
    t.strictSame(
      (await samplesOf(store)).map(({ messageId }) => messageId),
      ids,
    );
  });

  t.test('limit cuts, also to nothing', async (t) => {
    const store = await openFor(t, open);
    await store.record([makeBatch([1, 2, 3].map((i) => ({ volume: String(i), at: NOON + i })))]);
    t.strictSame(literals(await samplesOf(store, { limit: 2 })), ['3', '2']);
    t.strictSame(literals(await samplesOf(store, { limit: 0 })), []);
    t.strictSame(literals(await samplesOf(store, { limit: 9, order: 'oldest' })), ['1', '2', '3']);
  });

  t.test('pages of any length give every sample once, in order', async (t) => {
    const store = await openFor(t, open);
    const batches = variedBatches();
    await store.record(batches);
    const all = batches.flatMap(({ samples }) => samples);
    for (const order of ['newest', 'oldest'] as const) {
      const expected = all.sort((a, b) => comparePlace(a, b, order)).map(({ messageId }) => messageId);
      for (const limit of [1, 7, 90]) {
        t.strictSame(await pageThrough(store, { order, limit }), expected, `${order}, ${limit} at a time`);
      }
    }
  });

  t.test('paging goes on behind a place where no sample is', async (t) => {
    const store = await openFor(t, open);
    await store.record([makeBatch([1, 3].map((i) => ({ id: `id-${i}`, volume: String(i), at: NOON + i })))]);
    const after = { timestamp: NOON + 2, messageId: 'gone' };
    t.strictSame(literals(await samplesOf(store, { after })), ['1']);
    t.strictSame(literals(await samplesOf(store, { after, order: 'oldest' })), ['3']);
    const among = { timestamp: NOON + 3, messageId: 'id-2' };
    t.strictSame(literals(await samplesOf(store, { after: among })), ['3', '1']);
  });

  t.test('a reader that stops early leaves the store in order', async (t) => {
    const store = await openFor(t, open);
    await store.record(variedBatches());
    for await (const sample of store.samples({})) {
      t.ok(sample);
      break;
    }
    t.equal((await samplesOf(store)).length, 90);
  });
}
