import { DAY, MINUTE, seriesKey } from '@nephometer/core';
import type { EdgesQuery, Store } from '@nephometer/core';
import type { Test } from 'tap';
import { makeBatch, makeHeaderless, NOON } from '../fixtures.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

const at = (minute: number): number => NOON + minute * MINUTE;

async function edges(store: Store, more: Partial<EdgesQuery> = {}): Promise<string[]> {
  const query = { meter: 'cpu', side: 'newest', from: at(0), to: at(100), ...more } as const;
  return (await store.edges(query))
    .map(
      ({ series, timestamp, agentIds }) =>
        `${series.resourceId}${series.source === 'openstack' ? '' : ` of ${series.source}`} ${(timestamp - NOON) / MINUTE} ${agentIds.map((id) => id ?? '-').join()}`,
    )
    .sort();
}

/** The newest and the oldest sample of each series. */
export function testEdges(t: Test, open: OpenStore): void {
  const fill = async (store: Store): Promise<number> => {
    const reading = (resource: string, minute: number, project = 'p') => ({ resource, project, at: at(minute) });
    const [first] = await store.record([
      makeBatch([reading('r1', 1), reading('r1', 2), reading('r2', 3), reading('r3', 9)], { agentId: 'a' }),
      makeBatch([{ ...reading('r1', 30), meter: 'memory' }], { agentId: 'a' }),
    ]);
    await store.record([
      makeBatch([reading('r1', 4, 'q'), reading('r2', 5)], { agentId: 'b' }),
      makeHeaderless({ ...reading('r2', 5), volume: '7', id: 'the same instant' }),
      makeHeaderless({ ...reading('r2', 8), source: 'other', id: 'another source' }),
      makeBatch([reading('r2', 200)], { agentId: 'b' }),
    ]);
    return first?.recordedAt ?? 0;
  };

  t.test('of each series, whoever owned it and whoever sent it', async (t) => {
    const store = await openFor(t, open);
    t.strictSame(await edges(store), []);
    const first = await fill(store);
    t.strictSame(await edges(store), ['r1 4 b', 'r2 5 b,-', 'r2 of other 8 -', 'r3 9 a']);
    t.strictSame(await edges(store, { side: 'oldest' }), ['r1 1 a', 'r2 3 a', 'r2 of other 8 -', 'r3 9 a']);
    t.strictSame(await edges(store, { asOf: first }), ['r1 2 a', 'r2 3 a', 'r3 9 a']);
  });

  t.test('of a stretch of time, half-open, of some resources, and without some series', async (t) => {
    const store = await openFor(t, open);
    await fill(store);
    t.strictSame(await edges(store, { from: at(2), to: at(5) }), ['r1 4 b', 'r2 3 a']);
    t.strictSame(await edges(store, { from: at(2), to: at(5), side: 'oldest' }), ['r1 2 a', 'r2 3 a']);
    t.strictSame(await edges(store, { resourceIds: ['r2', 'none'], to: at(300) }), ['r2 200 b', 'r2 of other 8 -']);
    t.strictSame(await edges(store, { resourceIds: [] }), []);
    t.strictSame(await edges(store, { from: at(300), to: at(400) }), []);
    const series = (await store.edges({ meter: 'cpu', side: 'newest', from: at(0), to: at(100) })).map(
      (one) => one.series,
    );
    const except = new Set(series.filter(({ resourceId }) => resourceId !== 'r3').map(seriesKey));
    t.strictSame(await edges(store, { except }), ['r3 9 a']);
    t.strictSame(await edges(store, { except: new Set(series.map(seriesKey)) }), []);
  });

  t.test('of what was set aside, voided, or lies behind retention the next one counts', async (t) => {
    const store = await openFor(t, open);
    await fill(store);
    const selector = { meter: 'cpu', resource_id: 'r1', from: at(2), to: at(9) };
    const body = JSON.stringify({ selector, who: 'operator', by: 'admin', why: 'a faulty clock', at: 1 });
    const { recordedAt } = await store.appendEntry({ kind: 'void', id: 'void', body });
    await store.record([makeHeaderless({ resource: 'r2', at: at(5), volume: '9', id: 'the same instant' })]);
    t.strictSame(await edges(store), ['r1 1 a', 'r2 5 b', 'r2 of other 8 -', 'r3 9 a']);
    t.ok((await edges(store, { asOf: recordedAt - 1 })).includes('r1 4 b'));
    await store.record([makeBatch([{ resource: 'r1', at: at(2 * 24 * 60) }], { agentId: 'c' })]);
    await store.retain([{ meters: ['cpu'], keepFrom: NOON + DAY }]);
    t.strictSame(await edges(store, { to: at(3 * 24 * 60) }), ['r1 2880 c']);
  });
}
