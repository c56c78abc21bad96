import { divide, isZero, maximum, multiply } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import type { Fraction } from './fraction.ts';

export const ROUNDING_PLACES = ['sample', 'resource', 'period'] as const;
export const ROUNDING_WAYS = ['ceil', 'floor', 'half-up', 'half-even'] as const;

/**
 * A biller's rounding. It comes after the figures, so rounded figures need not add up. `sample`: each volume, before anything
 * is done with it; `resource`: what each resource has in a line; `period`: each line.
 */
export interface Rounding {
  readonly where: (typeof ROUNDING_PLACES)[number];
  readonly how: (typeof ROUNDING_WAYS)[number];
  /** Rounded to a multiple of this, in the unit of what is rounded: `1/60` of an hour is a minute. */
  readonly to: Fraction;
  /** What is more than zero counts as at least this. */
  readonly minimum: Decimal | null;
}

/** Half goes away from zero in `half-up`; `ceil` and `floor` go up and down the number line. */
export function applyRounding(value: Decimal, { how, to, minimum }: Rounding, digits: number): Decimal {
  const scaled = multiply(value, to.denominator);
  const unit = to.numerator;
  const whole: Decimal = { coefficient: wholes(scaled, unit, how), scale: 0 };
  const rounded = divide(multiply(whole, to.numerator), to.denominator, digits);
  const isUsed = !isZero(value) && value.coefficient > 0n;
  return minimum !== null && isUsed ? maximum(rounded, minimum) : rounded;
}

function wholes(value: Decimal, unit: Decimal, how: Rounding['how']): bigint {
  if (how === 'half-even') return divide(value, unit, 0).coefficient;
  const scale = Math.max(value.scale, unit.scale);
  const numerator = value.coefficient * 10n ** BigInt(scale - value.scale);
  const denominator = unit.coefficient * 10n ** BigInt(scale - unit.scale);
  const quotient = numerator / denominator;
  const rest = numerator % denominator;
  if (rest === 0n) return quotient;
  if (how === 'ceil') return rest > 0n ? quotient + 1n : quotient;
  if (how === 'floor') return rest > 0n ? quotient : quotient - 1n;
  if (2n * (rest < 0n ? -rest : rest) < denominator) return quotient;
  return rest > 0n ? quotient + 1n : quotient - 1n;
}

/** Rounds volumes that a rounding by sample is for. */
export function roundVolume(volume: Decimal, rounding: Rounding | null, digits: number): Decimal {
  return rounding?.where === 'sample' ? applyRounding(volume, rounding, digits) : volume;
}
