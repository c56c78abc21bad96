import type { Store } from '@nephometer/core';
import type { Test } from 'tap';
import { collect, literals, makeBatch, samplesOf } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

const READING = { id: 'one', volume: '1', resource: 'r1' };

export function testResolutions(t: Test, open: OpenStore): void {
  const decide = async (store: Store, keep: string | null, at: number): Promise<number> => {
    const body = JSON.stringify({ keep, by: 'operator', why: 'checked', at });
    return (await store.appendEntry({ kind: 'resolution', id: 'one', body })).recordedAt;
  };

  /** Two versions in conflict; the times at which things were recorded. */
  async function conflicted(store: Store) {
    const batches = [makeBatch([READING, { id: 'two', volume: '5' }]), makeBatch([{ ...READING, volume: '2' }])];
    const times: number[] = [];
    for (const batch of batches) times.push((await store.record([batch]))[0]?.recordedAt ?? 0);
    return { first: batches[0]?.digest ?? '', second: batches[1]?.digest ?? '', times };
  }

  const shown = async (store: Store, asOf?: number): Promise<string[]> =>
    literals(await samplesOf(store, { messageId: 'one', ...(asOf === undefined ? {} : { asOf }) }));
  const waiting = async (store: Store, asOf?: number): Promise<string[]> =>
    literals(await collect(store.conflicts(asOf === undefined ? {} : { asOf })));

  t.test('from a resolution on reads show the version that it keeps, and before it none', async (t) => {
    const store = await openFor(t, open);
    const { second, times } = await conflicted(store);
    const at = await decide(store, second, 1);
    t.strictSame(await shown(store), ['2']);
    t.strictSame(await waiting(store), []);
    t.strictSame(await shown(store, at), ['2']);
    t.strictSame(await shown(store, at - 1), []);
    t.strictSame(await waiting(store, at - 1), ['1', '2']);
    t.strictSame(await shown(store, times[0]), ['1']);
    t.strictSame(literals(await samplesOf(store)).sort(), ['2', '5']);
    t.equal((await store.meters({ resourceId: 'r1' })).length, 1);
    t.equal((await store.meters({ resourceId: 'r1', asOf: at - 1 })).length, 0);
    t.equal((await store.resources({ resourceId: 'r1' })).length, 1);
    t.match(await store.statistics({ meter: 'cpu', period: null, groupBy: [] }), [{ count: 2 }]);
  });

  t.test('a resolution may keep none', async (t) => {
    const store = await openFor(t, open);
    await conflicted(store);
    await decide(store, null, 1);
    t.strictSame(await shown(store), []);
    t.strictSame(await waiting(store), []);
  });

  t.test('the newest resolution counts, each from its own moment', async (t) => {
    const store = await openFor(t, open);
    const { first, second } = await conflicted(store);
    const times = [await decide(store, first, 1), await decide(store, null, 2), await decide(store, second, 3)];
    t.strictSame(await shown(store), ['2']);
    t.strictSame(await shown(store, times[0]), ['1']);
    t.strictSame(await shown(store, times[1]), []);
    t.strictSame(await shown(store, times[2]), ['2']);
  });

  t.test('a version that comes after a resolution is a conflict again, until it is resolved anew', async (t) => {
    const store = await openFor(t, open);
    const { first } = await conflicted(store);
    const resolved = await decide(store, first, 1);
    const [copy] = await store.record([makeBatch([{ ...READING, volume: '2' }])]);
    t.match(copy, { duplicates: ['one'], conflicts: [] });
    t.strictSame(await shown(store), ['1'], 'a copy of a version that was put aside changes nothing');
    const third = makeBatch([{ ...READING, volume: '3' }]);
    const [outcome] = await store.record([third]);
    t.strictSame(outcome?.conflicts, ['one']);
    t.strictSame(await shown(store), []);
    t.strictSame(await waiting(store), ['1', '2', '3']);
    t.strictSame(await shown(store, resolved), ['1']);
    await decide(store, third.digest, 2);
    t.strictSame(await shown(store), ['3']);
  });

  t.test('a resolution without a conflict changes nothing', async (t) => {
    const store = await openFor(t, open);
    await store.record([makeBatch([READING])]);
    await decide(store, null, 1);
    t.strictSame(await shown(store), ['1']);
    await store.record([makeBatch([{ ...READING, volume: '2' }])]);
    t.strictSame(await waiting(store), ['1', '2']);
  });

  t.test('resolutions are there after a restart', async (t) => {
    const { store, reopen } = await open();
    const { second } = await conflicted(store);
    const at = await decide(store, second, 1);
    const again = await reopen();
    t.teardown(() => again.close());
    t.strictSame(await shown(again), ['2']);
    t.strictSame(await shown(again, at - 1), []);
    t.strictSame(await waiting(again), []);
  });
}
