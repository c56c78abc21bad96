import t from 'tap';
import { DAY, HOUR, MINUTE } from '../../time.ts';
import { closuresOf } from './closure.ts';
import { foldHours } from './fold.ts';
import { decodeFoldHead, decodeFoldHours, encodeFoldLine } from './fold-line.ts';
import { prepareFacts } from './prepare.ts';
import { sketchCycle, sketchSample, sketchSeries, utc } from './testing.ts';
import { isTouched } from './touch.ts';
import type { Touch } from './touch.ts';
import type { UsageFacts } from './types.ts';

const FROM = utc('2026-03-01');
const PERIOD = { from: FROM, to: FROM + DAY };
const EVERY = { from: FROM - HOUR, to: FROM + DAY + HOUR, every: 10 * MINUTE };

function closures(facts: UsageFacts) {
  const { all, watches } = prepareFacts(facts, null);
  return all.flatMap((one) => closuresOf(one, watches, PERIOD));
}

t.test('a line comes back as it was written, hour by hour', async (t) => {
  const facts = sketchSeries(EVERY, (i) => (i % 40 < 5 ? null : `${i * 2.5}`), { type: 'cumulative', project: 'p' });
  const attributes = ['metadata.flavor', 'project_id'] as const;
  const parameters = { maxHold: null, edge: 'interpolate', asOf: null, attributes } as const;
  const [level, growth] = (['level', 'growth'] as const).map((view) => foldHours(facts, PERIOD, parameters, view));
  const series = level?.[0]?.series;
  if (level === undefined || growth === undefined || series === undefined) throw new TypeError('Nothing was folded.');
  const line = encodeFoldLine({ series, attributes, closures: closures(facts), isSilent: true, level, growth });
  t.strictSame(decodeFoldHead(line.head), { series, attributes, closures: closures(facts), isSilent: true });
  t.strictSame(decodeFoldHours(line, 'level'), level);
  t.strictSame(decodeFoldHours(line, 'growth'), growth);
  t.equal(decodeFoldHours({ ...line, body: line.body.replace('2.5', '3.5') }, 'growth'), null);
  t.equal(decodeFoldHead(line.head.replace('cumulative', 'gauge')), null);
});

t.test('so do gaps that may be of others', async (t) => {
  const owner = (i: number): string => (i < 40 ? 'p' : 'q');
  const samples = [1, 2, 60, 61].map((i) =>
    sketchSample({ at: FROM + i * MINUTE, volume: `${i}`, type: 'cumulative', project: owner(i) }),
  );
  const facts = { samples, cycles: samples.map(({ timestamp: at }) => sketchCycle({ at })) };
  const attributes = ['project_id'] as const;
  const parameters = { maxHold: null, edge: 'interpolate', asOf: null, attributes } as const;
  const [level, growth] = (['level', 'growth'] as const).map((view) => foldHours(facts, PERIOD, parameters, view));
  const series = level?.[0]?.series;
  if (level === undefined || growth === undefined || series === undefined) throw new TypeError('Nothing was folded.');
  t.match(growth[0]?.cells[0]?.claims, [
    { from: FROM + 4 * MINUTE, to: FROM + 60 * MINUTE, step: { isBridge: true }, hidden: null },
  ]);
  const line = encodeFoldLine({ series, attributes, closures: [], isSilent: false, level, growth });
  t.strictSame(decodeFoldHours(line, 'level'), level);
  t.strictSame(decodeFoldHours(line, 'growth'), growth);
});

t.test('what closes a day', async (t) => {
  const whole = sketchSeries(EVERY, () => '1');
  t.strictSame(closures(whole), [{ agentId: 'a', samples: PERIOD.to, watch: PERIOD.to }], 'the reading behind it');
  const gone = sketchSeries(EVERY, (_i, at) => (at < FROM + 5 * HOUR ? '1' : null));
  t.strictSame(
    closures(gone),
    [{ agentId: 'a', samples: null, watch: FROM + 5 * HOUR }],
    'a tick that shows the resource absent closes it to ticks, not to readings',
  );
  const silent = sketchSeries({ ...EVERY, to: FROM + 5 * HOUR }, () => '1');
  t.strictSame(closures(silent), [{ agentId: 'a', samples: null, watch: null }], 'silence closes nothing');
  const deleted = [sketchSample({ at: FROM + HOUR, volume: '1', metadata: { status: 'deleted' } })];
  const facts = { samples: deleted, cycles: [sketchCycle({ at: FROM + HOUR })] };
  t.match(closures(facts), [{ samples: null, watch: FROM + HOUR }], 'a deletion');
});

t.test('what touches a day, and what does not', async (t) => {
  const closed = [{ agentId: 'a', samples: PERIOD.to + 5, watch: PERIOD.to + 5 }];
  const touch = (more: Partial<Touch>): Touch => ({
    kind: 'sample',
    recordedAt: 0,
    meter: 'm',
    resourceId: 'r',
    series: 's',
    agentId: 'a',
    from: PERIOD.to + 6,
    to: PERIOD.to + 6,
    ...more,
  });
  t.notOk(isTouched(touch({}), PERIOD, closed), 'a sample behind the reading behind it');
  t.ok(isTouched(touch({ from: PERIOD.to + 5 }), PERIOD, closed), 'one that might take its place');
  t.ok(isTouched(touch({ agentId: 'b' }), PERIOD, closed), 'one of a new witness');
  t.ok(isTouched(touch({}), PERIOD, null), 'one of a new series');
  t.notOk(isTouched(touch({ from: PERIOD.to + 8 * DAY, to: PERIOD.to + 8 * DAY }), PERIOD, null), 'too far away');
  t.notOk(isTouched(touch({ kind: 'watch' }), PERIOD, closed), 'a tick behind');
  t.ok(isTouched(touch({ kind: 'watch', from: PERIOD.from }), PERIOD, closed), 'a late tick');
  t.notOk(
    isTouched(touch({ kind: 'watch', from: PERIOD.from, agentId: 'b' }), PERIOD, closed),
    'of one that never read it',
  );
  t.notOk(isTouched(touch({ kind: 'loss' }), PERIOD, closed), 'a void of later samples');
  t.ok(isTouched(touch({ kind: 'loss' }), PERIOD, [{ agentId: 'a', samples: null, watch: 5 }]), 'a void, the day open');
  t.ok(isTouched(touch({ kind: 'any' }), PERIOD, closed), 'what a store cannot tell');
});
