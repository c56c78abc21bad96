import type { Decimal } from '../../decimal.ts';
import { DAY } from '../../time.ts';
import type { Micros } from '../../time.ts';
import type { UsageSample } from './types.ts';

/**
 * Coverage is the share of the time of the resources' existence that was measured, over all series of a line; time in which a
 * resource was not there does not count.
 *
 * | basis     | whose                         | measured is                                                                     |
 * |-----------|-------------------------------|---------------------------------------------------------------------------------|
 * | `cycles`  | agents that report cycles     | what is held (level), or lies between two readings at most a hold apart (growth) |
 * | `cadence` | senders that report none      | the same, and at most twice the usual time between the readings before           |
 * | `none`    | deltas of such senders        | not known: coverage is null                                                     |
 */
export type CoverageBasis = 'cycles' | 'cadence' | 'mixed' | 'none';

/** Digits of a coverage, cut, not rounded: only a full one is 1. */
const DIGITS = 6;

export function coverageShare(covered: Micros, total: Micros): Decimal | null {
  if (total === 0) return null;
  let coefficient = (BigInt(covered) * 10n ** BigInt(DIGITS)) / BigInt(total);
  let scale = DIGITS;
  while (scale > 0 && coefficient % 10n === 0n) {
    coefficient /= 10n;
    scale--;
  }
  return { coefficient, scale };
}

const MOST_INTERVALS = 5;
const FEWEST_INTERVALS = 3;

/**
 * The usual time between readings: the median of the up to five intervals before the i-th within the last day. Null with
 * fewer than three. Only what lies before counts, so that a figure does not depend on the period asked for.
 */
export function cadenceOf(samples: readonly UsageSample[], i: number): Micros | null {
  const at = samples[i]?.timestamp ?? 0;
  const intervals: Micros[] = [];
  for (let j = i; j > 0 && intervals.length < MOST_INTERVALS; j--) {
    const [earlier, later] = [samples[j - 1]?.timestamp ?? 0, samples[j]?.timestamp ?? 0];
    if (at - earlier > DAY) break;
    intervals.push(later - earlier);
  }
  if (intervals.length < FEWEST_INTERVALS) return null;
  return intervals.sort((a, b) => a - b)[Math.floor((intervals.length - 1) / 2)] ?? null;
}
