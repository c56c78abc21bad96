import { compare } from '../../decimal.ts';
import type { Micros } from '../../time.ts';
import { compareNullable, comparePlace } from '../order.ts';
import type { Series } from '../sample.ts';
import { isOneSilence, readingsOf, spellAfter, spellBetween, unseenBefore } from './hold.ts';
import type { Reading, Spell } from './hold.ts';
import { growthAfter, growthBefore, growthBetween } from './increase.ts';
import { pieceBase, pushAbsent, pushExplained, pushMeasured } from './pieces.ts';
import type { FoldView, Piece, UsageSample } from './types.ts';
import { REACH } from './watch.ts';
import type { Watch, Watches } from './watch.ts';
import { mergeWitnesses } from './witnesses.ts';

export interface TimelineQuery {
  readonly from: Micros;
  readonly to: Micros;
  readonly maxHold: Micros | null;
  readonly asOf: Micros | null;
  readonly view: FoldView;
}

/** One series' pieces in [from, to), ascending, without those where it is not there; and the samples that count. */
export interface Timeline {
  readonly series: Series;
  readonly pieces: readonly Piece[];
  readonly samples: readonly UsageSample[];
  /** Deltas of senders that report no cycles: whether one is missing between them is not known. */
  readonly unwatched: ReadonlySet<UsageSample>;
}

/** @param samples of one series, each message_id once, in any order */
export function timelineOf(
  series: Series,
  samples: readonly UsageSample[],
  watches: Watches,
  query: TimelineQuery,
): Timeline {
  const byAgent = samplesByAgent(samples);
  const witnesses = [...byAgent]
    .sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : compareNullable(a, b)))
    .map(([agentId, own]) => {
      const others = byAgent.size === 1 ? [] : samples.filter((sample) => sample.agentId !== agentId);
      return witness(own, others, watches.of(agentId, series), query, series);
    });
  return { series, ...mergeWitnesses(witnesses, query) };
}

/** What one agent says of a series. */
export interface Witness {
  readonly pieces: readonly Piece[];
  readonly samples: readonly UsageSample[];
  readonly unwatched: ReadonlySet<UsageSample>;
}

function witness(
  own: UsageSample[],
  others: readonly UsageSample[],
  watch: Watch,
  query: TimelineQuery,
  series: Series,
): Witness {
  own.sort((a, b) => comparePlace(a, b, 'oldest'));
  const readings = readingsOfSeries(own, series, watch, query.maxHold);
  const pieces =
    query.view === 'level' ? levels(readings, others, watch, query) : growths(readings, others, watch, query);
  if (query.view === 'level' || series.type !== 'delta') return { pieces, samples: own, unwatched: NONE };
  const unwatched = new Set(readings.filter(({ tick }) => tick === null).map(({ sample }) => sample));
  return { pieces, samples: own, unwatched };
}

const NONE: ReadonlySet<UsageSample> = new Set();

/** One agent's readings of a series. @param own ascending */
export function readingsOfSeries(
  own: readonly UsageSample[],
  series: Series,
  watch: Watch,
  maxHold: Micros | null,
): Reading[] {
  return readingsOf(series.type === 'delta' ? own : oneAnInstant(own, series), watch, maxHold);
}

/** One series' samples by the agent that sent them. */
export function samplesByAgent(samples: readonly UsageSample[]): Map<string | null, UsageSample[]> {
  const byAgent = new Map<string | null, UsageSample[]>();
  for (const sample of samples) {
    const own = byAgent.get(sample.agentId);
    if (own === undefined) byAgent.set(sample.agentId, [sample]);
    else own.push(sample);
  }
  return byAgent;
}

/** Two readings at one instant: of a counter the greater counts, else the one with the greater message_id. */
function oneAnInstant(own: readonly UsageSample[], { type }: Series): UsageSample[] {
  const kept: UsageSample[] = [];
  for (const sample of own) {
    const last = kept.at(-1);
    if (last === undefined || last.timestamp !== sample.timestamp) kept.push(sample);
    else if (type !== 'cumulative' || compare(sample.volume, last.volume) >= 0) kept[kept.length - 1] = sample;
  }
  return kept;
}

interface Steps {
  readonly between: (a: Reading, b: Reading) => void;
  /** @returns to where something was said */
  readonly after: (a: Reading, until: Micros) => Micros;
  readonly before: (b: Reading, notBefore: Micros) => void;
}

/**
 * Walks the readings. Those more than REACH apart know each other only where neither the agent saw the resource absent
 * in between nor anybody else read it: then it was one long silence.
 */
function walk(
  readings: readonly Reading[],
  others: readonly UsageSample[],
  watch: Watch,
  { from, to, asOf }: TimelineQuery,
  { between, after, before }: Steps,
): void {
  const first = readings[0];
  if (first !== undefined) before(first, -Infinity);
  readings.forEach((a, i) => {
    const b = readings[i + 1];
    // What ends where the query starts still says whether another witness counts there.
    if ((b?.sample.timestamp ?? Infinity) < from || a.sample.timestamp >= to) return;
    const at = a.sample.timestamp;
    if (b !== undefined && b.sample.timestamp - at <= REACH) return between(a, b);
    const taken = others.reduce(
      (next, { timestamp }) => (timestamp > at && timestamp < next ? timestamp : next),
      Infinity,
    );
    if (b !== undefined && taken >= b.sample.timestamp && isOneSilence(a, b, watch)) return between(a, b);
    const end = after(a, Math.min(taken, b?.sample.timestamp ?? Infinity, asOf ?? Infinity));
    if (b !== undefined) before(b, end);
  });
}

function levels(
  readings: readonly Reading[],
  others: readonly UsageSample[],
  watch: Watch,
  query: TimelineQuery,
): Piece[] {
  const pieces: Piece[] = [];
  walk(readings, others, watch, query, {
    between: (a, b) => level(spellBetween(a, b, watch), a, b, watch, pieces),
    after: (a, until) => {
      const spell = spellAfter(a, watch, until);
      level(spell, a, null, watch, pieces);
      return spell.to;
    },
    before: (b, notBefore) => {
      const base = pieceBase(b, null, b.sample, b.sample.recordedAt);
      pushExplained(Math.max(unseenBefore(b, watch), notBefore), b.sample.timestamp, b, watch, base, pieces);
    },
  });
  return pieces;
}

function level(spell: Spell, a: Reading, b: Reading | null, watch: Watch, pieces: Piece[]): void {
  const base = pieceBase(a, a.sample, b?.sample ?? null, spell.revision);
  const byCadence = a.tick === null && a.cadence !== null ? spell.from + 2 * a.cadence : Infinity;
  pushMeasured(spell.from, spell.heldTo, base, pieces, Math.min(spell.heldTo, byCadence));
  pushExplained(spell.heldTo, spell.gone, a, watch, base, pieces);
  pushAbsent(spell.gone, spell.back, base, pieces);
  if (spell.gone < spell.to) pushExplained(spell.back, spell.to, b ?? a, watch, base, pieces);
}

function growths(
  readings: readonly Reading[],
  others: readonly UsageSample[],
  watch: Watch,
  query: TimelineQuery,
): Piece[] {
  const pieces: Piece[] = [];
  walk(readings, others, watch, query, {
    between: (a, b) => growthBetween(a, b, spellBetween(a, b, watch), watch, pieces),
    after: (a, until) => {
      const spell = spellAfter(a, watch, until);
      growthAfter(a, spell, watch, pieces);
      return spell.to;
    },
    before: (b, notBefore) => growthBefore(b, unseenBefore(b, watch), notBefore, watch, pieces),
  });
  return pieces;
}
