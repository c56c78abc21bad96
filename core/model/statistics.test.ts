import t from 'tap';
import { parseVolume, toDouble, toText } from '../decimal.ts';
import { JsonNumber } from '../json.ts';
import { MINUTE } from '../time.ts';
import { matchesMetadata, metadataAt } from './metadata.ts';
import { matchesPatterns, patternListProblem } from './patterns.ts';
import type { Sample } from './sample.ts';
import { average, computeStatistics, standardDeviation } from './statistics.ts';
import type { StatisticsQuery } from './statistics.ts';

const START = 1_767_225_600_000_000;

/** Samples from lines of `minute volume [resource] [unit]`. */
function samples(lines: string): Sample[] {
  return lines
    .trim()
    .split('\n')
    .map((line, index) => {
      const [minute = '0', volume = '0', resource = 'r', unit = 'B'] = line.trim().split(/\s+/);
      return {
        messageId: `id-${index}`,
        source: 's',
        meter: 'm',
        type: 'gauge',
        unit,
        volume: parseVolume(volume),
        resourceId: resource,
        projectId: resource === 'r' ? 'p' : null,
        userId: null,
        timestamp: START + Number(minute) * MINUTE,
        metadata: new Map([['flavor', resource === 'r' ? 'small' : 'large']]),
        monotonicTime: null,
        signature: '',
      };
    });
}

const whole: StatisticsQuery = { meter: 'm', period: null, groupBy: [] };

void t.test('ten times 0.1 is 1, as no sum of doubles is', async (t) => {
  const [row] = await computeStatistics(samples('0 0.1\n'.repeat(10)), whole);
  t.equal(row === undefined ? '' : toText(row.sum), '1');
  t.equal(row === undefined ? 0 : average(row), 0.1);
  t.equal(row === undefined ? 1 : standardDeviation(row), 0);
});

void t.test('extremes and sums beyond 2^63 keep every digit', async (t) => {
  const [row] = await computeStatistics(samples('0 9223372036854775807\n1 9223372036854775809\n2 -1'), whole);
  t.equal(row && toText(row.sum), '18446744073709551615');
  t.equal(row && toText(row.min), '-1');
  t.equal(row && toText(row.max), '9223372036854775809');
  t.equal(row && toDouble(row.max), 9223372036854775808);
});

void t.test('buckets are half-open, start where the question starts, and empty ones are left out', async (t) => {
  const readings = samples('0 1\n9 2\n10 4\n35 8');
  const rows = await computeStatistics(readings, {
    ...whole,
    period: 10 * MINUTE,
    from: { at: START, inclusive: true },
  });
  t.same(
    rows.map((row) => [(row.periodStart - START) / MINUTE, toText(row.sum), row.count]),
    [
      [0, '3', 2],
      [10, '4', 1],
      [30, '8', 1],
    ],
  );
  const open = await computeStatistics(samples('7 1\n16 2\n17 4'), { ...whole, period: 10 * MINUTE });
  t.same(
    open.map((row) => (row.periodStart - START) / MINUTE),
    [7, 17],
    'without a start the first sample is it',
  );
});

void t.test('two units give two rows, and groups are split as asked', async (t) => {
  const readings = samples('0 1 r B\n1 2 r kB\n2 4 q B');
  t.same(
    (await computeStatistics(readings, whole)).map((row) => [row.unit, toText(row.sum)]),
    [
      ['B', '5'],
      ['kB', '2'],
    ],
  );
  const byProject = await computeStatistics(readings, {
    ...whole,
    groupBy: ['project_id', 'resource_metadata.flavor'],
  });
  t.same(
    byProject.map((row) => [row.unit, ...row.group.values(), row.count]),
    [
      ['B', 'p', 'small', 1],
      ['kB', 'p', 'small', 1],
      ['B', null, 'large', 1],
    ],
    'a missing project is a group of its own, never a dropped row',
  );
});

void t.test('population deviation and distinct counts', async (t) => {
  const [row] = await computeStatistics(samples('0 2\n1 4 q\n2 4\n3 4\n4 5\n5 5\n6 7\n7 9'), whole);
  t.equal(row && standardDeviation(row), 2);
  t.same(row?.distinct, { resource_id: 2, user_id: 0, project_id: 1 });
  t.same(await computeStatistics([], whole), [], 'no samples, no row');
});

void t.test('metadata is found under nested and dotted keys and compared with its type', (t) => {
  const metadata = new Map([
    ['a', new Map([['b.c', new JsonNumber('1.0')]])],
    ['x.y', 'flat'],
    ['on', true],
  ] as [string, never][]);
  t.equal(metadataAt(metadata, 'x.y'), 'flat');
  t.same(metadataAt(metadata, 'a.b.c'), new JsonNumber('1.0'));
  t.same(metadataAt(metadata, 'a:b.c'), new JsonNumber('1.0'));
  t.equal(metadataAt(metadata, 'a.b'), undefined);
  t.ok(matchesMetadata(metadata, [{ path: 'a.b.c', value: 1 }]));
  t.notOk(matchesMetadata(metadata, [{ path: 'a.b.c', value: '1' }]));
  t.notOk(matchesMetadata(metadata, [{ path: 'on', value: 'true' }]));
  t.ok(matchesMetadata(metadata, [{ path: 'on', value: true }]));
  t.end();
});

void t.test('filter lists: an exclusion loses first, then any inclusion wins', (t) => {
  const cases: [string[], string, boolean][] = [
    [['*'], 'cpu', true],
    [['cpu', 'disk.*'], 'disk.read.bytes', true],
    [['cpu'], 'cpu_util', false],
    [['!disk.*'], 'cpu', true],
    [['!disk.*'], 'disk.read', false],
    [['disk.[rw]*'], 'disk.write', true],
    [['disk.[!rw]*'], 'disk.write', false],
    [['net?'], 'net1', true],
    [['a.b'], 'aXb', false],
  ];
  for (const [patterns, name, expected] of cases)
    t.equal(matchesPatterns(patterns, name), expected, `${patterns.join(' ')}: ${name}`);
  t.match(patternListProblem([]), /at least one/);
  t.match(patternListProblem(['*', 'cpu']), /keep one of the two/);
  t.match(patternListProblem(['cpu', '!disk']), /mixes/);
  t.equal(patternListProblem(['*', '!disk']), null);
  t.match(patternListProblem(['cpu', '[z-a]']), /"\[z-a\]" is no glob/);
  t.match(patternListProblem(['![z-a]']), /is no glob/);
  t.end();
});
