import { isJsonObject, JsonNumber } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';
import { add, negate, readDecimal, round, truncate } from '../numbers.ts';
import { ExpressionError } from './tree.ts';
import { isTrue, jsonOf, listOf, numberOf, order, shown, spelled, textOf, wholeOf } from './values.ts';

/** How many arguments a function or method takes, and what it does; a method gets its object as the first. */
export interface Callable {
  readonly fewest: number;
  readonly most: number;
  readonly apply: (args: readonly JsonValue[]) => JsonValue;
}

const NUMERIC = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** Longest text that a method may make. */
const LONGEST = 1_000_000;

export const FUNCTIONS: ReadonlyMap<string, Callable> = new Map<string, Callable>([
  ['abs', of(1, 1, ([x]) => jsonOf(absolute(x)))],
  ['bool', of(1, 1, ([x]) => isTrue(x))],
  ['float', of(1, 1, ([x]) => toNumber(x, 'float'))],
  ['int', of(1, 1, ([x]) => toInteger(x))],
  ['len', of(1, 1, ([x]) => jsonOf({ coefficient: BigInt(sizeOf(x)), scale: 0 }))],
  [
    'list',
    of(1, 1, ([x]) => (isJsonObject(x) ? [...x.keys()] : typeof x === 'string' ? Array.from(x) : listOf(x, 'list'))),
  ],
  ['max', of(1, 100, (args) => extreme(args, 'max', 1))],
  ['min', of(1, 100, (args) => extreme(args, 'min', -1))],
  ['next', of(1, 2, ([list, otherwise]) => firstOf(list, otherwise))],
  ['round', of(1, 2, ([x, digits]) => jsonOf(round(numberOf(x, 'round'), digitsOf(digits))))],
  ['str', of(1, 1, ([x]) => spelled(x))],
  ['sum', of(1, 1, ([x]) => jsonOf(sumOf(listOf(x, 'sum'))))],
]);

export const METHODS: ReadonlyMap<string, Callable> = new Map<string, Callable>([
  ['endswith', of(2, 2, ([x, end]) => textOf(x, 'endswith').endsWith(textOf(end, 'endswith')))],
  ['get', of(2, 3, ([x, key, otherwise]) => membersOf(x, 'get').get(spelled(key)) ?? otherwise ?? null)],
  ['join', of(2, 2, ([x, list]) => joined(textOf(x, 'join'), listOf(list, 'join')))],
  ['keys', of(1, 1, ([x]) => [...membersOf(x, 'keys').keys()])],
  ['lower', of(1, 1, ([x]) => textOf(x, 'lower').toLowerCase())],
  ['lstrip', of(1, 2, ([x, chars]) => stripped(x, chars, true, false))],
  ['replace', of(3, 3, ([x, from, to]) => replaced(textOf(x, 'replace'), from, to))],
  ['rsplit', of(1, 3, ([x, separator, most]) => split(x, separator, most, true))],
  ['rstrip', of(1, 2, ([x, chars]) => stripped(x, chars, false, true))],
  ['split', of(1, 3, ([x, separator, most]) => split(x, separator, most, false))],
  ['startswith', of(2, 2, ([x, start]) => textOf(x, 'startswith').startsWith(textOf(start, 'startswith')))],
  ['strip', of(1, 2, ([x, chars]) => stripped(x, chars, true, true))],
  ['upper', of(1, 1, ([x]) => textOf(x, 'upper').toUpperCase())],
  ['values', of(1, 1, ([x]) => [...membersOf(x, 'values').values()])],
]);

type Args = readonly [JsonValue, JsonValue, JsonValue];

/** Checked for their number before: a missing optional argument is undefined, though the type does not say so. */
function of(fewest: number, most: number, apply: (args: Args) => JsonValue): Callable {
  return { fewest, most, apply: (args) => apply(args as Args) };
}

function absolute(value: JsonValue): ReturnType<typeof numberOf> {
  const number = numberOf(value, 'abs');
  return number.coefficient < 0n ? negate(number) : number;
}

function toNumber(value: JsonValue, what: string): JsonNumber {
  if (typeof value === 'boolean') return new JsonNumber(value ? '1' : '0');
  if (typeof value === 'string') {
    const text = value.trim();
    const number = NUMERIC.test(text) ? readDecimal(normalised(text)) : null;
    if (number === null) throw new ExpressionError(`${what} needs a number; found ${shown(value)}`);
    return jsonOf(number);
  }
  numberOf(value, what);
  return value as JsonNumber;
}

