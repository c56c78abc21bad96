import t from 'tap';
import { DAY, formatInstant, HOUR, MINUTE } from '../../time.ts';
import { foldUsage } from './fold.ts';
import { usageQuery } from './query.ts';
import type { UsageLine, UsageQuery } from './query.ts';
import { sketchCycle, sketchSample, sketchSeries, utc } from './testing.ts';
import type { LostSpan, UsageFacts } from './types.ts';

const START = utc('2026-03-03T10:00:00Z');
const at = (minute: number) => START + minute * MINUTE;
const hour = { from: START, to: START + HOUR, every: MINUTE };

function only(facts: UsageFacts, asked: Partial<UsageQuery> = {}): UsageLine {
  const query = usageQuery({ kind: 'duration', from: START, to: START + HOUR, gaps: true, ...asked });
  const { lines } = foldUsage(facts, query);
  if (lines.length !== 1 || lines[0] === undefined) throw new Error(`Found ${lines.length} lines; one would be right.`);
  return lines[0];
}

const gapsOf = ({ gaps }: UsageLine) =>
  gaps.map(
    ({ from, to, reason }) => `${formatInstant(from).slice(11, 16)}-${formatInstant(to).slice(11, 16)} ${reason}`,
  );

const inMinutes = (line: UsageLine) => Math.round(Number(line.quantity) * 60);

const lost = (span: Partial<LostSpan>): LostSpan => ({
  reason: 'quarantined',
  from: START,
  to: START,
  agentId: 'a',
  source: null,
  meter: null,
  resourceId: null,
  recordedAt: START,
  ...span,
});

void t.test('an hour of readings each minute is an hour, measured', async (t) => {
  const line = only(sketchSeries(hour, () => '1'));
  t.match(line, {
    quantity: '1',
    unit: 'h',
    lower: '1',
    upper: '1',
    coverage: '1',
    basis: 'cycles',
    samples: 60,
    gaps: [],
  });
});

void t.test('an agent that is silent for 20 minutes leaves a gap, and the bounds hold the truth', async (t) => {
  const { samples, cycles } = sketchSeries(hour, () => '1');
  const isThere = (time: number) => time < at(20) || time >= at(40);
  const facts = {
    samples: samples.filter(({ timestamp }) => isThere(timestamp)),
    cycles: cycles.filter(({ report }) => isThere(report.scheduled)),
  };
  const line = only(facts);
  t.same(gapsOf(line), ['10:21-10:40 agent-silent'], 'the last reading holds for two intervals');
  t.match(line, { quantity: '0.683333333333', lower: '0.683333333333', upper: '1', coverage: '0.683333' });
  const volume = only(facts, { kind: 'integral', estimate: 'previous' });
  t.match(volume, { upper: null, estimated: '1' }, 'nothing says how large a volume was while nobody looked');
});

void t.test('a resource that a complete tick does not show is not there, and that is no gap', async (t) => {
  const line = only(sketchSeries(hour, (i) => (i < 20 ? '1' : null)));
  t.equal(inMinutes(line), 20, 'until the first tick without it');
  t.match(line, { coverage: '1', gaps: [], upper: line.quantity });
});

void t.test('a resource that comes and goes is there in between only', async (t) => {
  const line = only(sketchSeries(hour, (i) => ((i >= 10 && i < 20) || i >= 50 ? '1' : null)));
  t.equal(inMinutes(line), 20);
  t.same(gapsOf(line), []);
});

const failures = [
  ['its resource failed', { failed: ['r'] }, 'pollster-failed'],
  ['the pollster failed', { error: 'timeout' }, 'pollster-failed'],
  ['discovery failed', { complete: false }, 'pollster-failed'],
  ['the tick was skipped', { skipped: true }, 'overrun'],
  ['the device of a resource that failed', { failed: ['vm'] }, 'pollster-failed'],
] as const;
for (const [what, cycle, reason] of failures) {
  void t.test(`no reading since ${what}: a gap, not an absence`, async (t) => {
    const resource = what.startsWith('the device') ? 'vm-vda' : 'r';
    const { samples, cycles } = sketchSeries(hour, (i) => (i < 20 || i >= 30 ? '1' : null), { resource });
    const broken = cycles.map((known, i) => (i < 20 || i >= 30 ? known : sketchCycle({ at: at(i), ...cycle })));
    const line = only({ samples, cycles: broken });
    t.same(gapsOf(line), [`10:21-10:30 ${reason}`]);
  });
}

