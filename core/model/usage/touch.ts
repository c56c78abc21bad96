import type { Micros } from '../../time.ts';
import type { WitnessClosure } from './closure.ts';
import { LOOKAHEAD, LOOKBACK } from './watch.ts';
import type { Period } from './windows.ts';

/**
 * What was recorded at a moment, and where it may change what was folded before.
 *
 * | kind     | of                                                          | leaves a series alone when it lies behind    |
 * |----------|-------------------------------------------------------------|----------------------------------------------|
 * | `sample` | samples that came, of one series                            | what closes its agent's samples              |
 * | `watch`  | an agent's ticks, and what it lost                          | what closes its agent's ticks and losses     |
 * | `refused`| messages in an agent's name                                  | the same                                     |
 * | `loss`   | samples voided, come into conflict, or taken out of one     | what closes the samples of every agent       |
 * | `any`    | a store cannot tell                                         | never                                        |
 */
export interface Touch {
  readonly kind: 'sample' | 'watch' | 'refused' | 'loss' | 'any';
  readonly recordedAt: Micros;
  /** Null: any. */
  readonly meter: string | null;
  readonly resourceId: string | null;
  /** `seriesKey`; null: any. */
  readonly series: string | null;
  /** Of samples and ticks the sender's; null: senders without one. */
  readonly agentId: string | null;
  /** Times, slots and ticks: the first and the last. */
  readonly from: Micros;
  readonly to: Micros;
}

/**
 * Whether it is of a time before all that a period's facts mostly hold: then it may begin or end a silence that the period
 * lies in, of a series that is known there or not. What was refused does neither.
 */
export function isLate({ kind, from }: Pick<Touch, 'kind' | 'from'>, period: Period): boolean {
  return kind !== 'refused' && from < period.from - LOOKBACK;
}

/** Whether a period's facts may hold anything of it at all, but for long silences. */
export function isNear({ from, to }: Pick<Touch, 'from' | 'to'>, period: Period): boolean {
  return from < period.to + LOOKAHEAD && to >= period.from - LOOKBACK;
}

/**
 * Whether what one series had in a period may be another since. @param closures as they were folded; null: nothing was
 * known of the series
 */
export function isTouched(touch: Touch, period: Period, closures: readonly WitnessClosure[] | null): boolean {
  if (isLate(touch, period)) return true;
  if (!isNear(touch, period)) return false;
  const { kind, agentId, from } = touch;
  if (kind === 'any') return true;
  if (closures === null) return kind !== 'watch' && kind !== 'refused';
  if (kind === 'loss')
    return closures.length === 0 || closures.some(({ samples }) => samples === null || from <= samples);
  const own = closures.find((closure) => closure.agentId === agentId);
  if (own === undefined) return kind === 'sample';
  const closed = kind === 'sample' ? own.samples : own.watch;
  return closed === null || from <= closed;
}
