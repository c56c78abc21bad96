import { DAY, dayOf, HOUR } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import type { Test } from 'tap';
import { collect, ledgerOf, literals, makeBatch, NOON, samplesOf } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

const TODAY = dayOf(NOON);
const BEHIND = { code: 'MTR_BEHIND_RETENTION' };
const from = (at: number) => ({ from: { at, inclusive: true } });

/** One sample of each meter at the noon of four days; volumes are the days. */
async function recordDays(store: Store): Promise<void> {
  const readings = ['cpu', 'cpu.util', 'disk.size'].flatMap((meter) =>
    [1, 2, 3, 4].map((day) => ({ meter, volume: String(day), at: NOON + (day - 4) * DAY })),
  );
  await store.record([makeBatch(readings)]);
}

export function testRetention(t: Test, open: OpenStore): void {
  t.test('whole days go, by the first rule that matches', async (t) => {
    const store = await openFor(t, open);
    await recordDays(store);
    const { horizons } = await store.retain([
      { meters: ['cpu*'], keepFrom: NOON },
      { meters: ['*'], keepFrom: NOON - 2 * DAY + 5 * HOUR },
    ]);
    t.strictSame(
      [...horizons].sort(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['cpu', TODAY],
        ['cpu.util', TODAY],
        ['disk.size', TODAY - 2 * DAY],
      ],
    );
    t.strictSame(literals(await samplesOf(store, { meter: 'cpu' })), ['4']);
    t.strictSame(literals(await samplesOf(store, { meter: 'disk.size' })), ['4', '3', '2']);
    t.match(await store.statistics({ meter: 'cpu', period: null, groupBy: [] }), [{ count: 1 }]);
    t.equal((await ledgerOf(store)).length, 1, 'ledger rows stay');
  });

  t.test('a question that starts behind a horizon is refused, one without a start is answered', async (t) => {
    const store = await openFor(t, open);
    await recordDays(store);
    await store.retain([{ meters: ['cpu'], keepFrom: NOON }]);
    const statistics = { meter: 'cpu', period: null, groupBy: [] };
    await t.rejects(samplesOf(store, { meter: 'cpu', ...from(TODAY - 1) }), BEHIND);
    await t.rejects(samplesOf(store, from(TODAY - 1)), BEHIND, 'no meter named: cpu is asked for too');
    await t.rejects(store.meters(from(TODAY - 1)), BEHIND);
    await t.rejects(store.resources(from(TODAY - 1)), BEHIND);
    await t.rejects(store.statistics({ ...statistics, ...from(TODAY - 1) }), BEHIND);
    await t.rejects(collect(store.conflicts(from(TODAY - 1))), BEHIND);
    t.equal((await samplesOf(store, { meter: 'cpu', ...from(TODAY) })).length, 1);
    const exclusive = { from: { at: TODAY - 1, inclusive: false } };
    t.equal((await samplesOf(store, { meter: 'cpu', ...exclusive })).length, 1, 'exclusive of the last instant gone');
    t.equal((await samplesOf(store, { meter: 'disk.size', ...from(TODAY - 9 * DAY) })).length, 4);
    t.equal((await samplesOf(store)).length, 9);
  });

  t.test('what nothing matches stays; a horizon never moves back', async (t) => {
    const store = await openFor(t, open);
    await recordDays(store);
    await store.retain([{ meters: ['cpu'], keepFrom: NOON }]);
    const { horizons } = await store.retain([{ meters: ['cpu'], keepFrom: NOON - 9 * DAY }]);
    t.equal(horizons.get('cpu'), TODAY);
    t.equal(horizons.get('disk.size'), undefined);
    t.strictSame(await store.retain([]), { horizons });
  });

  t.test('meters and resources of which all is gone are no longer listed', async (t) => {
    const store = await openFor(t, open);
    await store.record([
      makeBatch([
        { meter: 'cpu', resource: 'gone', at: NOON - 2 * DAY },
        { meter: 'cpu', resource: 'kept', at: NOON },
      ]),
    ]);
    await store.retain([{ meters: ['*'], keepFrom: NOON }]);
    const listed = async () => [
      (await store.meters({})).map(({ resourceId }) => resourceId),
      (await store.resources({})).map(({ resourceId }) => resourceId),
    ];
    t.strictSame(await listed(), [['kept'], ['kept']]);
    const [late] = await store.record([makeBatch([{ meter: 'cpu', resource: 'late', at: NOON - DAY, id: 'late' }])]);
    t.equal(late?.outcome, 'recorded', 'what arrives late is recorded');
    t.strictSame(await listed(), [['kept'], ['kept']], 'and not shown');
    t.equal((await samplesOf(store)).length, 1);
    await store.record([makeBatch([{ meter: 'cpu', resource: 'late', at: NOON + 1 }])]);
    t.strictSame(await listed(), [
      ['kept', 'late'],
      ['kept', 'late'],
    ]);
  });

  t.test('a version that is kept stays in conflict when the other is gone', async (t) => {
    const store = await openFor(t, open);
    await store.record([
      makeBatch([{ id: 'one', at: NOON - 2 * DAY, volume: '1' }]),
      makeBatch([{ id: 'one', at: NOON, volume: '2' }]),
    ]);
    await store.retain([{ meters: ['*'], keepFrom: NOON }]);
    t.strictSame(await samplesOf(store), []);
    t.strictSame(literals(await collect(store.conflicts({}))), ['2']);
  });
}