void t.test('what failed in a pollster of other meters says nothing of this one', async (t) => {
  const { samples, cycles } = sketchSeries(hour, (i) => (i < 20 || i >= 30 ? '1' : null));
  const failing = (failedMeters: readonly string[]) =>
    cycles.map((known, i) =>
      i < 20 || i >= 30 ? known : sketchCycle({ at: at(i), failed: ['r'], error: 'timeout', failedMeters }),
    );
  t.same(gapsOf(only({ samples, cycles: failing(['other']) })), [], 'it was not there');
  t.same(gapsOf(only({ samples, cycles: failing(['other', 'm']) })), ['10:21-10:30 pollster-failed']);
});

void t.test('one missed tick is held over', async (t) => {
  const { samples, cycles } = sketchSeries(hour, (i) => (i === 20 ? null : '1'));
  const broken = cycles.map((known, i) => (i === 20 ? sketchCycle({ at: at(i), failed: ['r'] }) : known));
  t.match(only({ samples, cycles: broken }), { quantity: '1', gaps: [] });
});

void t.test('samples that the spool had to drop are a gap with that reason, and prove no absence', async (t) => {
  const { samples, cycles } = sketchSeries(hour, (i) => (i < 20 || i >= 30 ? '1' : null));
  const dropped = [{ reason: 'spool-full' as const, samples: 10, from: at(20), to: at(29) }];
  const told = cycles.map((known, i) => (i === 30 ? sketchCycle({ at: at(i), dropped }) : known));
  t.same(gapsOf(only({ samples, cycles: told })), ['10:21-10:30 spool-overflow']);
});

void t.test('batches that are missing, or were refused, are gaps with that reason', async (t) => {
  const { samples, cycles } = sketchSeries(hour, (i) => (i < 20 || i >= 30 ? '1' : null));
  const without = cycles.filter((_, i) => i < 20 || i >= 30);
  const missing = lost({ reason: 'not-yet-arrived', from: at(19), to: at(30) });
  t.same(gapsOf(only({ samples, cycles: without, lost: [missing] })), ['10:21-10:30 not-yet-arrived']);
  const refused = lost({ from: at(20), to: at(29) });
  const line = only({ samples, cycles: without, lost: [refused, missing] });
  t.same(
    gapsOf(line),
    ['10:20-10:30 quarantined'],
    'a reading was taken at 10:20, so the one before does not hold over it',
  );
});

void t.test('a refused message does not take away what the agent itself said', async (t) => {
  const line = only({ ...sketchSeries(hour, () => '1'), lost: [lost({ from: at(5), to: at(50) })] });
  t.match(line, { quantity: '1', gaps: [] });
});

void t.test('a reading in conflict, or voided, ends the one before, up to the next', async (t) => {
  const { samples, cycles } = sketchSeries(hour, (i) => (i === 20 ? null : '1'));
  const conflict = lost({ reason: 'conflict', from: at(20), to: at(20), resourceId: 'r' });
  t.same(gapsOf(only({ samples, cycles, lost: [conflict] })), ['10:20-10:21 conflict']);
  const whole = sketchSeries(hour, () => '1');
  const voids = [{ recordedAt: at(70), from: at(20), to: at(25) }];
  t.same(gapsOf(only({ ...whole, voids })), ['10:20-10:25 voided']);
  const corrected = sketchSample({ at: at(20), volume: '2', id: 'corrected', recorded: at(80) });
  const line = only({ cycles: whole.cycles, voids, samples: [...whole.samples, corrected] });
  t.same(gapsOf(line), ['10:21-10:25 voided'], 'what is sent after the void counts');
});

void t.test('a deletion ends the hold at once', async (t) => {
  const deletions = [
    { deleted: true },
    { deleted_at: '2026-03-03T10:20:30' },
    { event_type: 'volume.delete.end' },
    { status: 'DELETED' },
  ];
  for (const metadata of deletions) {
    const last = sketchSample({ at: at(20), volume: '1', agent: null, metadata });
    const line = only({ samples: [sketchSample({ at: START, volume: '1', agent: null }), last] });
    t.equal(inMinutes(line), 20);
    t.same(line.gaps, []);
  }
  const alive = { deleted: false, deleted_at: '', event_type: 'volume.delete.start', status: 'deleting' };
  const line = only({ samples: [sketchSample({ at: START, volume: '1', agent: null, metadata: alive })] });
  t.equal(inMinutes(line), 60);
});

