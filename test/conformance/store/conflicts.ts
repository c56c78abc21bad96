import type { Test } from 'tap';
import { collect, ledgerOf, literals, makeBatch, makeHeaderless, NOON, samplesOf } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';
import { testResolutions } from './resolutions.ts';

export function testConflicts(t: Test, open: OpenStore): void {
  const honest = { id: 'one', volume: '1', resource: 'r1' };
  testResolutions(t, open);

  t.test('other content under a stored message_id hides every version and shows them as conflicts', async (t) => {
    const store = await openFor(t, open);
    await store.record([makeBatch([honest, { id: 'two', volume: '5', resource: 'r2' }])]);
    const forged = makeBatch([{ ...honest, volume: '2' }]);
    const [outcome] = await store.record([forged]);
    t.match(outcome, { outcome: 'recorded', duplicates: [], conflicts: ['one'] });
    t.match(await ledgerOf(store, { digest: forged.digest }), [{ samples: 1, duplicates: 0 }]);
    t.strictSame(literals(await samplesOf(store)), ['5']);
    t.strictSame(await samplesOf(store, { messageId: 'one' }), []);
    t.strictSame(
      (await store.meters({})).map(({ resourceId }) => resourceId),
      ['r2'],
    );
    t.strictSame(
      (await store.resources({})).map(({ resourceId }) => resourceId),
      ['r2'],
    );
    t.match(await store.statistics({ meter: 'cpu', period: null, groupBy: [] }), [{ count: 1 }]);
    t.strictSame(literals(await collect(store.conflicts({}))), ['1', '2'], 'in the order in which they were recorded');
  });

  t.test('as of the moment before, the first version is still shown', async (t) => {
    const store = await openFor(t, open);
    const [first] = await store.record([makeBatch([honest])]);
    const [second] = await store.record([makeBatch([{ ...honest, volume: '2' }])]);
    const [before, after] = [first?.recordedAt ?? 0, second?.recordedAt ?? 0];
    t.strictSame(literals(await samplesOf(store, { asOf: before })), ['1']);
    t.strictSame(literals(await samplesOf(store, { asOf: after - 1 })), ['1']);
    t.strictSame(await samplesOf(store, { asOf: after }), []);
    t.equal((await store.meters({ asOf: before })).length, 1);
    t.strictSame(await store.meters({ asOf: after }), []);
    t.equal((await store.resources({ asOf: before })).length, 1);
    t.strictSame(await collect(store.conflicts({ asOf: after - 1 })), []);
    t.equal((await collect(store.conflicts({ asOf: after }))).length, 2);
  });

  t.test('every difference in content makes a conflict', async (t) => {
    const differences = [
      { source: 'other' },
      { meter: 'other' },
      { type: 'gauge' as const },
      { unit: null },
      { resource: 'other' },
      { project: null },
      { user: 'other' },
      { at: NOON + 1 },
      { metadata: { a: 1 } },
    ];
    const store = await openFor(t, open);
    const batches = differences.flatMap((difference, i) => [
      makeBatch([{ ...honest, id: `id-${i}` }]),
      makeBatch([{ ...honest, id: `id-${i}`, ...difference }]),
    ]);
    const outcomes = await store.record(batches);
    const expected = differences.flatMap((_, i) => [[], [`id-${i}`]]);
    t.strictSame(
      outcomes.map(({ conflicts }) => conflicts),
      expected,
    );
    t.strictSame(await samplesOf(store), []);
    t.equal((await collect(store.conflicts({}))).length, 2 * differences.length);
  });

  t.test('two contents in one batch are in conflict from the start', async (t) => {
    const store = await openFor(t, open);
    const [outcome] = await store.record([makeBatch([honest, { ...honest, volume: '2' }])]);
    t.strictSame(outcome?.conflicts, ['one']);
    t.strictSame(await samplesOf(store), []);
    t.strictSame(literals(await collect(store.conflicts({}))), ['1', '2']);
  });

  t.test('a copy of a version in conflict is a duplicate, a third content one more version', async (t) => {
    const store = await openFor(t, open);
    await store.record([makeBatch([honest]), makeBatch([{ ...honest, volume: '2' }])]);
    const [copy, third] = await store.record([
      makeHeaderless({ ...honest, volume: '2.0' }),
      makeBatch([{ ...honest, volume: '3' }]),
    ]);
    t.match(copy, { duplicates: ['one'], conflicts: [] });
    t.match(third, { duplicates: [], conflicts: ['one'] });
    t.strictSame(literals(await collect(store.conflicts({}))), ['1', '2', '3']);
    t.strictSame(await samplesOf(store), []);
  });

  t.test('conflicts are filtered like samples', async (t) => {
    const store = await openFor(t, open);
    await store.record([
      makeBatch([honest, { ...honest, id: 'two', resource: 'r2' }]),
      makeBatch([
        { ...honest, volume: '2', project: 'project-2' },
        { ...honest, id: 'two', resource: 'r2', volume: '9' },
      ]),
    ]);
    t.strictSame(literals(await collect(store.conflicts({ projectIds: ['project-2'] }))), ['2']);
    t.strictSame(literals(await collect(store.conflicts({ resourceId: 'r2' }))), ['1', '9']);
    t.strictSame(literals(await collect(store.conflicts({ messageId: 'one', limit: 1 }))), ['1']);
  });
}
