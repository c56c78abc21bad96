import { HOUR } from '@nephometer/core';
import type { Test } from 'tap';
import { ledgerOf, literals, makeBatch, NOON, samplesOf } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

export function testAsOf(t: Test, open: OpenStore): void {
  t.test('every read is as it was at that moment', async (t) => {
    const store = await openFor(t, open);
    const record = async (volume: string, resource: string, at: number) => {
      const [outcome] = await store.record([makeBatch([{ volume, resource, at }])]);
      return outcome?.recordedAt ?? 0;
    };
    const first = await record('1', 'r1', NOON);
    const second = await record('2', 'r2', NOON + HOUR);
    const third = await record('3', 'r1', NOON - HOUR);
    const samplesAsOf = async (asOf: number) => literals(await samplesOf(store, { asOf }));
    t.strictSame(await samplesAsOf(first - 1), []);
    t.strictSame(await samplesAsOf(first), ['1']);
    t.strictSame(await samplesAsOf(second - 1), ['1']);
    t.strictSame(await samplesAsOf(second), ['2', '1']);
    t.strictSame(await samplesAsOf(third), ['2', '1', '3']);
    t.strictSame(await samplesAsOf(third + 400 * 24 * HOUR), ['2', '1', '3'], 'a moment to come shows what is there');
    t.equal((await store.meters({ asOf: first })).length, 1);
    t.equal((await store.meters({ asOf: second })).length, 2);
    t.equal((await store.resources({ asOf: second }))[0]?.firstTimestamp, NOON);
    t.equal((await store.resources({ asOf: third }))[0]?.firstTimestamp, NOON - HOUR);
    t.equal((await ledgerOf(store, { upTo: second })).length, 2);
  });

  t.test('an answer as of a past moment does not change when more arrives', async (t) => {
    const store = await openFor(t, open);
    const [outcome] = await store.record([makeBatch([{ id: 'a', volume: '1' }])]);
    const asOf = outcome?.recordedAt ?? 0;
    const before = await samplesOf(store, { asOf });
    await store.record([makeBatch([{ id: 'a', volume: '2' }, { id: 'b' }])]);
    t.strictSame(await samplesOf(store, { asOf }), before);
  });
}