void t.test('max_hold: twice the interval, an hour where none is known, or as asked', async (t) => {
  const alone = [sketchSample({ at: START, volume: '1' })];
  t.equal(inMinutes(only({ samples: alone }, { to: at(180) })), 60);
  t.equal(inMinutes(only({ samples: alone, cycles: [sketchCycle({ at: START, interval: 5 * MINUTE })] })), 10);
  t.equal(
    inMinutes(only({ samples: alone, cycles: [sketchCycle({ at: START, interval: null })] }, { to: at(180) })),
    60,
  );
  t.equal(inMinutes(only({ samples: alone }, { maxHold: 7 * MINUTE })), 7);
});

void t.test('a sender without cycle reports is covered by its cadence, and that is said', async (t) => {
  const samples = [0, 10, 20, 30, 40, 50].map((m) => sketchSample({ at: at(m), volume: '1', agent: null }));
  const line = only({ samples }, { to: at(180) });
  t.match(line, { basis: 'cadence', quantity: '1.833333333333' }, 'held for an hour after the last');
  t.equal(line.coverage, '0.388888', 'of three hours 50 minutes and twice the cadence are covered');
  t.same(gapsOf(line), ['11:50-13:00 agent-silent']);
  const two = only({ samples: samples.slice(0, 1) }, { to: at(180) });
  t.same(gapsOf(two), ['11:00-13:00 no-cadence']);
});

void t.test('of two witnesses the lowest agent_id counts, the other fills its gaps', async (t) => {
  const a = sketchSeries(hour, (i) => (i < 20 || i >= 40 ? '1' : null), { agent: 'a' });
  const b = sketchSeries(hour, () => '3', { agent: 'b' }, { agent: 'b' });
  const silent = a.cycles.filter((_, i) => i < 20 || i >= 40);
  const facts = { samples: [...a.samples, ...b.samples], cycles: [...silent, ...b.cycles] };
  const line = only(facts, { kind: 'integral' });
  t.match(line, { coverage: '1', gaps: [], quantity: '1.633333333333' }, '41 minutes of 1 and 19 of 3');
  t.equal(only(facts, { kind: 'count' }).quantity, '59', 'each instant is counted once');
});

void t.test('a machine that moved to another agent is not missed on the one that died', async (t) => {
  const a = sketchSeries({ ...hour, to: at(20) }, () => '1', { agent: 'a' });
  const b = sketchSeries({ ...hour, from: at(20) }, (i) => (i < 20 ? '1' : null), { agent: 'b' }, { agent: 'b' });
  const line = only({ samples: [...a.samples, ...b.samples], cycles: [...a.cycles, ...b.cycles] });
  t.match(line, { coverage: '1', gaps: [] });
  t.equal(inMinutes(line), 40, 'b saw it go');
});

void t.test('of the time after as_of nothing is known, nor of what was recorded later', async (t) => {
  const facts = sketchSeries(hour, () => '1');
  const line = only(facts, { asOf: at(30) + 2 });
  t.same(gapsOf(line), ['10:30-11:00 not-yet-arrived']);
  t.equal(line.revision, at(29) + 1_000_000);
  t.match(only(facts, { asOf: at(60) }), { quantity: '1' });
});

void t.test('attributes are those in force; a change splits, unknown is a line of its own', async (t) => {
  const owners = ['p1', 'p2', null];
  const { cycles } = sketchSeries(hour, () => '1');
  const samples = cycles.map((_, i) =>
    sketchSample({
      at: at(i),
      volume: '2',
      project: owners[Math.floor(i / 20)] ?? null,
      metadata: { flavor: { name: i < 30 ? 's' : 'l' } },
    }),
  );
  const ask = (groupBy: UsageQuery['groupBy']) =>
    foldUsage({ samples, cycles }, usageQuery({ kind: 'integral', from: START, to: START + HOUR, groupBy })).lines;
  t.same(
    ask(['project_id']).map(({ group, quantity }) => [group['project_id'], quantity]),
    [
      [null, '0.666666666667'],
      ['p1', '0.666666666667'],
      ['p2', '0.666666666666'],
    ],
    'and they add up to 2',
  );
  t.equal(ask(['project_id', 'metadata.flavor.name']).length, 4);
  t.equal(ask(['metadata.nothing'])[0]?.quantity, '2');
  const filter = new Map([['project_id', ['p2']]] as const);
  const mine = foldUsage(
    { samples, cycles },
    usageQuery({ kind: 'count', from: START, to: START + HOUR, filter }),
  ).lines;
  t.equal(mine[0]?.quantity, '20');
});

