import t from 'tap';
import { parseDecimal } from '../../decimal.ts';
import { HOUR, MINUTE } from '../../time.ts';
import { foldUsage } from './fold.ts';
import { usageQuery } from './query.ts';
import type { UsageLine, UsageQuery } from './query.ts';
import { sketchCycle, sketchSample, sketchSeries, utc } from './testing.ts';
import type { UsageFacts } from './types.ts';

const START = utc('2026-03-03T10:00:00Z');
const at = (minute: number) => START + minute * MINUTE;

/** Lines of `minute value [boot]`, polled by an agent that also ticked in the minutes between, but failed. */
function counter(lines: string): UsageFacts {
  const readings = lines
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const samples = readings.map(([minute, volume = '', boot]) =>
    sketchSample({
      at: at(Number(minute)),
      volume,
      type: 'cumulative',
      unit: 'B',
      metadata: boot === undefined ? {} : { boot_id: boot },
    }),
  );
  const [first, last] = [samples[0]?.timestamp ?? 0, samples.at(-1)?.timestamp ?? 0];
  const cycles = [];
  for (let time = first; time <= last; time += MINUTE) {
    const isRead = samples.some(({ timestamp }) => timestamp === time);
    cycles.push(sketchCycle({ at: time, failed: isRead ? [] : ['r'] }));
  }
  return { samples, cycles };
}

function lines(facts: UsageFacts, asked: Partial<UsageQuery> = {}): readonly UsageLine[] {
  return foldUsage(facts, usageQuery({ kind: 'increase', from: START, to: at(10), gaps: true, ...asked })).lines;
}

const increase = (text: string, asked: Partial<UsageQuery> = {}) => lines(counter(text), asked)[0];

void t.test('growth is the sum of the steps', async (t) => {
  t.match(increase('0 100\n1 160\n2 160\n3 175'), { quantity: '75', unit: 'B', resets: 0, lower: '75' });
});

void t.test('a counter starts again from zero when the instance rebooted', async (t) => {
  const line = increase('0 100\n1 160\n2 15\n10 15', { to: at(2) });
  t.match(line, { quantity: '75', resets: 1, lower: '75', upper: null }, '60 before the reboot, 15 after');
  const bounded = increase('0 100\n1 160\n2 15', { to: at(2), ceiling: parseDecimal('6000') });
  t.equal(bounded?.upper, '175', 'at most 100 a minute, in the minute of the reboot');
});

void t.test('another boot is a reset even where the value is larger', async (t) => {
  t.match(increase('0 100 a\n1 160 a\n2 170 b', { to: at(2) }), { quantity: '230', resets: 1, upper: null });
  t.match(increase('0 100 a\n1 160 a', { to: at(1) }), { quantity: '60', resets: 0, upper: '60' });
});

void t.test('beyond 2^63 every unit counts', async (t) => {
  const line = increase('0 9223372036854775806\n1 9223372036854775808\n2 18446744073709551617', { to: at(2) });
  t.equal(line?.quantity, '9223372036854775811');
});

void t.test(
  'a long step is certain as growth; a reset in it would be hidden, but not from who tells its boot',
  async (t) => {
    t.match(increase('0 0\n10 100'), { quantity: '100', lower: '100', upper: null, coverage: '0.2' });
    t.match(increase('0 0 a\n10 100 a'), { quantity: '100', lower: '100', upper: '100', coverage: '0.2' });
  },
);

void t.test(
  'a step across an edge is shared by time, or given to the side where it ends; both sides add up',
  async (t) => {
    const facts = counter('0 0\n2 10\n4 30');
    const sides = (edge: UsageQuery['edge']) =>
      [lines(facts, { to: at(3), edge }), lines(facts, { from: at(3), to: at(4), edge })].map(
        ([line]) => line?.quantity,
      );
    t.same(sides('interpolate'), ['20', '10']);
    t.same(sides('end'), ['10', '20']);
    const thirds = [0, 1, 2].map((i) => lines(counter('0 0\n3 1'), { from: at(i), to: at(i + 1) })[0]?.quantity);
    t.same(thirds, ['0.333333333333', '0.333333333334', '0.333333333333'], 'to the last digit');
  },
);

void t.test('when the growth of a long step came is not known: bounds of a part say so', async (t) => {
  const facts = counter('0 0 a\n10 100 a');
  t.match(lines(facts, { to: at(5) })[0], { quantity: '50', lower: '0', upper: '100' });
  t.match(lines(facts, { from: at(5), edge: 'end' })[0], { quantity: '100', lower: '0', upper: '100' });
});

