import { add, decimal, divide, multiply } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import { HOUR } from '../../time.ts';
import type { Micros } from '../../time.ts';
import type { EdgeRule, Step } from './types.ts';

/** Digits that a running figure is rounded to, half-even, at each cut. */
export const FIGURE_DIGITS = 12;

const PER_HOUR = decimal(HOUR);
const ZERO = decimal(0);
const ONE = decimal(1);

/** Microseconds as hours, rounded once. */
export function asHours(micros: Micros | bigint): Decimal {
  return divide({ coefficient: BigInt(micros), scale: 0 }, PER_HOUR, FIGURE_DIGITS);
}

/** value x microseconds as value x hours, rounded once. */
export function areaAsHours(area: Decimal): Decimal {
  return divide(area, PER_HOUR, FIGURE_DIGITS);
}

/** What an hour has had since its start, exact; rounded only when it is read at a cut. */
export class Running {
  #micros: Micros = 0;
  #area = ZERO;
  #whole = ZERO;
  /** Shares of steps that are not whole: amount x micros / length. */
  #shares: { readonly step: Step; micros: Micros }[] = [];

  hold(micros: Micros): void {
    this.#micros += micros;
  }

  /** @returns the area that was added */
  level(value: Decimal, micros: Micros): Decimal {
    const area = multiply(value, decimal(BigInt(micros)));
    this.#area = add(this.#area, area);
    return area;
  }

  /** The share that a step has in [from, to). Given whole to the part that it ends in, or by time. */
  grow(step: Step, from: Micros, to: Micros, edge: EdgeRule): void {
    if (edge === 'end') {
      if (step.to === to) this.add(step.amount);
      return;
    }
    if (step.from === from && step.to === to) return this.add(step.amount);
    let share = this.#shares.find((known) => known.step === step);
    if (share === undefined) this.#shares.push((share = { step, micros: 0 }));
    share.micros += to - from;
    if (share.micros < step.to - step.from) return;
    this.#shares = this.#shares.filter((known) => known !== share);
    this.add(step.amount);
  }

  add(amount: Decimal): void {
    this.#whole = add(this.#whole, amount);
  }

  hours(): Decimal {
    return asHours(this.#micros);
  }

  integral(): Decimal {
    return areaAsHours(this.#area);
  }

  growth(): Decimal {
    let numerator = this.#whole;
    let denominator = ONE;
    for (const { step, micros } of this.#shares) {
      const length = decimal(BigInt(step.to - step.from));
      const share = multiply(step.amount, decimal(BigInt(micros)));
      numerator = add(multiply(numerator, length), multiply(share, denominator));
      denominator = multiply(denominator, length);
    }
    return divide(numerator, denominator, FIGURE_DIGITS);
  }
}
