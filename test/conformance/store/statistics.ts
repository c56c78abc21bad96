import { computeStatistics, DAY, HOUR, SECOND, toText } from '@nephometer/core';
import type { StatisticsQuery, StatisticsRow } from '@nephometer/core';
import type { Test } from 'tap';
import { makeBatch, NOON, samplesOf } from '../fixtures.ts';
import type { Reading } from '../fixtures.ts';
import { variedBatches } from './dataset.ts';
import { openFor } from './opened.ts';
import type { OpenStore } from './opened.ts';

const whole: StatisticsQuery = { meter: 'cpu', period: null, groupBy: [] };
const from = { at: NOON + 3 * HOUR + 1, inclusive: true };

const QUERIES: readonly StatisticsQuery[] = [
  whole,
  { ...whole, meter: 'disk.size' },
  { ...whole, meter: 'nothing' },
  { ...whole, period: HOUR },
  { ...whole, period: 7 * SECOND, from },
  { ...whole, period: 5 * HOUR, from: { ...from, inclusive: false } },
  { ...whole, period: DAY, to: { at: NOON + 20 * HOUR, inclusive: false } },
  { ...whole, groupBy: ['project_id'] },
  { ...whole, groupBy: ['user_id', 'resource_id', 'source'] },
  { ...whole, period: 6 * HOUR, groupBy: ['resource_id'] },
  { ...whole, groupBy: ['resource_metadata.flavor.id'] },
  { ...whole, period: DAY, groupBy: ['resource_metadata.active', 'project_id'] },
  { ...whole, groupBy: ['source'], projectIds: ['project-1'], metadata: [{ path: 'active', value: true }] },
  { ...whole, projectIds: [] },
];

/** Rows with figures as text: of equal volumes it does not matter which spelling was kept. */
function asText(rows: readonly StatisticsRow[]): unknown[] {
  return rows.map(({ sum, min, max, sumOfSquares, ...row }) => ({
    ...row,
    figures: [sum, min, max, sumOfSquares].map(toText),
  }));
}

export function testStatistics(t: Test, open: OpenStore): void {
  t.test('whatever is asked, the figures are those of the matching samples, to the last digit', async (t) => {
    const store = await openFor(t, open);
    await store.record(variedBatches());
    for (const query of QUERIES) {
      const samples = await samplesOf(store, query);
      const expected = await computeStatistics(samples, query);
      t.strictSame(asText(await store.statistics(query)), asText(expected), JSON.stringify(query));
    }
  });

  t.test('figures stay exact beyond what a double, and what 128 bits, can hold', async (t) => {
    const sets: Record<string, string[]> = {
      doubles: ['9007199254740993', '9007199254740993', '0.1', '0.2'],
      '2^63': ['9223372036854775808', '9223372036854775807', '-9223372036854775809'],
      '38 digits': ['9'.repeat(38), '9'.repeat(38), `-0.${'0'.repeat(37)}1`],
      'small fractions': ['0.000000000000000000000000000000001', '1e-38', '-1e-38', '1e37'],
      'negative zeros': ['-0', '0.0', '0e5'],
      'mixed scales': ['1', '1.5', '1.25', '-3.75', '100', '1e2'],
    };
    const store = await openFor(t, open);
    const readings = Object.entries(sets).flatMap(([meter, volumes]) =>
      volumes.map((volume, i): Reading => ({ meter, volume, at: NOON + i, resource: `r${i}` })),
    );
    await store.record([makeBatch(readings)]);
    for (const meter of Object.keys(sets)) {
      for (const period of [null, 2]) {
        const query = { ...whole, meter, period };
        const expected = await computeStatistics(await samplesOf(store, { meter }), query);
        t.strictSame(asText(await store.statistics(query)), asText(expected), `${meter}, period ${period}`);
      }
    }
    const [huge] = await store.statistics({ ...whole, meter: '38 digits' });
    t.equal(huge && toText(huge.sum), `1${'9'.repeat(37)}7.${'9'.repeat(38)}`);
    const [small] = await store.statistics({ ...whole, meter: 'mixed scales' });
    t.strictSame(small && [small.sum, small.min, small.max].map(toText), ['200', '-3.75', '100']);
  });

  t.test('one row a unit and bucket, with distinct owners counted', async (t) => {
    const store = await openFor(t, open);
    await store.record([
      makeBatch([
        { meter: 'm', unit: 'B', volume: '1', at: NOON, resource: 'r1' },
        { meter: 'm', unit: 'B', volume: '2', at: NOON + 59 * SECOND, resource: 'r2', project: null },
        { meter: 'm', unit: 'B', volume: '4', at: NOON + 60 * SECOND, user: 'user-2' },
        { meter: 'm', unit: null, volume: '8', at: NOON + 61 * SECOND },
      ]),
    ]);
    const rows = await store.statistics({ ...whole, meter: 'm', period: 60 * SECOND });
    t.strictSame(
      rows.map((row) => [row.unit, row.periodStart - NOON, row.count, toText(row.sum), row.distinct]),
      [
        ['B', 0, 2, '3', { resource_id: 2, user_id: 1, project_id: 1 }],
        ['B', 60 * SECOND, 1, '4', { resource_id: 1, user_id: 1, project_id: 1 }],
        [null, 60 * SECOND, 1, '8', { resource_id: 1, user_id: 1, project_id: 1 }],
      ],
    );
  });
}