void t.test('what an agent has read is unknown until somebody says what became of it', async (t) => {
  const DAYS = 24 * 60;
  const reading = (day: number, more: object = {}) => sketchSample({ at: at(day * DAYS), volume: '1', ...more });
  const tick = (day: number, more: object = {}) => sketchCycle({ at: at(day * DAYS), ...more });
  const month = { from: START - HOUR, to: START + 30 * DAY };
  const gap = (facts: UsageFacts, asked: Partial<UsageQuery> = {}) =>
    (only(facts, { ...month, ...asked }).gaps.at(-1)?.to ?? START) - START;
  const first = { samples: [reading(0)], cycles: [tick(0)] };
  const later = (samples: UsageFacts['samples'], cycles: UsageFacts['cycles'] = []): UsageFacts => ({
    samples: [...first.samples, ...samples],
    cycles: [...first.cycles, ...(cycles ?? [])],
  });
  t.equal(gap(first), 30 * DAY, 'it never came back');
  t.equal(gap(first, { asOf: START + 12 * DAY }), 12 * DAY, 'as far as is known');
  t.equal(gap(later([], [tick(20)])), 20 * DAY, 'a tick that shows it absent');
  t.equal(gap(later([], [tick(20, { failed: ['r'] })])), 30 * DAY, 'a tick that failed for it');
  t.equal(gap(later([], [tick(20, { complete: false })])), 30 * DAY, 'a tick of which not all was found');
  const other = { ...tick(20), report: { ...tick(20).report, source: 'other' } };
  t.equal(gap(later([], [other])), 20 * DAY, 'a tick of any source');
  t.equal(
    gap(later([], [{ ...tick(3), report: { ...other.report, scheduled: at(3 * DAYS) } }])),
    30 * DAY,
    'but not at once',
  );
  const refused = [lost({ from: at(0), to: at(30 * DAYS) })];
  t.equal(gap({ ...later([], [tick(20)]), lost: refused }), 20 * DAY, 'whatever was refused');
  t.equal(
    gap(later([reading(15, { agent: null, metadata: { deleted: true } })])),
    15 * DAY,
    'somebody says that it is deleted',
  );
  const elsewhere = only(later([reading(15, { agent: 'b' })], [tick(15, { agent: 'b' })]), month);
  t.equal((elsewhere.gaps[0]?.to ?? 0) - START, 15 * DAY, 'somebody else reads it');
  const foreign = only({ samples: [reading(0, { agent: null })] }, { ...month, to: START + 400 * DAY });
  t.equal((foreign.gaps.at(-1)?.to ?? 0) - START, 7 * DAY, 'a sender without ticks could not say so');
  t.equal(gap(first, { to: START + 900 * DAY }), 400 * DAY, 'not for ever');
});

void t.test('a counter has its growth across a silence, unless it was seen absent in between', async (t) => {
  const reading = (day: number, volume: string) => sketchSample({ at: START + day * DAY, volume, type: 'cumulative' });
  const tick = (day: number) => sketchCycle({ at: START + day * DAY });
  const facts = { samples: [reading(0, '0'), reading(20, '480')], cycles: [tick(0), tick(20)] };
  const asked = { kind: 'increase', from: START + 9 * DAY, to: START + 11 * DAY } as const;
  t.match(only(facts, asked), { quantity: '48', lower: '0', upper: null, coverage: '0' });
  t.match(only(facts, { ...asked, edge: 'end', to: START + 20 * DAY }), { quantity: '480' });
  const absent = { ...facts, cycles: [...facts.cycles, tick(10)] };
  t.equal(only(absent, asked).quantity, '0');
});
