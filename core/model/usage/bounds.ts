import { add, decimal, divide, maximum, minimum, multiply, subtract } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import type { Micros } from '../../time.ts';
import { areaAsHours, FIGURE_DIGITS } from './integral.ts';
import type { UsageQuery } from './query.ts';
import type { Tally } from './tally.ts';

/**
 * What a line is at least and at most, whatever gaps and resets hide. `floor` is 0 unless the question says otherwise,
 * `ceiling` unknown; g is the time of the gaps in hours, u the time in which a counter may have grown unseen.
 *
 * | kind     | lower                                    | upper                                              |
 * |----------|------------------------------------------|----------------------------------------------------|
 * | duration | quantity                                 | quantity + g                                       |
 * | integral | quantity + floor x g                     | quantity + ceiling x g                             |
 * | increase | quantity - shares of long steps that leave the line | quantity + their rest + known values hidden + ceiling x u |
 * | sum      | quantity + floor x g                     | quantity + ceiling x g; null where nobody reports cycles |
 * | max      | quantity                                 | ceiling                                            |
 * | min      | floor                                    | quantity                                           |
 * | avg      | (what was measured + floor x g) / time   | (what was measured + ceiling x g) / time           |
 * | count, peak, distinct | quantity                    | null                                               |
 * | last, p95| null                                     | null                                               |
 *
 * Where the readings around a gap are of different lines, it is a gap of the former. The latter is bounded as if it had the gap
 * too; of the former only what widens its bounds counts (`Claim` in types.ts). The growth of a step over such a gap may be in
 * either wholly.
 *
 * Those of duration, integral and sum are running figures, as the quantity is (reach.ts). Without gaps and resets both are the
 * quantity. What holds by rule (a reading, for max_hold at most) counts as known.
 */
export interface Bounds {
  readonly lower: Decimal | null;
  readonly upper: Decimal | null;
}

export function boundsOf(quantity: Decimal, tally: Tally, query: UsageQuery): Bounds {
  const { floor, ceiling, kind } = query;
  if (kind === 'increase') return ofIncrease(quantity, tally, ceiling);
  if (kind === 'sum' && tally.byNothing) return { lower: quantity, upper: null };
  if (tally.gap === 0 && tally.claimed === 0) return { lower: quantity, upper: quantity };
  switch (kind) {
    case 'duration':
    case 'integral':
    case 'sum':
      return { lower: tally.least, upper: tally.most };
    case 'max':
      return { lower: quantity, upper: ceiling === null ? null : maximum(ceiling, quantity) };
    case 'min':
      return { lower: floor === null ? null : minimum(floor, quantity), upper: quantity };
    case 'avg':
      return { lower: averageWith(floor, tally, minimum), upper: averageWith(ceiling, tally, maximum) };
    case 'count':
    case 'peak':
    case 'distinct':
      return { lower: quantity, upper: null };
    case 'last':
    case 'p95':
      return { lower: null, upper: null };
  }
}

function over(rate: Decimal | null, base: Decimal, time: Micros): Decimal | null {
  return rate === null ? null : add(base, areaAsHours(multiply(rate, decimal(time))));
}

function ofIncrease(quantity: Decimal, tally: Tally, ceiling: Decimal | null): Bounds {
  const lower = subtract(quantity, tally.bridged);
  const known = add(quantity, add(tally.hidden, tally.bridgedElsewhere));
  return { lower, upper: tally.unbounded === 0 ? known : over(ceiling, known, tally.unbounded) };
}

/** What is disputed is in the line or not, all of it or none: either end of that is the furthest that a level takes the average. */
function averageWith(level: Decimal | null, tally: Tally, further: typeof maximum): Decimal | null {
  if (level === null || tally.type !== 'gauge') return null;
  const { area, measured, gap, disputed, claimed } = tally;
  const over = (time: Micros): Decimal =>
    divide(add(area, multiply(level, decimal(time))), decimal(measured + time), FIGURE_DIGITS);
  return disputed + claimed === 0 ? over(gap) : further(over(gap - disputed), over(gap + claimed));
}

/** The quantity with its gaps filled, by the policy asked for; null where it does not apply. */
export function estimateOf(quantity: Decimal, tally: Tally, query: UsageQuery): Decimal | null {
  if (query.estimate === 'none') return null;
  if (query.kind === 'duration' || query.kind === 'integral') return tally.filled;
  return tally.gap === 0 ? quantity : null;
}
