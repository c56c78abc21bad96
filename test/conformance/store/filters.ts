import { comparePlace, HOUR, matchesFilter } from '@nephometer/core';
import type { SampleFilter } from '@nephometer/core';
import type { Test } from 'tap';
import { NOON, samplesOf } from '../fixtures.ts';
import { variedBatches } from './dataset.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

const at = (hours: number, inclusive: boolean) => ({ at: NOON + hours * HOUR, inclusive });
const metadata = (path: string, value: string | number | boolean | null) => ({ metadata: [{ path, value }] });

/** Name of a filter, the filter, and how many of the varied samples it must find. */
const CASES: readonly [string, SampleFilter, number | 'some'][] = [
  ['nothing asked', {}, 90],
  ['meter', { meter: 'cpu' }, 30],
  ['meter, whole name only', { meter: 'cp' }, 0],
  ['resource', { resourceId: 'resource-3' }, 18],
  ['source', { source: 'other' }, 9],
  ['user', { userId: 'user-1' }, 44],
  ['one project', { projectIds: ['project-2'] }, 'some'],
  ['several projects', { projectIds: ['project-1', 'project-2', 'nobody'] }, 'some'],
  ['no project', { projectIds: [] }, 0],
  ['message_id', { messageId: 'id-042' }, 1],
  ['unknown message_id', { messageId: 'id-42' }, 0],
  ['from, inclusive', { from: at(7, true) }, 'some'],
  ['from, exclusive', { from: at(7, false) }, 'some'],
  ['to, inclusive', { to: at(7, true) }, 'some'],
  ['to, exclusive', { to: at(7, false) }, 'some'],
  ['one instant', { from: at(7, true), to: at(7, true) }, 'some'],
  ['an empty interval', { from: at(7, true), to: at(7, false) }, 0],
  ['bounds the wrong way round', { from: at(9, true), to: at(7, true) }, 0],
  ['metadata: a string', metadata('host', 'node-1'), 15],
  ['metadata: null', metadata('host', null), 15],
  ['metadata: a boolean', metadata('active', true), 15],
  ['metadata: the text of a boolean', metadata('active', 'true'), 15],
  ['metadata: a number, however spelled', metadata('flavor.id', 1), 30],
  ['metadata: the text of a number', metadata('flavor.id', '1'), 15],
  ['metadata: a fraction', metadata('flavor.id', 1.5), 15],
  ['metadata: 1.0 is 1', metadata('size', 1), 15],
  ['metadata: beyond doubles', metadata('big', 9007199254740992), 0],
  ['metadata: a key with a dot', metadata('metering.stack', 's1'), 15],
  ['metadata: the dotted key, and the nested one', metadata('flavor.name', 'dotted'), 15],
  ['metadata: dots at both levels', metadata('a.b.c.d', 'deep'), 15],
  ['metadata: a key with a colon', metadata('x:y', 1), 15],
  ['metadata: no such path', metadata('no.such.path', null), 0],
  ['metadata: an object is no scalar', metadata('flavor', 'small'), 0],
  [
    'metadata: all conditions',
    { metadata: [...metadata('flavor.id', 1).metadata, ...metadata('active', true).metadata] },
    15,
  ],
  [
    'everything at once',
    { meter: 'cpu', projectIds: ['project-1'], from: at(0, true), ...metadata('active', true) },
    15,
  ],
];

export function testFilters(t: Test, open: OpenStore): void {
  t.test('each filter finds what it says', async (t) => {
    const store = await openFor(t, open);
    const batches = variedBatches();
    await store.record(batches);
    const all = batches.flatMap(({ samples }) => samples);
    for (const [name, filter, count] of CASES) {
      const expected = all
        .filter((sample) => matchesFilter(sample, filter))
        .sort((a, b) => comparePlace(a, b))
        .map(({ messageId }) => messageId);
      if (count === 'some') t.ok(expected.length > 0 && expected.length < 90, `${name}: tells samples apart`);
      else t.equal(expected.length, count, `${name}: the samples are as the case says`);
      const found = (await samplesOf(store, filter)).map(({ messageId }) => messageId);
      t.strictSame(found, expected, name);
    }
  });
  t.test('a batch gives back its own samples, in every listing', async (t) => {
    const store = await openFor(t, open);
    const batches = variedBatches();
    await store.record(batches);
    for (const { digest, samples } of [...batches.slice(0, 3), { digest: 'f'.repeat(64), samples: [] }]) {
      const ids = (list: readonly { readonly messageId: string }[]): string[] =>
        list.map(({ messageId }) => messageId).sort();
      const found = await samplesOf(store, { batchDigest: digest });
      t.strictSame(ids(found), ids(samples));
      t.ok(found.every(({ batchDigest }) => batchDigest === digest));
      const resources = new Set(samples.map(({ resourceId, source }) => `${resourceId} ${source}`));
      t.equal((await store.resources({ batchDigest: digest })).length, resources.size);
      const meters = new Set((await store.meters({ batchDigest: digest })).map(({ meter }) => meter));
      t.strictSame(meters, new Set(samples.map(({ meter }) => meter)));
    }
  });
}
