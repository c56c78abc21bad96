/**
 * Exact decimals. A figure that is billed is never a double on its way: it is read exactly, added exactly, and
 * rounded half-even once, where a rule says so.
 */
export interface Decimal {
  readonly coefficient: bigint;
  /** Digits after the point, as few as the value needs: value = coefficient * 10^-scale. */
  readonly scale: number;
}

/** A decimal that keeps the number literal it came with, since a signature covers the literal: `1.0` signs unlike `1`. */
export interface Volume extends Decimal {
  readonly literal: string;
}

/** The most significant digits, and the most digits on either side of the point, that a literal may have. */
const MOST_DIGITS = 38;
const LITERAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * The value that a JSON number literal spells.
 * @throws RangeError for anything else (NaN, infinities, empty text), for more than 38 significant digits, and for exponents
 *   that would need more than 38 plain digits before or after the point
 */
export function parseDecimal(literal: string): Decimal {
  if (literal.length <= 15 && /^(0|-?[1-9]\d*)$/.test(literal)) return { coefficient: BigInt(literal), scale: 0 };
  const parts = LITERAL.exec(literal);
  if (parts === null) throw wrongNumber(literal, 'a decimal number like 12, -0.5 or 1.5e3');
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const all = whole + fraction;
  const [first, end] = significant(all);
  if (first === end) return ZERO;
  const digits = all.slice(first, end);
  // The power of ten of the last significant digit.
  const power = Number(exponent) - fraction.length + (all.length - end);
  if (digits.length > MOST_DIGITS || power < -MOST_DIGITS || digits.length + power > MOST_DIGITS) {
    throw wrongNumber(literal, `at most ${MOST_DIGITS} digits, before and after the point too,`);
  }
  const coefficient = BigInt(sign + digits);
  return power >= 0 ? { coefficient: coefficient * tenTo(power), scale: 0 } : { coefficient, scale: -power };
}

/** As `parseDecimal`, keeping the literal. A number in quotes is unquoted by the caller. */
export function parseVolume(literal: string): Volume {
  const { coefficient, scale } = parseDecimal(literal);
  return { coefficient, scale, literal };
}

/** A decimal from what the program holds; a double means its shortest spelling (0.1 is one tenth). */
export function decimal(n: bigint | number | string): Decimal {
  return typeof n === 'bigint' ? { coefficient: n, scale: 0 } : parseDecimal(String(n === 0 ? 0 : n));
}

/** Where the digits other than the zeros at either end start and end. */
function significant(digits: string): [first: number, end: number] {
  let first = 0;
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 0x30) end--;
  while (first < end && digits.charCodeAt(first) === 0x30) first++;
  return [first, end];
}

function wrongNumber(literal: string, right: string): RangeError {
  return new RangeError(`Found the number ${JSON.stringify(literal.slice(0, 60))}; ${right} would be right.`);
}

const ZERO: Decimal = { coefficient: 0n, scale: 0 };
const POWERS: readonly bigint[] = Array.from({ length: 80 }, (_, i) => 10n ** BigInt(i));

function tenTo(power: number): bigint {
  return POWERS[power] ?? 10n ** BigInt(power);
}

/** Takes trailing zeros off the fraction, so that equal values look equal. */
function normalised(coefficient: bigint, scale: number): Decimal {
  while (scale > 0 && coefficient % 10n === 0n) {
    coefficient /= 10n;
    scale--;
  }
  return { coefficient, scale };
}

/** Results of arithmetic are exact and have no limit of digits. */
export function add(a: Decimal, b: Decimal): Decimal {
  if (a.scale === b.scale) return normalised(a.coefficient + b.coefficient, a.scale);
  // Scales are minimal, so with different ones the last digit of the sum is the last digit of one term: not a zero.
  if (a.scale < b.scale) {
    return { coefficient: a.coefficient * tenTo(b.scale - a.scale) + b.coefficient, scale: b.scale };
  }
  return { coefficient: a.coefficient + b.coefficient * tenTo(a.scale - b.scale), scale: a.scale };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(b));
}

/** The exact sum of many; aligns only where the scale grows. */
export function sum(values: Iterable<Decimal>): Decimal {
  let coefficient = 0n;
  let scale = 0;
  for (const value of values) {
    if (value.scale > scale) {
      coefficient *= tenTo(value.scale - scale);
      scale = value.scale;
    }
    coefficient += value.scale === scale ? value.coefficient : value.coefficient * tenTo(scale - value.scale);
  }
  return normalised(coefficient, scale);
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return normalised(a.coefficient * b.coefficient, a.scale + b.scale);
}

export function negate(a: Decimal): Decimal {
  return { coefficient: -a.coefficient, scale: a.scale };
}

export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const left = a.scale < b.scale ? a.coefficient * tenTo(b.scale - a.scale) : a.coefficient;
  const right = b.scale < a.scale ? b.coefficient * tenTo(a.scale - b.scale) : b.coefficient;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

export function isZero(a: Decimal): boolean {
  return a.coefficient === 0n;
}

export function minimum(a: Decimal, b: Decimal): Decimal {
  return compare(b, a) < 0 ? b : a;
}

export function maximum(a: Decimal, b: Decimal): Decimal {
  return compare(b, a) > 0 ? b : a;
}

/**
 * a / b, rounded half-even to `digits` digits after the point.
 * @throws RangeError when b is zero
 */
export function divide(a: Decimal, b: Decimal, digits: number): Decimal {
  if (b.coefficient === 0n)
    throw new RangeError(`Found a division of ${toText(a)} by zero; a divisor other than 0 would be right.`);
  const shift = digits + b.scale - a.scale;
  const numerator = shift > 0 ? a.coefficient * tenTo(shift) : a.coefficient;
  const denominator = shift < 0 ? b.coefficient * tenTo(-shift) : b.coefficient;
  return normalised(halfEven(numerator, denominator), digits);
}

/** Rounded half-even to `digits` digits after the point: 0.125 to 0.12, 0.375 to 0.38. */
export function round(a: Decimal, digits: number): Decimal {
  if (a.scale <= digits) return a;
  return normalised(halfEven(a.coefficient, tenTo(a.scale - digits)), digits);
}

function halfEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = absolute(numerator % denominator) * 2n;
  const size = absolute(denominator);
  if (twice < size || (twice === size && quotient % 2n === 0n)) return quotient;
  return numerator < 0n === denominator < 0n ? quotient + 1n : quotient - 1n;
}

function absolute(n: bigint): bigint {
  return n < 0n ? -n : n;
}

/** Plain digits: no exponent, no zeros that say nothing, `0` for zero. */
export function toText(d: Decimal): string {
  if (d.scale === 0) return d.coefficient.toString();
  const digits = absolute(d.coefficient)
    .toString()
    .padStart(d.scale + 1, '0');
  const point = digits.length - d.scale;
  return `${d.coefficient < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The nearest double. Through the text, since dividing two doubles would round twice. */
export function toDouble(d: Decimal): number {
  return d.scale === 0 ? Number(d.coefficient) : Number(`${d.coefficient}e-${d.scale}`);
}
