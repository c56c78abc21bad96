import { DAY } from '@nephometer/core';
import type { Test } from 'tap';
import { collect, ledgerOf, makeBatch, NOON, samplesOf } from '../fixtures.ts';
import { variedBatches } from './dataset.ts';
import type { OpenStore } from './opened.ts';

export function testRestart(t: Test, open: OpenStore): void {
  t.test('a restart keeps everything', async (t) => {
    const { store, reopen } = await open();
    const batches = variedBatches();
    const outcomes = await store.record(batches);
    await store.record([makeBatch([{ id: 'id-000', meter: 'forged' }])]);
    await store.appendEntry({ kind: 'key', id: 'k1', body: '{}' });
    await store.retain([{ meters: ['disk.*'], keepFrom: NOON }]);
    const asOf = outcomes.at(-1)?.recordedAt ?? 0;
    const everything = async (store_: typeof store) => ({
      samples: await samplesOf(store_),
      before: await samplesOf(store_, { asOf }),
      meters: await store_.meters({}),
      resources: await store_.resources({}),
      ledger: await ledgerOf(store_),
      conflicts: await collect(store_.conflicts({})),
      entries: await store_.entries({ kind: 'key' }),
    });
    const expected = await everything(store);
    t.ok(expected.samples.length > 80 && expected.conflicts.length === 2);
    const again = await reopen();
    t.teardown(() => again.close());
    t.strictSame(await everything(again), expected);
    const behind = { meter: 'disk.size', from: { at: NOON - DAY, inclusive: true } };
    await t.rejects(samplesOf(again, behind), { code: 'MTR_BEHIND_RETENTION' });
    const repeated = await again.record(batches);
    t.ok(repeated.every(({ outcome }) => outcome === 'duplicate'));
    const [next] = await again.record([makeBatch([{ id: 'after' }])]);
    const newest = Math.max(...expected.ledger.map(({ recordedAt }) => recordedAt));
    t.ok((next?.recordedAt ?? 0) > newest, 'recorded_at goes on growing');
  });

  t.test('check answers; close is safe twice; nothing answers afterwards', async (t) => {
    const { store } = await open();
    await store.check();
    await store.close();
    await store.close();
    await t.rejects(store.check(), { code: 'MTR_STORE_UNAVAILABLE' });
    await t.rejects(store.record([makeBatch([])]), { code: 'MTR_STORE_UNAVAILABLE' });
    await t.rejects(samplesOf(store), { code: 'MTR_STORE_UNAVAILABLE' });
    await t.rejects(store.meters({}), { code: 'MTR_STORE_UNAVAILABLE' });
  });

  t.test('two writers of the same batch at once leave one row and each sample once', async (t) => {
    const { store, second } = await open();
    t.teardown(() => store.close());
    if (second === null) return t.pass('this engine has one writer');
    const other = await second();
    t.teardown(() => other.close());
    const batches = Array.from({ length: 5 }, (_, i) => makeBatch([{ id: `a-${i}` }, { id: `b-${i}` }]));
    const outcomes = await Promise.all([store.record(batches), other.record(batches.toReversed())]);
    t.equal(outcomes.flat().length, 10);
    for (const writer of [store, other]) {
      t.equal((await ledgerOf(writer)).length, 5);
      t.equal((await samplesOf(writer)).length, 10);
      t.match(await writer.statistics({ meter: 'cpu', period: null, groupBy: [] }), [{ count: 10 }]);
    }
    const again = await other.record(batches);
    t.ok(again.every(({ outcome }) => outcome === 'duplicate'));
    const known = new Map((await ledgerOf(store)).map(({ digest, recordedAt }) => [digest, recordedAt]));
    t.ok(again.every(({ digest, recordedAt }) => known.get(digest) === recordedAt));
    return undefined;
  });
}
