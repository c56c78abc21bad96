import t from 'tap';
import { DAY, HOUR, MINUTE } from '../../time.ts';
import { foldUsage } from './fold.ts';
import { usageQuery } from './query.ts';
import type { UsageQuery } from './query.ts';
import { parseFraction } from './fraction.ts';
import { parseDecimal } from '../../decimal.ts';
import { sketchSample, sketchSeries, utc } from './testing.ts';
import type { UsageFacts } from './types.ts';
import { resolveInstant } from './windows.ts';

/** Errors that other meters make, each asked of ours. */
const quantities = (facts: UsageFacts, asked: Pick<UsageQuery, 'kind' | 'from' | 'to'> & Partial<UsageQuery>) =>
  foldUsage(facts, usageQuery(asked)).lines.map(({ quantity }) => quantity);

const START = utc('2026-03-03T10:00:00Z');
const hour = { from: START, to: START + HOUR, every: MINUTE };

void t.test('an instance of the first 5 minutes is not an hour, one of the last 55 is not nothing', async (t) => {
  const early = sketchSeries(hour, (i) => (i < 5 ? '1' : null));
  const late = sketchSeries(hour, (i) => (i >= 5 ? '1' : null));
  t.same(quantities(early, { kind: 'duration', ...hour }), ['0.083333333333']);
  t.same(quantities(late, { kind: 'duration', ...hour }), ['0.916666666667']);
});

void t.test('month ends do not move by an hour when the clock does', async (t) => {
  const tz = 'Europe/Berlin';
  const period = { from: resolveInstant('2026-01-01', tz), to: resolveInstant('2027-01-01', tz) };
  const facts = sketchSeries({ ...period, every: HOUR }, () => '1');
  const months = quantities(facts, { kind: 'duration', ...period, window: 'month', tz });
  t.same(months.slice(2, 4), ['743', '720']);
  t.same(months.slice(9, 11), ['745', '720']);
  t.same(quantities(facts, { kind: 'duration', ...period }), ['8760'], 'each hour in one month');
});

void t.test('a constant 1 averages to 1 in months of a clock change', async (t) => {
  const tz = 'Europe/Berlin';
  for (const [from, to] of [
    ['2026-03-01', '2026-04-01'],
    ['2026-10-01', '2026-11-01'],
  ] as const) {
    const period = { from: resolveInstant(from, tz), to: resolveInstant(to, tz) };
    t.same(
      quantities(
        sketchSeries({ ...period, every: HOUR }, () => '1'),
        { kind: 'avg', ...period },
      ),
      ['1'],
    );
  }
});

void t.test('a sample on the boundary is in one hour only', async (t) => {
  const samples = [0, 60, 120].map((minute) =>
    sketchSample({ at: START + minute * MINUTE, volume: '1', type: 'delta' }),
  );
  const asked = { from: START, to: START + 3 * HOUR, window: 'hour' as const };
  t.same(quantities({ samples }, { kind: 'sum', ...asked }), ['1', '1', '1']);
  t.same(quantities({ samples }, { kind: 'count', ...asked }), ['1', '1', '1']);
});

void t.test('levels are not scaled by the share of the window that a flavor covers', async (t) => {
  const { cycles } = sketchSeries(hour, () => '4');
  const samples = cycles.map(({ report }, i) =>
    sketchSample({ at: report.scheduled, volume: '4', metadata: { flavor: i < 15 ? 's' : 'l' } }),
  );
  const groupBy = ['metadata.flavor'] as const;
  t.same(quantities({ samples, cycles }, { kind: 'max', ...hour, groupBy }), ['4', '4']);
  t.same(quantities({ samples, cycles }, { kind: 'integral', ...hour, groupBy }), ['3', '1']);
});

void t.test('silence is not zero: the line is there, and says that it does not know', async (t) => {
  const { samples, cycles } = sketchSeries(hour, () => '1');
  const lines = foldUsage(
    { samples: samples.slice(0, 1), cycles: cycles.slice(0, 1) },
    usageQuery({ kind: 'max', from: START + 30 * MINUTE, to: START + HOUR }),
  ).lines;
  t.match(lines, [{ quantity: null, coverage: '0', lower: null, upper: null }]);
});