/** The spelling of JSON: no plus sign, no leading zeros, digits on both sides of the point. */
function normalised(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = ''] = /^([+-]?)(\d*)\.?(\d*)(.*)$/.exec(text) ?? [];
  const digits = whole.replace(/^0+(?=\d)/, '') || '0';
  return `${sign === '-' ? '-' : ''}${digits}${fraction === '' ? '' : `.${fraction}`}${exponent}`;
}

function toInteger(value: JsonValue): JsonNumber {
  if (typeof value === 'string' && !/^\s*[+-]?\d+\s*$/.test(value)) {
    throw new ExpressionError(`int needs a whole number; found ${shown(value)}; int(float(...)) cuts decimals off`);
  }
  const number = toNumber(value, 'int');
  return /^-?\d+$/.test(number.literal) ? number : jsonOf(truncate(numberOf(number, 'int')));
}

function sizeOf(value: JsonValue): number {
  if (typeof value === 'string' || Array.isArray(value)) return Array.from(value).length;
  if (isJsonObject(value)) return value.size;
  throw new ExpressionError(`len needs a text, a list or an object; found ${shown(value)}`);
}

function extreme(args: readonly JsonValue[], what: string, direction: 1 | -1): JsonValue {
  const items = args.length === 1 ? listOf(args[0] as JsonValue, what) : args;
  const [first, ...rest] = items;
  if (first === undefined) throw new ExpressionError(`${what} of an empty list`);
  return rest.reduce((best, one) => (order(one, best) * direction > 0 ? one : best), first);
}

function firstOf(list: JsonValue, otherwise: JsonValue | undefined): JsonValue {
  const first = listOf(list, 'next')[0] ?? otherwise;
  if (first === undefined) throw new ExpressionError('next of an empty list; give it a second argument');
  return first;
}

function digitsOf(digits: JsonValue | undefined): number {
  const count = digits === undefined ? 0 : wholeOf(digits, 'round');
  if (count < 0 || count > 38) throw new ExpressionError(`round needs 0 to 38 digits; found ${count}`);
  return count;
}

function sumOf(list: readonly JsonValue[]): ReturnType<typeof numberOf> {
  return list.reduce((sum, one) => add(sum, numberOf(one, 'sum')), { coefficient: 0n, scale: 0 });
}

function membersOf(value: JsonValue, what: string): ReadonlyMap<string, JsonValue> {
  if (!isJsonObject(value)) throw new ExpressionError(`${what} needs an object; found ${shown(value)}`);
  return value;
}

function joined(separator: string, list: readonly JsonValue[]): string {
  return bounded(list.map((one) => textOf(one, 'join')).join(separator));
}

function replaced(text: string, from: JsonValue, to: JsonValue): string {
  return bounded(text.replaceAll(textOf(from, 'replace'), () => textOf(to, 'replace')));
}

function bounded(text: string): string {
  if (text.length > LONGEST) throw new ExpressionError(`the text grows beyond ${LONGEST} characters`);
  return text;
}

function stripped(value: JsonValue, chars: JsonValue | undefined, start: boolean, end: boolean): string {
  const text = Array.from(textOf(value, 'strip'));
  const strips = chars === undefined ? /\s/ : null;
  const set = chars === undefined ? '' : textOf(chars, 'strip');
  const goes = (char: string | undefined): boolean =>
    char !== undefined && (strips === null ? set.includes(char) : strips.test(char));
  let from = 0;
  let to = text.length;
  while (start && from < to && goes(text[from])) from += 1;
  while (end && from < to && goes(text[to - 1])) to -= 1;
  return text.slice(from, to).join('');
}

function split(
  value: JsonValue,
  separator: JsonValue | undefined,
  most: JsonValue | undefined,
  fromRight: boolean,
): string[] {
  const text = textOf(value, 'split');
  const at = separator ?? null;
  if (at === null) return text.split(/\s+/).filter((part) => part !== '');
  if (at === '') throw new ExpressionError('split needs a separator that is not empty');
  const mark = textOf(at, 'split');
  const parts = text.split(mark);
  const limit = most === undefined ? -1 : wholeOf(most, 'split');
  if (limit < 0 || parts.length <= limit + 1) return parts;
  if (fromRight) {
    const cut = parts.length - limit;
    return [parts.slice(0, cut).join(mark), ...parts.slice(cut)];
  }
  return [...parts.slice(0, limit), parts.slice(limit).join(mark)];
}
