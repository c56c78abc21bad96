import t from 'tap';
import { compare, parseDecimal, sum, toText } from '../../decimal.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../time.ts';
import { foldHours, foldUsage, mergeHours } from './fold.ts';
import { decodeHour, encodeHour } from './hour-text.ts';
import { fieldsOf, usageQuery } from './query.ts';
import type { UsageLine, UsageQuery } from './query.ts';
import { seeded, sketchCycle, sketchSample, utc } from './testing.ts';
import type { AgentCycle, FoldView, LostSpan, UsageFacts, UsageSample } from './types.ts';
import { LOOKAHEAD, LOOKBACK } from './watch.ts';
import { resolveInstant } from './windows.ts';

/**
 * What must hold for any facts. Each case is made from a seed, which its name tells: `NEPHOMETER_SEED=7` runs that one alone.
 */
const fixed = process.env['NEPHOMETER_SEED'];
const SEEDS = fixed === undefined ? [1, 4, 8, 765022, Date.now() % 1_000_000] : [Number(fixed)];

interface Facts extends UsageFacts {
  readonly samples: readonly UsageSample[];
  readonly cycles: readonly AgentCycle[];
  readonly lost: readonly LostSpan[];
}

const FROM = utc('2026-03-28');
const TO = FROM + 3 * DAY;

/**
 * Three days of a few series: agents that fall silent, ticks that fail, resources that come and go, resets, moves, losses,
 * what arrives late; and perhaps a sender without cycle reports.
 */
function anyFacts(seed: number, type: 'gauge' | 'cumulative' | 'delta', days = 3, step = 1): Facts {
  const random = seeded(seed);
  const end = FROM + days * DAY;
  const samples: UsageSample[] = [];
  const cycles: AgentCycle[] = [];
  const lost: LostSpan[] = [];
  const interval = step * ([3, 7, 10][random.below(3)] ?? 10);
  // Silences of up to a third of the time, or of some ticks.
  const longest = step === 1 ? 20 : Math.floor((days * DAY) / 3 / (interval * MINUTE));
  const resources = ['r1', 'r2', 'r3'].map((id) => ({
    id,
    value: 0n,
    isThere: random.chance(0.7),
    project: 0,
    boot: 0,
  }));
  const late = (at: number): number =>
    at + (random.chance(0.05) ? random.below(3 * DAY) : random.below(MINUTE)) + SECOND;
  for (const agent of random.chance(0.5) ? ['a', 'b'] : ['a', 'b', null]) {
    let [silent, failing] = [0, 0];
    for (let at = FROM - DAY; at < end + DAY; at += interval * MINUTE) {
      if (random.chance(0.01)) silent = random.below(longest);
      // Once for sure.
      if (step > 1 && at === FROM - DAY + interval * MINUTE * longest) silent = longest;
      if (random.chance(0.02)) failing = random.below(6);
      const failed: string[] = [];
      for (const resource of resources.filter(({ id }) => agent === 'a' || id !== 'r1')) {
        if (random.chance(0.01)) resource.isThere = !resource.isThere;
        if (random.chance(0.02)) resource.project = random.below(3);
        if (random.chance(0.02)) [resource.value, resource.boot] = [0n, resource.boot + 1];
        resource.value += BigInt(random.below(1000)) * (random.chance(0.01) ? 2n ** 63n : 1n);
        if (!resource.isThere || silent > 0) continue;
        if (failing > 0) failed.push(resource.id);
        else samples.push(readingOf(resource, agent, at + random.below(5) * SECOND, at));
      }
      if (agent !== null && silent === 0) {
        const skipped = random.chance(0.01);
        cycles.push(sketchCycle({ at, agent, interval: interval * MINUTE, failed, skipped, recorded: late(at) }));
      }
      if (silent === 0 && random.chance(0.01)) lost.push(anyLoss(random.below(4), agent, at, late(at)));
      [silent, failing] = [Math.max(0, silent - 1), Math.max(0, failing - 1)];
    }
  }
  return { samples, cycles, lost };

  function readingOf(
    { id, value, project, boot }: (typeof resources)[number],
    agent: string | null,
    at: number,
    slot: number,
  ): UsageSample {
    const volume = type === 'gauge' ? `${value % 97n}.${value % 1000n}` : value.toString();
    const metadata = random.chance(0.9)
      ? { flavor: `f${project}`, ...(random.chance(0.5) ? { boot_id: `b${boot}` } : {}) }
      : {};
    return sketchSample({
      at,
      slot: agent === null ? null : slot,
      volume,
      agent,
      type,
      resource: id,
      project: [null, 'p', 'q'][project] ?? null,
      metadata,
      recorded: late(at),
    });
  }
}

