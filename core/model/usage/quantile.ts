import { add, compare, decimal, divide, multiply } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import { SECOND } from '../../time.ts';
import type { Micros } from '../../time.ts';
import { times } from './fraction.ts';
import type { Fraction } from './fraction.ts';
import { FIGURE_DIGITS } from './integral.ts';
import type { LineDraft } from './merge.ts';
import { NOTHING } from './pieces.ts';
import type { UsageQuery } from './query.ts';
import type { HourCell } from './types.ts';
import { assertFew } from './windows.ts';
import type { Period } from './windows.ts';

/** Steps are counted from each window's start; the last may be shorter. @throws RangeError for too many, or none */
export function stepEdges(windows: readonly Period[], step: Micros): Micros[] {
  if (step <= 0) throw new RangeError('Found a step of no length; 5m would be right.');
  const [first, last] = [windows[0], windows.at(-1)];
  if (first !== undefined && last !== undefined) assertFew((last.to - first.from) / step + windows.length, 'steps');
  return windows.flatMap(({ from, to }) => {
    const edges: Micros[] = [];
    for (let edge = from; edge < to; edge += step) edges.push(edge);
    return edges;
  });
}

/**
 * Nearest rank: the smallest value that at least 95 of 100 steps do not exceed. A step's value is, summed over the series
 * of the line, the average over the time measured in it: of a gauge the level, of counters and deltas growth a second. Steps
 * in which nothing was measured have no value. Null when none has.
 */
export function percentile95(draft: LineDraft, query: UsageQuery): Decimal | null {
  const values = new Map<number, Decimal>();
  for (const { series, factor, cells } of draft.series.values()) {
    const byStep = new Map<number, HourCell[]>();
    for (const cell of cells) {
      const step = Math.floor((cell.from - draft.window.from) / query.step);
      byStep.set(step, [...(byStep.get(step) ?? []), cell]);
    }
    for (const [step, own] of byStep) {
      const average = averageOf(own, series.type === 'gauge', factor);
      if (average !== null) values.set(step, add(values.get(step) ?? NOTHING, average));
    }
  }
  return nearestRank([...values.values()], 95);
}

function averageOf(cells: readonly HourCell[], isGauge: boolean, factor: Fraction): Decimal | null {
  const measured = cells.reduce((time, cell) => time + cell.measured, 0);
  if (measured === 0) return null;
  const total = cells.reduce((all, cell) => add(all, isGauge ? cell.area : cell.growth), NOTHING);
  const per = isGauge ? decimal(1) : decimal(SECOND);
  return times(divide(multiply(total, per), decimal(measured), 2 * FIGURE_DIGITS), factor, FIGURE_DIGITS);
}

/** The value at rank ceil(percent/100 x n), counted from 1, ascending. */
export function nearestRank(values: Decimal[], percent: number): Decimal | null {
  values.sort(compare);
  return values[Math.ceil((percent * values.length) / 100) - 1] ?? null;
}
