import type { Micros } from '../../time.ts';
import { cycleBefore, DEFAULT_HOLD, endsSilence, firstAfter, LONGEST_SILENCE, REACH, showsAbsence } from './watch.ts';
import type { Cycle, Watch } from './watch.ts';
import { isDeletion } from './attributes.ts';
import { cadenceOf } from './coverage.ts';
import type { LostSpan, UsageSample } from './types.ts';

/**
 * How long a reading holds: until the next of its series, and at most until the first of
 *
 * | what                                                        | then                                     |
 * |-------------------------------------------------------------|------------------------------------------|
 * | the reading is a deletion (`isDeletion`)                      | not there, at once                       |
 * | a tick of its polling source that shows the resource absent | not there                                |
 * | a reading that is set aside (conflict, voided, refused)     | gap, to the next reading                 |
 * | `max_hold`                                                  | gap                                      |
 *
 * After "not there" the time up to the last tick that shows it absent is not there either, silences in between or not: a
 * visit from first to last within a silence leaves no trace. From that tick on to the next reading it is not there where
 * the ticks went on; where the agent fell silent, what was seen absent stays absent for a hold, too, and then is unknown.
 */
export interface Reading {
  readonly sample: UsageSample;
  /** When it was due: by this, ticks stand before or after it. */
  readonly due: Micros;
  /** Index of the first tick due later. */
  readonly next: number;
  readonly hold: Micros;
  /** Polling source; null where no tick of the agent is known. */
  readonly tick: Cycle | null;
  /** Usual time between the readings before it, of senders without cycle reports. */
  readonly cadence: Micros | null;
  readonly isDeletion: boolean;
}

/** What lies between two readings (null: there is none on that side). */
export interface Spell {
  /** The reading before holds to here. */
  readonly heldTo: Micros;
  /** From here to `back` the resource is not there. Both `to` when it never goes. */
  readonly gone: Micros;
  readonly back: Micros;
  readonly from: Micros;
  readonly to: Micros;
  readonly revision: Micros;
}

/** One agent's readings of a series. @param samples ascending */
export function readingsOf(samples: readonly UsageSample[], watch: Watch, maxHold: Micros | null): Reading[] {
  return samples.map((sample, i) => {
    const { slot, timestamp } = sample;
    let next = firstAfter(watch.cycles, slot ?? timestamp);
    const tick = cycleBefore(next, slot ?? timestamp, watch.cycles);
    const due = slot ?? (tick !== null && timestamp <= tick.finished ? tick.scheduled : timestamp);
    if (due !== (slot ?? timestamp)) next = firstAfter(watch.cycles, due);
    const interval = tick === null ? null : tick.interval;
    const hold = maxHold ?? (interval === null ? DEFAULT_HOLD : 2 * interval);
    const cadence = tick === null ? cadenceOf(samples, i) : null;
    return { sample, due, next, hold, tick, cadence, isDeletion: isDeletion(sample.metadata) };
  });
}

/**
 * After the last reading: REACH, wherever the question ends, since what comes later says what this time was. The agent's own
 * readings stay unknown for longer, until a tick shows them absent.
 * @param until when somebody else read the series, or the knowledge ends: behind REACH nothing is said after it
 */
export function spellAfter(a: Reading, watch: Watch, until: Micros): Spell {
  const near = a.sample.timestamp + REACH;
  const isOpen = a.sample.agentId !== null && !a.isDeletion && firstAbsence(a, near, watch) === null;
  const end = isOpen ? endOfSilence(a, Infinity, watch) : null;
  if (!isOpen || (end !== null && end.scheduled <= near)) return spell(a, null, near, watch);
  const to = Math.max(near, Math.min(a.sample.timestamp + LONGEST_SILENCE, until, end?.scheduled ?? Infinity));
  const long = spell(a, null, to, watch);
  return end?.scheduled === to ? { ...long, revision: Math.max(long.revision, end.recordedAt) } : long;
}

/** Whether two readings of one agent more than REACH apart are joined: the agent has not seen the resource absent in between. */
export function isOneSilence(a: Reading, b: Reading, watch: Watch): boolean {
  if (b.sample.timestamp - a.sample.timestamp > LONGEST_SILENCE) return false;
  return lastWord(a, b.due, watch) === null && a.sample.agentId !== null;
}

/** When the agent said, before an instant, that what it had read is not there; null where it did not. */
export function lastWord(a: Reading, before: Micros, watch: Watch): Micros | null {
  if (a.isDeletion) return a.sample.timestamp;
  return firstAbsence(a, before, watch)?.scheduled ?? endOfSilence(a, before, watch)?.scheduled ?? null;
}

export function spellBetween(a: Reading, b: Reading, watch: Watch): Spell {
  return spell(a, b, b.sample.timestamp, watch);
}

