/**
 * Exact decimals for the arithmetic of expressions: coefficient * 10^-scale, scale never below zero. What comes in as
 * 9007199254740993 or 0.1 goes out as such; only a quotient without an end is rounded.
 */
export interface Decimal {
  readonly coefficient: bigint;
  readonly scale: number;
}

const LITERAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;
/** As many digits as a volume may have, also before and after the point. */
const MOST_DIGITS = 38;
/** Longest literal, and farthest exponent, that is calculated with. */
const LONGEST = 400;
/** Significant digits of a quotient that does not end: those of a double. */
const QUOTIENT_DIGITS = 17;

/** The value of a JSON number literal; null for anything else, NaN and infinities included. */
export function readDecimal(literal: string): Decimal | null {
  const parts = literal.length <= LONGEST ? LITERAL.exec(literal) : null;
  if (parts === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const scale = fraction.length - Number(exponent);
  if (Math.abs(scale) > LONGEST) return null;
  const coefficient = BigInt(`${sign}${whole}${fraction}`);
  return trimmed(scale >= 0 ? { coefficient, scale } : { coefficient: coefficient * tenTo(-scale), scale: 0 });
}

/** Digits and a point, never an exponent. */
export function writeDecimal({ coefficient, scale }: Decimal): string {
  const negative = coefficient < 0n;
  const digits = String(negative ? -coefficient : coefficient).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return negative ? `-${text}` : text;
}

/** Whether a literal can be a volume: a decimal of at most 38 digits, before and after the point too. */
export function isVolume(literal: string): boolean {
  const value = readDecimal(literal);
  if (value === null) return false;
  const digits = String(value.coefficient < 0n ? -value.coefficient : value.coefficient);
  const significant = digits.replace(/0+$/, '').length;
  return significant <= MOST_DIGITS && value.scale <= MOST_DIGITS && digits.length - value.scale <= MOST_DIGITS;
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [left, right, scale] = aligned(a, b);
  return trimmed({ coefficient: left + right, scale });
}

export function negate({ coefficient, scale }: Decimal): Decimal {
  return { coefficient: -coefficient, scale };
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return trimmed({ coefficient: a.coefficient * b.coefficient, scale: a.scale + b.scale });
}

export function compare(a: Decimal, b: Decimal): number {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Exact where the quotient ends within 34 digits, else rounded half-even to 17 significant ones. `b` is not zero. */
export function divide(a: Decimal, b: Decimal): Decimal {
  const [left, right] = aligned(a, b);
  const exact = left * tenTo(34);
  if (exact % right === 0n) return trimmed({ coefficient: exact / right, scale: 34 });
  const lead = String(left / right).replace('-', '').length;
  const small = left / right === 0n ? String(right).length - String(left).length + 1 : 0;
  const scale = Math.max(0, QUOTIENT_DIGITS - lead + Math.max(0, small));
  return trimmed({ coefficient: roundedQuotient(left * tenTo(scale), right), scale });
}

/** As Python's // : rounded down, so that -7 // 2 is -4. `b` is not zero. */
export function floorDivide(a: Decimal, b: Decimal): Decimal {
  const [left, right] = aligned(a, b);
  const quotient = left / right;
  const down = left % right !== 0n && left < 0n !== right < 0n;
  return { coefficient: down ? quotient - 1n : quotient, scale: 0 };
}

/** As Python's % : has the sign of `b`, which is not zero. */
export function modulo(a: Decimal, b: Decimal): Decimal {
  return add(a, negate(multiply(b, floorDivide(a, b))));
}

export function truncate({ coefficient, scale }: Decimal): Decimal {
  return { coefficient: coefficient / tenTo(scale), scale: 0 };
}

/** Half-even, as Python's round. */
export function round(value: Decimal, digits: number): Decimal {
  if (value.scale <= digits) return value;
  return trimmed({ coefficient: roundedQuotient(value.coefficient, tenTo(value.scale - digits)), scale: digits });
}

function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  const negative = dividend < 0n !== divisor < 0n;
  const [over, under] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor];
  const quotient = over / under;
  const twice = (over % under) * 2n;
  const up = twice > under || (twice === under && quotient % 2n === 1n);
  const size = up ? quotient + 1n : quotient;
  return negative ? -size : size;
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.coefficient * tenTo(scale - a.scale), b.coefficient * tenTo(scale - b.scale), scale];
}

function trimmed({ coefficient, scale }: Decimal): Decimal {
  while (scale > 0 && coefficient % 10n === 0n) {
    coefficient /= 10n;
    scale -= 1;
  }
  return { coefficient, scale };
}

function tenTo(power: number): bigint {
  return 10n ** BigInt(power);
}
