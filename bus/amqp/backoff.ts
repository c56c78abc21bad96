import { SECOND, type Micros } from '@nephometer/core';

/** A connection that lived this long was a good one: counting of attempts starts again. */
export const STABLE: Micros = 10 * SECOND;

/**
 * Full jitter: anything between nothing and the doubled step, so that a thousand clients of one broker that was
 * restarted come back spread out.
 *
 * | attempt | at most    |
 * |--------:|------------|
 * |       0 | 1 s        |
 * |       1 | 2 s        |
 * |       2 | 4 s        |
 * |       n | 2^n s, cap |
 */
export function fullJitter(attempt: number, cap: Micros, random: () => number = Math.random): Micros {
  return Math.round(random() * Math.min(cap, SECOND * 2 ** Math.min(attempt, 20)));
}
