import { compare, maximum, subtract } from '../../decimal.ts';
import { sameRun } from './attributes.ts';
import type { Reading, Spell } from './hold.ts';
import { lastSeenAbsent } from './hold.ts';
import { NOTHING, pieceBase, pushAbsent, pushExplained, pushGap, pushMeasured } from './pieces.ts';
import type { PieceBase } from './pieces.ts';
import type { Piece, Step } from './types.ts';
import { REACH } from './watch.ts';
import type { Watch } from './watch.ts';

/**
 * Growth between readings. A value that falls, or another boot (`RESTART_MARKERS`), is a reset: the counter started again
 * from zero. Nothing is extrapolated.
 *
 * | between two readings                        | counted         | what may hide beside it                        |
 * |---------------------------------------------|-----------------|------------------------------------------------|
 * | later >= earlier, at most a hold apart      | later - earlier | nothing                                        |
 * | later >= earlier, further apart             | later - earlier | a reset: no bound; nothing when one boot is told |
 * | reset                                       | later           | growth before the reset: no bound              |
 * | resource seen absent in between             | as above, after the absence | growth before it: no bound; after it the earlier value |
 * | before the first reading, seen absent before| nothing         | its value                                      |
 * | before the first reading, after a gap       | nothing         | no bound                                       |
 * | after the last reading                      | nothing         | no bound                                       |
 *
 * Deltas are counted where their samples are; between them the same stretches are measured or not.
 */
export function stepBetween(a: Reading, b: Reading): Step {
  const [earlier, later] = [a.sample, b.sample];
  const isReset = compare(later.volume, earlier.volume) < 0 || sameRun(earlier, later) === false;
  const amount = maximum(NOTHING, isReset ? later.volume : subtract(later.volume, earlier.volume));
  const [from, to] = [earlier.timestamp, later.timestamp];
  return { from, to, amount, isReset, isBridge: to - from > a.hold };
}

export function growthBetween(a: Reading, b: Reading, spell: Spell, watch: Watch, pieces: Piece[]): void {
  const base = pieceBase(a, a.sample, b.sample, spell.revision);
  if (isEvent(a)) return;
  if (a.isDeletion) return pushAbsent(spell.from, spell.to, base, pieces);
  if (spell.gone < spell.to) return growthAround(a, b, spell, watch, pieces);
  if (a.sample.type === 'delta') {
    pushMeasured(spell.from, spell.heldTo, { ...base, hidden: NOTHING }, pieces);
    return pushExplained(spell.heldTo, spell.to, a, watch, base, pieces);
  }
  const step = stepBetween(a, b);
  const mayHide = step.isReset || (step.isBridge && sameRun(a.sample, b.sample) !== true);
  const hidden = mayHide ? null : NOTHING;
  const grown = pieceBase(a, a.sample, b.sample, spell.revision, step, hidden);
  // A reading that is set aside in between takes nothing from what the readings around it show.
  const measuredTo = Math.min(spell.from + a.hold, spell.to);
  pushMeasured(spell.from, measuredTo, grown, pieces, coveredTo(a, spell.from, measuredTo));
  pushExplained(measuredTo, spell.to, a, watch, grown, pieces);
}

/** The resource went and came back between the readings. */
function growthAround(a: Reading, b: Reading, spell: Spell, watch: Watch, pieces: Piece[]): void {
  const base = pieceBase(a, a.sample, b.sample, spell.revision);
  const isSame = sameRun(a.sample, b.sample) === true;
  const wasSilent = spell.back < spell.to;
  const back = wasSilent ? spell.back : Math.max(spell.gone, lastSeenAbsent(b, a.due, watch));
  gapBeforeGone(a, spell, watch, { ...base, hidden: isSame ? NOTHING : null }, pieces);
  pushAbsent(spell.gone, back, base, pieces);
  const step = a.sample.type === 'delta' ? null : { ...stepBetween(a, b), from: back };
  const hidden = step === null || step.isReset || isSame ? NOTHING : a.sample.volume;
  if (wasSilent) pushExplained(back, spell.to, b, watch, { ...base, step, hidden: null }, pieces);
  else if (step === null) pushMeasured(back, spell.to, { ...base, hidden }, pieces);
  else pushGap(back, spell.to, 'unread', { ...base, step, hidden }, pieces);
}

/** After the last reading: within a hold the next is still awaited. */
export function growthAfter(a: Reading, spell: Spell, watch: Watch, pieces: Piece[]): void {
  const base = pieceBase(a, a.sample, null, spell.revision);
  if (isEvent(a)) return;
  if (a.isDeletion) return pushAbsent(spell.from, spell.to, base, pieces);
  if (spell.gone < spell.to) {
    gapBeforeGone(a, spell, watch, base, pieces);
    return pushAbsent(spell.gone, spell.to, base, pieces);
  }
  const awaited = Math.min(spell.from + a.hold, spell.to);
  pushGap(spell.from, awaited, 'not-yet-arrived', base, pieces);
  pushExplained(awaited, spell.to, a, watch, base, pieces);
}

/** For a hold its going is what leaves the counter unread; what is missing after that has a reason of its own. */
function gapBeforeGone(a: Reading, spell: Spell, watch: Watch, base: PieceBase, pieces: Piece[]): void {
  const awaited = Math.min(spell.from + a.hold, spell.gone);
  pushGap(spell.from, awaited, 'unread', base, pieces);
  pushExplained(awaited, spell.gone, a, watch, base, pieces);
}

/**
 * @param unseen from where the resource may have been there unseen; at `b` when it is known that it was not
 * @param notBefore up to here the reading before says what was
 */
export function growthBefore(b: Reading, unseen: number, notBefore: number, watch: Watch, pieces: Piece[]): void {
  const at = b.sample.timestamp;
  const from = Math.max(unseen, notBefore);
  if (isEvent(b)) return;
  const base = pieceBase(b, null, b.sample, b.sample.recordedAt);
  const seen = lastSeenAbsent(b, b.due - REACH, watch);
  if (from < at) {
    const hidden = seen === -Infinity || b.sample.type === 'delta' ? null : b.sample.volume;
    return pushExplained(from, at, b, watch, { ...base, hidden }, pieces);
  }
  if (seen === -Infinity) return;
  const start = Math.max(seen, notBefore);
  if (b.sample.type === 'delta') pushMeasured(start, at, { ...base, hidden: NOTHING }, pieces);
  else pushGap(start, at, 'unread', { ...base, hidden: b.sample.volume }, pieces);
}

/** What happened at a moment of its own, and nobody watches for, has neither presence nor gaps around it. */
function isEvent({ sample, tick }: Reading): boolean {
  return sample.type === 'delta' && tick === null;
}

function coveredTo(a: Reading, from: number, to: number): number {
  return a.tick !== null || a.cadence === null ? to : Math.min(to, from + 2 * a.cadence);
}