function anyLoss(which: number, agentId: string | null, at: number, recordedAt: number): LostSpan {
  const reason = (['quarantined', 'conflict', 'not-yet-arrived', 'voided'] as const)[which] ?? 'voided';
  const resourceId = reason === 'conflict' || reason === 'voided' ? 'r2' : null;
  return {
    reason,
    from: at,
    to: at + 20 * MINUTE,
    agentId,
    source: null,
    meter: null,
    resourceId,
    recordedAt,
  };
}

const KINDS = [
  ['duration', 'gauge'],
  ['integral', 'gauge'],
  ['increase', 'cumulative'],
  ['duration', 'cumulative'],
  ['sum', 'delta'],
] as const;

const total = (lines: readonly UsageLine[]) => toText(sum(lines.map(({ quantity }) => parseExact(quantity ?? '0'))));

function parseExact(text: string) {
  const [whole = '', fraction = ''] = text.split('.');
  return { coefficient: BigInt(whole + fraction), scale: fraction.length };
}

const usage = (facts: UsageFacts, query: UsageQuery) => foldUsage(facts, query).lines;

/** Of the worlds with silences of weeks. */
let longestMissing = 0;

for (const seed of SEEDS) {
  for (const [kind, type] of KINDS) {
    const random = seeded(seed * 31 + kind.length);
    const facts = anyFacts(seed, type);
    const edge = random.chance(0.5) ? 'interpolate' : 'end';
    const period = { kind, edge, from: FROM + random.below(2 * HOUR), to: TO - random.below(2 * HOUR) } as const;
    const name = `${kind} of ${type}, ${edge}, seed ${seed}`;

    void t.test(`${name}: windows and groups add up to the whole, to the last digit`, async (t) => {
      const whole = total(usage(facts, usageQuery(period)));
      t.not(whole, '0');
      for (const tz of ['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/Santiago']) {
        t.equal(total(usage(facts, usageQuery({ ...period, window: 'day', tz }))), whole, `days in ${tz}`);
      }
      t.equal(total(usage(facts, usageQuery({ ...period, window: 'hour', tz: 'Australia/Adelaide' }))), whole, 'hours');
      for (const groupBy of [['project_id'], ['resource_id'], ['metadata.flavor', 'project_id']] as const) {
        t.equal(total(usage(facts, usageQuery({ ...period, groupBy, window: 'day' }))), whole, groupBy.join());
      }
      const middle = FROM + random.below(TO - FROM - 6 * HOUR) + 3 * HOUR;
      const parts = [usageQuery({ ...period, to: middle }), usageQuery({ ...period, from: middle })];
      t.equal(total(parts.flatMap((query) => usage(facts, query))), whole, 'two questions, one after the other');
    });

    void t.test(`${name}: neither the order nor copies change a byte`, async (t) => {
      const query = usageQuery({ ...period, groupBy: ['project_id'], window: 'day', gaps: true });
      const once = JSON.stringify(usage(facts, query));
      const shuffle = <T>(items: readonly T[]): T[] => {
        const all = items.flatMap((item) => (random.chance(0.1) ? [item, item] : [item]));
        for (let i = all.length - 1; i > 0; i--) {
          const j = random.below(i + 1);
          [all[i], all[j]] = [all[j] as T, all[i] as T];
        }
        return all;
      };
      const { samples, cycles, lost } = facts;
      t.equal(
        JSON.stringify(usage({ samples: shuffle(samples), cycles: shuffle(cycles), lost: shuffle(lost) }, query)),
        once,
      );
    });

    void t.test(`${name}: hours folded one by one answer the same bytes`, async (t) => {
      const tz = 'Europe/Berlin';
      const [from, to] = [resolveInstant('2026-03-28', tz), resolveInstant('2026-03-30', tz)];
      const asOf = random.chance(0.5) ? null : from + random.below(4 * DAY);
      const query = usageQuery({
        kind,
        edge,
        from,
        to,
        tz,
        asOf,
        window: 'day',
        groupBy: ['project_id', 'resource_id'],
        gaps: true,
      });
      const view: FoldView = kind === 'increase' || kind === 'sum' ? 'growth' : 'level';
      const parameters = {
        maxHold: null,
        edge,
        asOf,
        attributes: [...fieldsOf(query), 'metadata.flavor'],
      } as const;
      const folds = [];
      for (let hour = from; hour < to; hour += HOUR) {
        const near = around(facts, hour);
        for (const fold of foldHours(near, { from: hour, to: hour + HOUR }, parameters, view)) {
          const again = decodeHour(encodeHour(fold));
          t.ok(again !== null && encodeHour(again) === encodeHour(fold));
          if (again !== null) folds.push(again);
        }
      }
      t.equal(JSON.stringify(mergeHours(folds.toReversed(), query)), JSON.stringify(usage(facts, query)));
    });

    void t.test(`${name}: bounds hold the quantity, and coverage is a share`, async (t) => {
      for (const line of usage(
        facts,
        usageQuery({ ...period, window: 'hour', groupBy: ['resource_id'], gaps: true }),
      )) {
        const quantity = parseExact(line.quantity ?? '0');
        if (line.lower !== null && compare(parseExact(line.lower), quantity) > 0)
          t.fail(`lower ${line.lower} of ${line.quantity}`);
        if (line.upper !== null && compare(parseExact(line.upper), quantity) < 0)
          t.fail(`upper ${line.upper} of ${line.quantity}`);
        const share = line.coverage === null ? 0 : Number(line.coverage);
        if (share < 0 || share > 1) t.fail(`coverage ${line.coverage}`);
        if (line.coverage === '1' && line.gaps.length > 0) t.fail('gaps, and coverage 1');
        // By cadence less is covered than is held.
        if (line.basis === 'cycles' && line.coverage !== '1' && line.gaps.length === 0 && line.coverage !== null)
          t.fail(`no gaps, and coverage ${line.coverage}`);
        for (const gap of line.gaps) if (gap.from < line.from || gap.to > line.to) t.fail('a gap outside its line');
      }
      t.pass();
    });
  }

  for (const [kind, type] of KINDS) {
    void t.test(`${kind} of ${type}, silences of weeks, seed ${seed}: cut anywhere it adds up`, async (t) => {
      const random = seeded(seed * 37 + kind.length);
      const facts = anyFacts(seed, type, 40, 24);
      const period = {
        kind,
        edge: random.chance(0.5) ? 'interpolate' : 'end',
        from: FROM,
        to: FROM + 40 * DAY,
      } as const;
      const all = usage(facts, usageQuery({ ...period, gaps: true }));
      const whole = total(all);
      t.equal(total(usage(facts, usageQuery({ ...period, window: 'day' }))), whole, 'days');
      t.equal(total(usage(facts, usageQuery({ ...period, window: 'week', tz: 'Europe/Berlin' }))), whole, 'weeks');
      const cuts = [FROM, ...Array.from({ length: 5 }, () => FROM + random.below(40 * 24) * HOUR), period.to];
      cuts.sort((a, b) => a - b);
      const parts = cuts.slice(1).flatMap((to, i) => {
        const from = cuts[i] ?? to;
        return from < to ? usage(facts, usageQuery({ ...period, from, to, gaps: true })) : [];
      });
      t.equal(total(parts), whole, 'questions that begin and end within silences');
      const missing = (lines: readonly UsageLine[]) =>
        lines.flatMap(({ gaps }) => gaps).reduce((sum, gap) => sum + gap.to - gap.from, 0);
      t.equal(missing(parts), missing(all), 'and their gaps');
      longestMissing = Math.max(longestMissing, missing(all));
      const again = {
        samples: facts.samples.toReversed(),
        cycles: facts.cycles.toReversed(),
        lost: facts.lost.toReversed(),
      };
      t.equal(JSON.stringify(usage(again, usageQuery({ ...period, gaps: true }))), JSON.stringify(all), 'in any order');
    });
  }

  void t.test(`what is lost is within the bounds, seed ${seed}`, async (t) => {
    const random = seeded(seed);
    const period = { from: FROM, to: FROM + DAY };
    const truth: { gauge: UsageSample[]; counter: UsageSample[]; cycles: AgentCycle[] } = {
      gauge: [],
      counter: [],
      cycles: [],
    };
    const silences = Array.from({ length: 6 }, () => FROM + random.below(DAY));
    const isHeard = (at: number) => silences.every((start) => at < start || at >= start + 20 * MINUTE);
    let [value, isThere, hasTurned] = [0, true, false];
    for (let at = FROM - HOUR; at < FROM + DAY + HOUR; at += MINUTE) {
      value = random.chance(0.005) ? 0 : value + random.below(60);
      // A visit from first to last within one silence is beyond what any bound can know.
      if (isHeard(at)) hasTurned = false;
      if (!hasTurned && random.chance(0.003)) [isThere, hasTurned] = [!isThere, true];
      truth.cycles.push(sketchCycle({ at }));
      if (isThere) truth.gauge.push(sketchSample({ at, volume: '1' }));
      truth.counter.push(sketchSample({ at, volume: String(value), type: 'cumulative' }));
    }
    const heard = (samples: readonly UsageSample[]) => ({
      samples: samples.filter(({ timestamp }) => isHeard(timestamp)),
      cycles: truth.cycles.filter(({ report }) => isHeard(report.scheduled)),
    });
    for (const window of ['none', 'hour'] as const) {
      const ask = { ...period, window, ceiling: parseDecimal('3600') };
      for (const [kind, samples] of [
        ['duration', truth.gauge],
        ['increase', truth.counter],
      ] as const) {
        const complete = usage({ samples, cycles: truth.cycles }, usageQuery({ ...ask, kind }));
        const lines = new Map(usage(heard(samples), usageQuery({ ...ask, kind })).map((line) => [line.from, line]));
        for (const { from, quantity } of complete) {
          const [low, high] = [lines.get(from)?.lower ?? '0', lines.get(from)?.upper ?? '0'];
          const slack = 2 / 60 + 1e-9;
          const [least, most] =
            kind === 'duration' ? [Number(low) - 6 * slack, Number(high) + slack] : [Number(low), Number(high)];
          t.ok(
            least <= Number(quantity) && Number(quantity) <= most + 1e-9,
            `${kind} ${window}: ${low} <= ${quantity} <= ${high}`,
          );
        }
      }
    }
  });
}

/** What a store would be asked for to fold one hour. */
function around({ samples, cycles, lost }: Facts, hour: number): UsageFacts {
  const [from, to] = [hour - LOOKBACK, hour + HOUR + LOOKAHEAD];
  return {
    samples: samples.filter(({ timestamp }) => timestamp >= from && timestamp < to),
    cycles: cycles.filter(({ report }) => report.scheduled >= from && report.scheduled < to),
    lost,
  };
}

// One seed alone may have none.
if (fixed === undefined) {
  void t.test('there were silences of weeks', async (t) => {
    t.ok(longestMissing > 8 * DAY);
  });
}
