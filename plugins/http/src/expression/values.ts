import { isJsonObject, JsonNumber, stringifyJson } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';
import { compare, readDecimal, writeDecimal } from '../numbers.ts';
import type { Decimal } from '../numbers.ts';
import { ExpressionError } from './tree.ts';

/** A number to calculate with. @throws ExpressionError for all else, NaN and infinities included */
export function numberOf(value: JsonValue, what: string): Decimal {
  const number = value instanceof JsonNumber ? readDecimal(value.literal) : null;
  if (number === null) throw new ExpressionError(`${what} needs a number; found ${shown(value)}`);
  return number;
}

export function textOf(value: JsonValue, what: string): string {
  if (typeof value !== 'string') throw new ExpressionError(`${what} needs a text; found ${shown(value)}`);
  return value;
}

export function listOf(value: JsonValue, what: string): JsonValue[] {
  if (!Array.isArray(value)) throw new ExpressionError(`${what} needs a list; found ${shown(value)}`);
  return value;
}

export function wholeOf(value: JsonValue, what: string): number {
  const number = numberOf(value, what);
  if (number.scale !== 0) throw new ExpressionError(`${what} needs a whole number; found ${shown(value)}`);
  return Number(number.coefficient);
}

export function jsonOf(number: Decimal): JsonNumber {
  return new JsonNumber(writeDecimal(number));
}

/** Empty, zero, false and None are not. */
export function isTrue(value: JsonValue): boolean {
  if (value instanceof JsonNumber) return readDecimal(value.literal)?.coefficient !== 0n;
  if (Array.isArray(value)) return value.length > 0;
  return isJsonObject(value) ? value.size > 0 : Boolean(value);
}

/** Numbers by value: 1 and 1.0 are one. */
export function areEqual(a: JsonValue, b: JsonValue): boolean {
  if (a instanceof JsonNumber && b instanceof JsonNumber) {
    const [left, right] = [readDecimal(a.literal), readDecimal(b.literal)];
    return left === null || right === null ? a.literal === b.literal : compare(left, right) === 0;
  }
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, i) => isSame(one, b[i]));
  if (isJsonObject(a)) return isJsonObject(b) && a.size === b.size && [...a].every(([k, one]) => isSame(one, b.get(k)));
  return a === b;
}

function isSame(a: JsonValue, b: JsonValue | undefined): boolean {
  return b !== undefined && areEqual(a, b);
}

/** Below zero when a comes first. @throws ExpressionError when the two have no order */
export function order(a: JsonValue, b: JsonValue): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (a instanceof JsonNumber && b instanceof JsonNumber) return compare(numberOf(a, 'order'), numberOf(b, 'order'));
  throw new ExpressionError(`${shown(a)} and ${shown(b)} have no order`);
}

/** As Python's str(): a number as it was spelled, True, False, None. */
export function spelled(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return stringifyJson(value);
}

/** For messages: short, with its kind. */
export function shown(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isJsonObject(value)) return `an object (${cut([...value.keys()].slice(0, 5).join(', '))})`;
  if (value instanceof JsonNumber) return cut(value.literal);
  return typeof value === 'string' ? JSON.stringify(cut(value)) : String(value);
}

function cut(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
