import { isJsonObject, JsonNumber } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';
import type { Comparison, Condition, Expression, Operator, Step } from './jsonpath.ts';

/** All that an expression finds, in order. Numbers that are only looked up keep their literal. */
export function findAll(expression: Expression, root: JsonValue): JsonValue[] {
  switch (expression.kind) {
    case 'literal':
      return [expression.value];
    case 'path':
      return follow(expression.steps, root);
    case 'union':
      return [...findAll(expression.left, root), ...findAll(expression.right, root)];
    case 'arithmetic':
      return calculate(expression, root);
    default:
      return [];
  }
}

/** The first thing found that is not null; null when there is none. */
export function findFirst(expression: Expression, root: JsonValue): JsonValue {
  return findAll(expression, root).find((value) => value !== null) ?? null;
}

function follow(steps: readonly Step[], root: JsonValue): JsonValue[] {
  return steps.reduce<JsonValue[]>((values, step) => values.flatMap((value) => stepFrom(value, step)), [root]);
}

function stepFrom(value: JsonValue, step: Step): JsonValue[] {
  switch (step.kind) {
    case 'child':
      return isJsonObject(value) && value.has(step.name) ? [value.get(step.name) ?? null] : [];
    case 'children':
      return isJsonObject(value) ? [...value.values()] : Array.isArray(value) ? value : [];
    case 'descendants':
      return descendants(value, step.name);
    case 'index':
      return Array.isArray(value) && step.index < value.length ? [value[step.index] ?? null] : [];
    case 'items':
      // What is no list counts as a list of itself.
      return Array.isArray(value) ? value : [value];
    case 'filter':
      return Array.isArray(value) ? value.filter((item) => step.conditions.every((one) => holds(one, item))) : [];
    case 'function': {
      const result = step.apply(value);
      return result === undefined ? [] : [result];
    }
    default:
      return [];
  }
}

function descendants(value: JsonValue, name: string): JsonValue[] {
  if (Array.isArray(value)) return value.flatMap((item) => descendants(item, name));
  if (!isJsonObject(value)) return [];
  return [...value].flatMap(([key, member]) => [...(key === name ? [member] : []), ...descendants(member, name)]);
}

function holds({ steps, comparison }: Condition, item: JsonValue): boolean {
  const found = follow(steps, item);
  if (comparison === null) return found.length > 0;
  return found.some((value) => compares(value, comparison.operator, comparison.value));
}

/** Numbers by value where both are numbers, else by their text. */
function compares(found: JsonValue, operator: Comparison, wanted: JsonValue): boolean {
  if (!(found instanceof JsonNumber && wanted instanceof JsonNumber)) return comparesText(found, operator, wanted);
  return ordered(Number(found.literal) - Number(wanted.literal), operator);
}

function comparesText(found: JsonValue, operator: Comparison, wanted: JsonValue): boolean {
  const [left, right] = [scalarText(found), scalarText(wanted)];
  if (left === null || right === null) return operator === '!=';
  return ordered(left === right ? 0 : left < right ? -1 : 1, operator);
}

function scalarText(value: JsonValue): string | null {
  if (value instanceof JsonNumber) return value.literal;
  return typeof value === 'object' ? null : String(value);
}

function ordered(difference: number, operator: Comparison): boolean {
  switch (operator) {
    case '=':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    case '>=':
      return difference >= 0;
    default:
      return false;
  }
}

/** Pairs what both sides found; a literal goes with each. Sides of different lengths, or wrong types, give nothing. */
function calculate(
  { operator, left, right }: Extract<Expression, { kind: 'arithmetic' }>,
  root: JsonValue,
): JsonValue[] {
  let [lefts, rights] = [findAll(left, root), findAll(right, root)];
  if (left.kind === 'literal') lefts = rights.map(() => left.value);
  if (right.kind === 'literal') rights = lefts.map(() => right.value);
  if (lefts.length !== rights.length) return [];
  const results = lefts.map((value, index) => combine(value, operator, rights[index] ?? null));
  return results.every((result) => result !== null) ? results : [];
}

function combine(a: JsonValue, operator: Operator, b: JsonValue): JsonValue {
  if (typeof a === 'string' && typeof b === 'string') return operator === '+' ? a + b : null;
  if (!(a instanceof JsonNumber) || !(b instanceof JsonNumber)) return null;
  const isWhole = isInteger(a) && isInteger(b) && operator !== '/';
  return isWhole ? wholeResult(BigInt(a.literal), operator, BigInt(b.literal)) : floatResult(a, operator, b);
}

function isInteger({ literal }: JsonNumber): boolean {
  return /^-?\d+$/.test(literal);
}

function wholeResult(a: bigint, operator: Operator, b: bigint): JsonNumber {
  const result = operator === '+' ? a + b : operator === '-' ? a - b : a * b;
  return new JsonNumber(result.toString());
}

/** With a fraction on either side in doubles, as Python counts: definitions written for it give the same figures. */
function floatResult(
  { literal: left }: JsonNumber,
  operator: Operator,
  { literal: right }: JsonNumber,
): JsonNumber | null {
  const [a, b] = [Number(left), Number(right)];
  const result = operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b;
  return Number.isFinite(result) ? new JsonNumber(String(result)) : null;
}

/** Whether a value says nothing: null, false, 0, an empty text, list or object. */
export function isEmpty(value: JsonValue): boolean {
  if (value === null || value === false || value === '') return true;
  if (value instanceof JsonNumber) return Number(value.literal) === 0;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && value.size === 0;
}