void t.test('before the first reading nothing is counted; what it shows may hide there', async (t) => {
  const { samples, cycles } = sketchSeries(
    { from: START, to: at(10), every: MINUTE },
    (i) => (i < 5 ? null : String(1000 + i)),
    { type: 'cumulative', unit: 'B' },
  );
  const line = lines({ samples, cycles }, { to: at(9) })[0];
  t.match(line, { quantity: '4', lower: '4', upper: '1009', samples: 4 });
  t.same(
    line?.gaps.map(({ from, to, reason }) => [from, to, reason]),
    [[at(4), at(5), 'unread']],
  );
});

void t.test('after the last reading, too, nothing is counted, and nothing bounds it', async (t) => {
  const { samples, cycles } = sketchSeries(
    { from: START, to: at(10), every: MINUTE },
    (i) => (i < 5 ? String(i) : null),
    {
      type: 'cumulative',
      unit: 'B',
    },
  );
  const line = lines({ samples, cycles })[0];
  t.match(line, { quantity: '4', upper: null, coverage: '0.8' });
  t.same(
    line?.gaps.map(({ from, to, reason }) => [from, to, reason]),
    [[at(4), at(5), 'unread']],
  );
});

void t.test('deltas are counted where they are, [from, to)', async (t) => {
  const samples = [0, 3, 10].map((minute) =>
    sketchSample({ at: at(minute), volume: '0.1', type: 'delta', agent: null }),
  );
  const sum = (asked: Partial<UsageQuery> = {}) => lines({ samples }, { kind: 'sum', ...asked })[0];
  t.match(sum(), { quantity: '0.2', samples: 2, coverage: null, basis: 'none', upper: null });
  t.equal(sum({ from: at(10), to: at(20) })?.quantity, '0.1', 'what is on the edge is in the later period only');
  const polled = sketchSeries({ from: START, to: at(20), every: MINUTE }, () => '2', { type: 'delta' });
  t.match(lines(polled, { kind: 'sum' })[0], { quantity: '20', coverage: '1', upper: '20' });
});

void t.test('two witnesses of a counter count once, and fill each other', async (t) => {
  const sketch = { type: 'cumulative' as const, unit: 'B' };
  const whole = { from: START, to: START + HOUR, every: MINUTE };
  const a = sketchSeries(whole, (i) => (i < 20 || i >= 40 ? String(i * 7) : null), { ...sketch, agent: 'a' });
  const b = sketchSeries(whole, (i) => String(5000 + i * 7), { ...sketch, agent: 'b' });
  const cycles = [...a.cycles.filter((_, i) => i < 20 || i >= 40), ...b.cycles];
  const line = lines({ samples: [...a.samples, ...b.samples], cycles }, { to: at(59) })[0];
  t.match(line, { quantity: '413', coverage: '1', gaps: [] });
});

void t.test('p95 of five-minute averages is the nearest rank, of counters a second', async (t) => {
  const value = (i: number) => String(i < 600 ? i * 600 : 600 * 600 + (i - 600) * 60_000);
  const facts = sketchSeries({ from: START, to: at(700), every: MINUTE }, value, { type: 'cumulative', unit: 'B' });
  const asked = { kind: 'p95' as const, step: 5 * MINUTE };
  t.match(lines(facts, { ...asked, to: at(600) })[0], { quantity: '10', unit: 'B/s', upper: '10' });
  t.equal(lines(facts, { ...asked, to: at(630) })[0]?.quantity, '10', '6 of 126 steps are above');
  t.equal(lines(facts, { ...asked, to: at(635) })[0]?.quantity, '1000', '7 of 127 are');
});

void t.test('a resource that ended while its agent was silent is a gap with that reason, after a hold', async (t) => {
  const { samples, cycles } = sketchSeries(
    { from: START, to: at(10), every: MINUTE },
    (i) => (i < 3 || i === 9 ? String(i) : null),
    { type: 'cumulative', unit: 'B' },
  );
  const heard = cycles.filter(({ report }) => report.scheduled <= at(2) || report.scheduled >= at(7));
  const gaps = [
    [at(2), at(4), 'unread'],
    [at(4), at(7), 'agent-silent'],
  ];
  const gapsOf = (line: UsageLine | undefined) => line?.gaps.map(({ from, to, reason }) => [from, to, reason]);
  const ended = lines({ samples: samples.filter(({ timestamp }) => timestamp < at(9)), cycles: heard })[0];
  t.same(gapsOf(ended), gaps, 'for good');
  const back = lines({ samples, cycles: heard }, { to: at(9) })[0];
  t.same(gapsOf(back), [...gaps, [at(8), at(9), 'unread']], 'or until it came back');
});
