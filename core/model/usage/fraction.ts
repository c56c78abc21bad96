import { decimal, divide, multiply, parseDecimal } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';

/** An exact quotient, so that 1/3600 is no less exact than 1/1024. */
export interface Fraction {
  readonly numerator: Decimal;
  readonly denominator: Decimal;
}

export const ONE: Fraction = { numerator: decimal(1), denominator: decimal(1) };

/** `1024`, `0.5`, `1/1073741824`. @throws RangeError for anything else, and for zero or less on either side */
export function parseFraction(text: string): Fraction {
  const [numerator = '', denominator = '1', ...more] = text.split('/');
  const [n, d] = [parseDecimal(numerator.trim()), parseDecimal(denominator.trim())];
  if (more.length > 0 || n.coefficient <= 0n || d.coefficient <= 0n) {
    throw new RangeError(`Found the factor ${JSON.stringify(text)}; a number like 0.5 or 1/1024 would be right.`);
  }
  return { numerator: n, denominator: d };
}

/** value x fraction, rounded half-even to `digits`. */
export function times(value: Decimal, { numerator, denominator }: Fraction, digits: number): Decimal {
  return divide(multiply(value, numerator), denominator, digits);
}