function spell(a: Reading, b: Reading | null, to: Micros, watch: Watch): Spell {
  const from = a.sample.timestamp;
  const read = Math.max(a.sample.recordedAt, b === null ? 0 : b.sample.recordedAt);
  if (a.isDeletion) return { heldTo: from, gone: from, back: to, from, to, revision: read };
  const first = firstAbsence(a, b === null ? Infinity : b.due, watch);
  const gone = first === null || first.scheduled >= to ? to : Math.max(first.scheduled, from);
  // Of a long silence only what is near the reading, wherever the question ends.
  const asideBy = Math.min(gone, from + Math.max(REACH, a.hold));
  const aside = watch.lost.length === 0 ? null : setAside(a, b, asideBy, watch.lost);
  const heldTo = Math.min(from + a.hold, gone, aside === null ? Infinity : aside.from);
  const revision = Math.max(read, first?.recordedAt ?? 0, aside?.recordedAt ?? 0);
  const back = gone === to || b === null ? to : cameBack(b, a.due, watch, gone);
  return { heldTo, gone, back, from, to, revision };
}

/** Before the first reading: from where the resource, then unseen, may have been there. */
export function unseenBefore(b: Reading, watch: Watch): Micros {
  const earliest = b.due - REACH;
  const came = cameBack(b, earliest, watch, -Infinity);
  if (came > -Infinity) return came;
  const first = watch.cycles.slice(firstAfter(watch.cycles, earliest)).find((cycle) => isOf(cycle, b));
  return first === undefined || first.scheduled >= b.due ? b.sample.timestamp : first.scheduled;
}

/** The last tick that shows the resource absent before `b`; -Infinity when none does. */
export function lastSeenAbsent(b: Reading, after: Micros, watch: Watch): Micros {
  for (let i = firstAfter(watch.cycles, b.due - 1) - 1; i >= 0; i--) {
    const cycle = watch.cycles[i];
    if (cycle === undefined || cycle.scheduled <= after) break;
    if (isOf(cycle, b) && showsAbsence(cycle, b.sample.resourceId, watch.lost)) return cycle.scheduled;
  }
  return -Infinity;
}

/** Where the time that is known to be without the resource ends: at `b`, unless the agent was silent before it. */
function cameBack(b: Reading, after: Micros, watch: Watch, otherwise: Micros): Micros {
  const seen = lastSeenAbsent(b, Math.max(after, b.due - REACH), watch);
  if (seen === -Infinity) return otherwise;
  return b.due - seen <= b.hold ? b.sample.timestamp : Math.max(otherwise, seen + b.hold);
}

/** The first tick after `a` and before the instant that shows the resource absent. */
function firstAbsence(a: Reading, before: Micros, watch: Watch): Cycle | null {
  for (let i = a.next; i < watch.cycles.length; i++) {
    const cycle = watch.cycles[i];
    if (cycle === undefined || cycle.scheduled >= before || cycle.scheduled > a.sample.timestamp + REACH) return null;
    if (isOf(cycle, a) && showsAbsence(cycle, a.sample.resourceId, watch.lost)) return cycle;
  }
  return null;
}

/**
 * The first tick that ends a silence. Behind REACH any source of the agent will do: one that is configured no more does not
 * keep its resources unknown.
 */
function endOfSilence(a: Reading, before: Micros, watch: Watch): Cycle | null {
  const at = a.sample.timestamp;
  for (let i = a.next; i < watch.cycles.length; i++) {
    const cycle = watch.cycles[i];
    if (cycle === undefined || cycle.scheduled >= before || cycle.scheduled > at + LONGEST_SILENCE) return null;
    if (!isOf(cycle, a) && cycle.scheduled <= at + REACH) continue;
    if (endsSilence(cycle, a.sample.resourceId, watch.lost)) return cycle;
  }
  return null;
}

/** A meter may be polled by two sources; only the one that gave the reading can say that it is gone. */
function isOf(cycle: Cycle, reading: Reading): boolean {
  return reading.tick === null || cycle.source === reading.tick.source;
}

/**
 * The first reading after one, and before an instant, that is set aside. A refused message is not known to be the agent's word, so it ends a hold
 * only where a reading of this series is missing.
 */
function setAside(a: Reading, b: Reading | null, before: Micros, lost: readonly LostSpan[]): LostSpan | null {
  const interval = a.tick?.interval ?? null;
  const isMissing = interval !== null && (b === null || b.due - a.due > 1.5 * interval);
  for (const span of lost) {
    if (span.from <= a.due || span.from < a.sample.timestamp) continue;
    if (span.from >= before) return null;
    if (span.reason === 'conflict' || span.reason === 'voided') return span;
    if (span.reason === 'quarantined' && (isMissing || span.resourceId !== null)) return span;
  }
  return null;
}