void t.test('late, repeated and reordered samples give the same figure', async (t) => {
  const { samples, cycles } = sketchSeries(hour, (i) => String(i % 7));
  const asked = { kind: 'integral' as const, ...hour };
  const again = [...samples.toReversed(), ...samples];
  t.same(quantities({ samples: again, cycles: cycles.toReversed() }, asked), quantities({ samples, cycles }, asked));
});

void t.test('microseconds count, and of samples in one second the last holds', async (t) => {
  const samples = [1, 2, 3].map((i) => sketchSample({ at: START + i, volume: String(i), agent: null }));
  t.same(quantities({ samples }, { kind: 'last', ...hour }), ['3']);
  t.same(quantities({ samples }, { kind: 'count', ...hour }), ['3']);
});

void t.test('a resize within the hour is a step, not the last value of the hour', async (t) => {
  const facts = sketchSeries(hour, (i) => (i < 20 ? '10' : '40'));
  t.same(quantities(facts, { kind: 'integral', ...hour }), ['30']);
});

void t.test('peak is of one instant: machines that do not overlap do not add up', async (t) => {
  const one = sketchSeries(hour, (i) => (i < 30 ? '4' : null), { resource: 'x' });
  const two = sketchSeries(hour, (i) => (i >= 30 ? '3' : null), { resource: 'y' });
  const three = sketchSeries(hour, (i) => (i >= 40 ? '2' : null), { resource: 'z' });
  const facts = { samples: [...one.samples, ...two.samples, ...three.samples], cycles: one.cycles };
  t.same(quantities(facts, { kind: 'peak', ...hour }), ['5']);
  t.same(quantities(facts, { kind: 'distinct', ...hour }), ['3']);
  t.same(quantities(facts, { kind: 'peak', ...hour, window: 'minute', to: START + 2 * MINUTE }), ['4', '4']);
});

void t.test('rounding: by sample, by resource, by period; ceil to a minute, at least a minute', async (t) => {
  const x = sketchSeries({ ...hour, every: 10_000_000 }, (i) => (i < 1 ? '1.2' : null), { resource: 'x' });
  const y = sketchSeries({ ...hour, every: 10_000_000 }, (i) => (i < 13 ? '1.2' : null), { resource: 'y' });
  const facts = { samples: [...x.samples, ...y.samples], cycles: x.cycles };
  const minute = { how: 'ceil', to: parseFraction('1/60'), minimum: parseDecimal('0.05') } as const;
  const ask = (where: 'resource' | 'period') =>
    foldUsage(facts, usageQuery({ kind: 'duration', ...hour, rounding: { ...minute, where } })).lines[0];
  t.match(ask('period'), { quantity: '0.05', unrounded: '0.038888888889' }, 'two minutes and 20 seconds, three begun');
  t.match(ask('resource'), { quantity: '0.1' }, 'one minute, which counts as three, and three');
  const rounding = { where: 'sample', how: 'half-up', to: parseFraction('1'), minimum: null } as const;
  t.same(quantities(facts, { kind: 'max', ...hour, rounding }), ['1']);
});

void t.test('units are converted exactly, and series of other units are named, not added', async (t) => {
  const mib = sketchSeries(hour, () => '512', { resource: 'x', unit: 'MiB' });
  const other = sketchSeries(hour, () => '7', { resource: 'y', unit: 'pages' });
  const facts = { samples: [...mib.samples, ...other.samples], cycles: mib.cycles };
  const conversion = new Map([['MiB', parseFraction('1/1024')]]);
  const { lines, skipped } = foldUsage(facts, usageQuery({ kind: 'integral', ...hour, conversion, unit: 'GiB.h' }));
  t.match(lines, [{ quantity: '0.5', unit: 'GiB.h' }]);
  t.match(skipped, [{ series: { resourceId: 'y' }, reason: 'unit' }]);
  t.match(foldUsage(facts, usageQuery({ kind: 'increase', ...hour })).skipped, [
    { reason: 'type' },
    { reason: 'type' },
  ]);
});

