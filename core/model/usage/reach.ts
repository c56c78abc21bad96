import { add, decimal, divide, isZero, maximum, minimum, multiply, subtract } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import { HOUR } from '../../time.ts';
import type { Micros } from '../../time.ts';
import { ONE, times } from './fraction.ts';
import type { Fraction } from './fraction.ts';
import { areaAsHours, FIGURE_DIGITS } from './integral.ts';
import { NOTHING } from './pieces.ts';
import type { UsageQuery } from './query.ts';
import type { HourCell } from './types.ts';

/** What a line has in an hour, in the unit of the result; at least, at most, and with its gaps filled. Null: nothing bounds it. */
export interface HourFigures {
  readonly quantity: Decimal;
  readonly least: Decimal | null;
  readonly most: Decimal | null;
  readonly filled: Decimal | null;
}

const NO_FIGURES: HourFigures = { quantity: NOTHING, least: NOTHING, most: NOTHING, filled: NOTHING };

/**
 * The figures of one hour. Bounds are differences of running figures, each rounded at the same cuts and in the same way as the
 * quantity: what a gap hides would have been rounded there, had it been measured. So over full hours they hold the
 * complete figure to the last digit; a cut within an hour that has gaps, also where the owner changes, may cost them a unit of
 * it, as any cut may.
 */
export class ReachingFigures {
  readonly #query: UsageQuery;
  readonly #factor: Fraction;
  /** Quantity before its conversion; the same times microseconds an hour, exact where it can be. */
  #running = NOTHING;
  #area = NOTHING;
  #filledArea = NOTHING;
  #gap: Micros = 0;
  #claimed: Micros = 0;
  /** How it stood when a line was last given its part. */
  #before: HourFigures & { readonly gap: Micros } = { ...NO_FIGURES, gap: 0 };

  constructor(query: UsageQuery, factor: Fraction) {
    this.#query = query;
    this.#factor = factor;
  }

  /** @param cell the next of the hour */
  add(cell: HourCell): void {
    this.#running = add(this.#running, figureOf(cell, this.#query));
    this.#area = add(this.#area, areaOf(cell, this.#query));
    this.#filledArea = add(this.#filledArea, filledOf(cell, this.#query));
    for (const { from, to } of cell.gaps) this.#gap += to - from;
  }

  /** What the cells since the last call come to: the part of one line. */
  take(): HourFigures {
    const before = this.#before;
    const now = { ...this.#now(), gap: this.#gap };
    this.#before = now;
    const quantity = subtract(now.quantity, before.quantity);
    if (now.gap === before.gap) return { quantity, least: quantity, most: quantity, filled: quantity };
    const most = difference(now.most, before.most);
    return {
      quantity,
      least: difference(now.least, before.least),
      // Rounding must not take from what is known.
      most: most === null || this.#isFalling() ? most : maximum(most, quantity),
      filled: difference(now.filled, before.filled),
    };
  }

  /**
   * A stretch of a gap that may be of the line that the cell is in, or of another: what it takes from the bounds of the one
   * and adds to those of the other. Rounded in the hour as it is everywhere.
   */
  claim(time: Micros): { readonly former: HourFigures; readonly latter: HourFigures } {
    const [from, to] = [this.#claimed, this.#claimed + time];
    this.#claimed = to;
    const { kind, floor, ceiling } = this.#query;
    if (kind === 'duration') {
      const hours = subtract(this.#hoursOf(to), this.#hoursOf(from));
      return { former: NO_FIGURES, latter: { ...NO_FIGURES, most: hours } };
    }
    const least = floor === null ? null : between(floor, from, to);
    const most = ceiling === null ? null : between(ceiling, from, to);
    return {
      former: {
        ...NO_FIGURES,
        least: subtract(NOTHING, maximum(least ?? NOTHING, NOTHING)),
        most: subtract(NOTHING, minimum(most ?? NOTHING, NOTHING)),
      },
      latter: {
        ...NO_FIGURES,
        least: least === null ? null : minimum(least, NOTHING),
        most: most === null ? null : maximum(most, NOTHING),
      },
    };
  }

  #hoursOf(time: Micros): Decimal {
    return into(areaAsHours(decimal(time)), this.#factor);
  }

  #isFalling(): boolean {
    return (this.#query.ceiling?.coefficient ?? 0n) < 0n;
  }

  #now(): HourFigures {
    const quantity = into(this.#running, this.#factor);
    if (this.#gap === 0) return { quantity, least: quantity, most: quantity, filled: quantity };
    const { kind, floor, ceiling } = this.#query;
    const filled = isZero(this.#filledArea) ? quantity : this.#with(this.#filledArea, ONE);
    if (kind === 'duration') return { quantity, least: quantity, most: this.#with(decimal(this.#gap), ONE), filled };
    return { quantity, least: this.#over(floor, quantity), most: this.#over(ceiling, quantity), filled };
  }

  /** A level or growth an hour, in the unit of the result, over the gaps. */
  #over(rate: Decimal | null, quantity: Decimal): Decimal | null {
    if (rate === null || isZero(rate)) return rate === null ? null : quantity;
    const { numerator, denominator } = this.#factor;
    return this.#with(multiply(rate, decimal(this.#gap)), { numerator: denominator, denominator: numerator });
  }

  /** What it were with some more value x microseconds. @param to what those are multiplied by, exactly */
  #with(more: Decimal, to: Fraction): Decimal {
    const area = add(multiply(this.#area, to.denominator), multiply(more, to.numerator));
    return into(divide(area, multiply(to.denominator, PER_HOUR), FIGURE_DIGITS), this.#factor);
  }
}

const PER_HOUR = decimal(HOUR);

function figureOf(cell: HourCell, { kind }: UsageQuery): Decimal {
  if (kind === 'duration') return cell.hours;
  if (kind === 'integral') return cell.integral;
  return kind === 'increase' || kind === 'sum' ? cell.growth : NOTHING;
}

function areaOf(cell: HourCell, { kind }: UsageQuery): Decimal {
  if (kind === 'duration') return decimal(cell.measured);
  if (kind === 'integral') return cell.area;
  return kind === 'sum' ? multiply(cell.growth, PER_HOUR) : NOTHING;
}

function filledOf(cell: HourCell, { kind, estimate }: UsageQuery): Decimal {
  if (estimate === 'none') return NOTHING;
  if (kind === 'duration') return decimal(cell.filled);
  return kind === 'integral' ? cell.filledArea : NOTHING;
}

function into(value: Decimal, factor: Fraction): Decimal {
  return factor === ONE ? value : times(value, factor, FIGURE_DIGITS);
}

/** A level or growth an hour over a stretch of the time that is claimed in the hour. */
function between(rate: Decimal, from: Micros, to: Micros): Decimal {
  const upTo = (time: Micros): Decimal => areaAsHours(multiply(rate, decimal(time)));
  return subtract(upTo(to), upTo(from));
}

function difference(now: Decimal | null, before: Decimal | null): Decimal | null {
  return now === null || before === null ? null : subtract(now, before);
}
