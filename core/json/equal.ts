import { JsonNumber } from './value.ts';
import type { JsonObject, JsonValue } from './value.ts';

/**
 * Whether two values say the same: numbers by exact decimal value (1, 1.0 and 1e0 are one; NaN is itself), members in any
 * order. 2^53 and 2^53+1 differ, however spelled.
 */
export function jsonEqual(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (a instanceof JsonNumber) return b instanceof JsonNumber && equalNumbers(a.literal, b.literal);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEqual(item, b[i] as JsonValue));
  }
  return a instanceof Map && b instanceof Map && equalObjects(a, b);
}

function equalObjects(a: JsonObject, b: JsonObject): boolean {
  if (a.size !== b.size) return false;
  for (const [key, member] of a) {
    const other = b.get(key);
    if (other === undefined || !jsonEqual(member, other)) return false;
  }
  return true;
}

function equalNumbers(a: string, b: string): boolean {
  return a === b || canonical(a) === canonical(b);
}

/** Sign, digits without zeros at either end, power of ten: one spelling for each value. Text, so no literal is too large. */
function canonical(literal: string): string {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (parts === null) return literal;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - end);
  return `${sign}${digits.slice(0, end)}e${power}`;
}