void t.test(
  'a flag of 1 or 0 points in the hour is not the hour: each of its twelve points counts for its time',
  async (t) => {
    const five = { ...hour, every: 5 * MINUTE };
    for (const [name, isOn, hours] of [
      ['first of twelve', (i: number) => i === 0, '0.083333333333'],
      ['all but the first', (i: number) => i > 0, '0.916666666667'],
    ] as const) {
      const flag = sketchSeries({ ...five, to: START + 2 * HOUR }, (i) => (isOn(i % 12) ? '1' : '0'));
      t.same(quantities(flag, { kind: 'integral', ...hour }), [hours], name);
      t.same(quantities(flag, { kind: 'integral', from: START, to: START + 2 * HOUR, window: 'hour' }), [hours, hours]);
    }
  },
);

void t.test('the other side of a boundary: what is sampled on `to` is not in the period', async (t) => {
  const points = [0, 60].map((minute) =>
    sketchSample({ at: START + minute * MINUTE, volume: '1', type: 'delta', agent: null }),
  );
  for (const kind of ['sum', 'count'] as const) {
    t.same(quantities({ samples: points }, { kind, ...hour }), ['1'], `${kind}: half-open`);
    t.same(quantities({ samples: points }, { kind, from: START + 1, to: START + HOUR + 1 }), ['1'], `${kind}: moved`);
  }
  const levels = sketchSeries({ ...hour, to: START + HOUR + MINUTE }, (i) => (i === 60 ? '9' : '1'));
  for (const kind of ['max', 'last'] as const) t.same(quantities(levels, { kind, ...hour }), ['1'], kind);
});

void t.test(
  'silence is not stepped over: the hour is answered, with its gap, and whole when its samples come',
  async (t) => {
    const { samples, cycles } = sketchSeries({ ...hour, to: START + 3 * HOUR }, () => '1');
    const isMiddle = (at: number): boolean => at >= START + HOUR && at < START + 2 * HOUR;
    const late = START + DAY;
    const facts = {
      samples: samples.map((one) => (isMiddle(one.timestamp) ? { ...one, recordedAt: late } : one)),
      cycles: cycles.map((one) => (isMiddle(one.report.scheduled) ? { ...one, recordedAt: late } : one)),
    };
    const asked = { kind: 'duration' as const, from: START, to: START + 3 * HOUR, window: 'hour' as const, gaps: true };
    const before = foldUsage(facts, usageQuery({ ...asked, asOf: late - 1 })).lines;
    t.match(
      before[1],
      { quantity: '0.016666666667', upper: '1', gaps: [{ reason: 'agent-silent' }] },
      'held a minute on',
    );
    t.same(quantities(facts, { ...asked, asOf: late }), ['1', '1', '1']);
    t.same(quantities({ samples: [...samples, ...samples], cycles }, asked), ['1', '1', '1'], 'an hour stored twice');
  },
);

void t.test(
  'ties of a whole second: of two readings at one instant the answer does not depend on who comes first',
  async (t) => {
    const two = ['b', 'a'].map((id) => sketchSample({ at: START, volume: id === 'a' ? '1' : '2', id, agent: null }));
    const answers = [two, two.toReversed()].map((samples) => quantities({ samples }, { kind: 'last', ...hour }));
    t.same(answers[0], answers[1]);
  },
);

void t.test('levels of a window with two revisions: an average is of the level, not of its share', async (t) => {
  const { cycles } = sketchSeries(hour, () => '4');
  const samples = cycles.map(({ report }, i) =>
    sketchSample({ at: report.scheduled, volume: '4', metadata: { flavor: i < 15 ? 's' : 'l' } }),
  );
  const asked = { kind: 'avg' as const, ...hour, groupBy: ['metadata.flavor'] as const };
  t.same(quantities({ samples, cycles }, asked), ['4', '4']);
});
