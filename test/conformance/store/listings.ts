import { HOUR, listMeters, listResources } from '@nephometer/core';
import type { SampleQuery } from '@nephometer/core';
import type { Test } from 'tap';
import { makeBatch, NOON, samplesOf } from '../fixtures.ts';
import { variedBatches } from './dataset.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

const QUERIES: readonly SampleQuery[] = [
  {},
  { meter: 'cpu' },
  { resourceId: 'resource-3', source: 'openstack' },
  { projectIds: ['project-1'] },
  { projectIds: [] },
  { userId: 'user-1' },
  { from: { at: NOON + 7 * HOUR, inclusive: true }, to: { at: NOON + 9 * HOUR, inclusive: false } },
  { metadata: [{ path: 'active', value: true }] },
  { messageId: 'id-042' },
  { meter: 'nothing' },
];

export function testListings(t: Test, open: OpenStore): void {
  t.test('meters: one row per series and owner, in order', async (t) => {
    const store = await openFor(t, open);
    const one = { meter: 'b', resource: 'r1' };
    await store.record([
      makeBatch([
        { ...one, at: NOON },
        { ...one, at: NOON + 1 },
        { ...one, project: 'project-2' },
        { ...one, unit: null },
        { ...one, source: 'a' },
        { ...one, resource: 'r0', type: 'gauge', project: null, user: null },
        { ...one, meter: 'a' },
      ]),
    ]);
    const row = { meter: 'b', type: 'cumulative', unit: 'ns', projectId: 'project-1', userId: 'user-1' };
    t.strictSame(await store.meters({}), [
      { ...row, meter: 'a', resourceId: 'r1', source: 'openstack' },
      { ...row, resourceId: 'r0', source: 'openstack', type: 'gauge', projectId: null, userId: null },
      { ...row, resourceId: 'r1', source: 'a' },
      { ...row, resourceId: 'r1', source: 'openstack', unit: null },
      { ...row, resourceId: 'r1', source: 'openstack' },
      { ...row, resourceId: 'r1', source: 'openstack', projectId: 'project-2' },
    ]);
    t.equal((await store.meters({ limit: 2 })).length, 2);
  });

  t.test('resources: described by the newest sample', async (t) => {
    const store = await openFor(t, open);
    await store.record([
      makeBatch([
        { resource: 'r2', at: NOON },
        { resource: 'r1', meter: 'memory', at: NOON + 5, id: 'newest-b', metadata: { name: 'tie' } },
        { resource: 'r1', meter: 'cpu', at: NOON + 5, id: 'newest-a', metadata: { name: 'new' } },
        { resource: 'r1', meter: 'memory', at: NOON - 5, metadata: { name: 'old' } },
        { resource: 'r1', source: 'other', at: NOON },
      ]),
    ]);
    const [first, second, third, ...rest] = await store.resources({});
    t.match(first, { resourceId: 'r1', source: 'openstack', firstTimestamp: NOON - 5, meters: ['cpu', 'memory'] });
    t.equal(first?.newest.messageId, 'newest-a', 'of two at one instant the first by message_id');
    t.match(second, { resourceId: 'r1', source: 'other' });
    t.match(third, { resourceId: 'r2' });
    t.strictSame(rest, []);
    t.equal((await store.resources({ limit: 1 })).length, 1);
  });

  t.test('whatever is asked, the lists are those of the matching samples', async (t) => {
    const store = await openFor(t, open);
    await store.record(variedBatches());
    for (const query of QUERIES) {
      const samples = await samplesOf(store, query);
      t.strictSame(await store.meters(query), listMeters(samples), `meters ${JSON.stringify(query)}`);
      t.strictSame(await store.resources(query), listResources(samples), `resources ${JSON.stringify(query)}`);
    }
  });
}
