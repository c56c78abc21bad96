import { BehindRetention, DAY, HOUR, LOOKBACK, MINUTE } from '@nephometer/core';
import type { Arrival, FoldRow, FoldsQuery, Micros, Store } from '@nephometer/core';
import type { Test } from 'tap';
import { collect, makeBatch, makeHeaderless, NOON } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

const DAY_ONE = NOON - 12 * HOUR;
const BASE = { meter: 'cpu', day: DAY_ONE, series: '["s"]', resourceId: 'r1', asOf: 100, head: 'head', body: 'body' };

const row = (more: Partial<FoldRow> = {}): FoldRow => ({ ...BASE, ...more });

async function foldsOf(store: Store, more: Partial<FoldsQuery> = {}): Promise<string[]> {
  const query = { meter: 'cpu', from: DAY_ONE, to: DAY_ONE + 3 * DAY, asOf: 1_000, ...more };
  const rows = (await collect(store.folds(query))).flat();
  return rows
    .map(({ day, series, asOf, head, body }) => `${(day - DAY_ONE) / DAY} ${series} ${asOf} ${head} ${body}`)
    .sort();
}

export function testFolds(t: Test, open: OpenStore): void {
  t.test('of each day and series the newest revision as of a moment', async (t) => {
    const { store, reopen } = await open();
    await store.appendFolds([
      row(),
      row({ asOf: 300, body: 'newer' }),
      row({ series: '["t"]' }),
      row({ day: DAY_ONE + DAY, asOf: 200, body: 'the day after' }),
      row({ meter: 'memory' }),
    ]);
    await store.appendFolds([row({ asOf: 200, body: 'between' })]);
    await store.appendFolds([]);
    const all = ['0 ["s"] 300 head newer', '0 ["t"] 100 head body', '1 ["s"] 200 head the day after'];
    t.strictSame(await foldsOf(store), all);
    t.strictSame(await foldsOf(store, { asOf: 299, to: DAY_ONE + DAY }), ['0 ["s"] 200 head between', all[1]]);
    t.strictSame(await foldsOf(store, { asOf: 99 }), []);
    t.strictSame(await foldsOf(store, { from: DAY_ONE + DAY }), [all[2]]);
    t.strictSame(await foldsOf(store, { headsOnly: true, from: DAY_ONE + DAY }), ['1 ["s"] 200 head ']);
    const again = await reopen();
    t.teardown(() => again.close());
    t.strictSame(await foldsOf(again), all);
  });

  t.test('folds of some resources, and those of none', async (t) => {
    const store = await openFor(t, open);
    await store.appendFolds([row(), row({ series: '["t"]', resourceId: 'r2' }), row({ series: '', resourceId: '' })]);
    t.strictSame(await foldsOf(store, { resourceIds: ['r2'] }), ['0  100 head body', '0 ["t"] 100 head body']);
    t.strictSame(await foldsOf(store, { resourceIds: [] }), ['0  100 head body']);
  });

  t.test('rows of no meter', async (t) => {
    const store = await openFor(t, open);
    const mark = { meter: '', day: 0, resourceId: '', body: '' };
    await store.appendFolds([
      row({ ...mark, series: 'k1', asOf: NOON }),
      row({ ...mark, series: 'k2', asOf: NOON + 5 }),
    ]);
    await store.appendFolds([row({ ...mark, series: 'k1', asOf: NOON + 9 })]);
    const marksAsOf = async (asOf: Micros) =>
      (await collect(store.folds({ meter: '', from: 0, to: DAY, asOf, headsOnly: true })))
        .flat()
        .map(({ series, asOf: at }) => `${series} ${at - NOON}`)
        .sort();
    t.strictSame(await marksAsOf(NOON + 9), ['k1 9', 'k2 5']);
    t.strictSame(await marksAsOf(NOON + 8), ['k1 0', 'k2 5']);
    t.strictSame(await marksAsOf(NOON - 1), []);
  });

  t.test('texts of any length and kind come back', async (t) => {
    const store = await openFor(t, open);
    const text = `${'long, "quoted" \\ 100% ünïcode 😀\n'.repeat(6000)}end`;
    const written = [row({ body: text }), row({ series: `["it's = 1, 2"]`, head: text, body: 'short' })];
    await store.appendFolds(written);
    const query = { meter: 'cpu', from: DAY_ONE, to: DAY_ONE + DAY, asOf: 1_000 };
    const [rows = []] = await collect(store.folds(query));
    const order = (a: FoldRow, b: FoldRow): number => (a.series < b.series ? -1 : 1);
    t.strictSame([...rows].sort(order), [...written].sort(order));
  });

  t.test('many lines in one day', async (t) => {
    const store = await openFor(t, open);
    const rows = Array.from({ length: 3000 }, (_, i) => row({ series: `[${i}]`, body: `${i}` }));
    await store.appendFolds(rows);
    const found = (await collect(store.folds({ meter: 'cpu', from: DAY_ONE, to: DAY_ONE + DAY, asOf: 100 }))).flat();
    t.equal(found.length, 3000);
    t.ok(found.every(({ series, body }) => series === `[${body}]`));
  });

  t.test('fold lines go with their samples, and are not shown near the horizon', async (t) => {
    const store = await openFor(t, open);
    await store.record([makeBatch([{ at: NOON }, { at: NOON + 20 * DAY }])]);
    await store.appendFolds([0, 3, 3 + LOOKBACK / DAY].map((days) => row({ day: DAY_ONE + days * DAY, asOf: days })));
    await store.retain([{ meters: ['cpu'], keepFrom: DAY_ONE + 3 * DAY }]);
    await t.rejects(foldsOf(store), BehindRetention);
    const rest = { from: DAY_ONE + 3 * DAY, to: DAY_ONE + 30 * DAY };
    t.strictSame(await foldsOf(store, rest), ['11 ["s"] 11 head body']);
  });

  t.test('what was stored since, by series, sender and time', async (t) => {
    const store = await openFor(t, open);
    const [first] = await store.record([makeBatch([{ resource: 'r1', at: NOON }], { agentId: 'a' })]);
    const after = first?.recordedAt ?? 0;
    const [, second] = await store.record([
      makeBatch(
        [
          { resource: 'r1', at: NOON + MINUTE, slot: NOON },
          { resource: 'r2', meter: 'm', at: NOON - 3 * DAY },
        ],
        {
          agentId: 'a',
        },
      ),
      makeHeaderless({ resource: 'r1', at: NOON + 5 * HOUR }),
    ]);
    const upTo = second?.recordedAt ?? 0;
    const told = async (query: Parameters<Store['arrivals']>[0]): Promise<string[]> =>
      [...new Set((await collect(store.arrivals(query))).flat().map(spelled))].sort();
    t.strictSame(await told({ after, upTo }), ['cpu r1 a 0 60', 'cpu r1 null 18000 18000', 'm r2 a -259200 -259200']);
    t.strictSame(await told({ after, upTo, meter: 'm' }), ['m r2 a -259200 -259200']);
    t.strictSame(await told({ after, upTo: upTo - 1 }), ['cpu r1 a 0 60', 'm r2 a -259200 -259200']);
    t.strictSame(await told({ after: upTo, upTo: upTo + HOUR }), []);
  });
}

function spelled({ series, agentId, first, last }: Arrival): string {
  return `${series?.meter} ${series?.resourceId} ${agentId} ${(first - NOON) / 1e6} ${(last - NOON) / 1e6}`;
}
