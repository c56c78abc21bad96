import { pythonFloat } from '../signing/number-literal.ts';
import { JsonNumber } from './value.ts';
import type { JsonObject, JsonValue } from './value.ts';

const DEEPEST = 1000;

/**
 * Plain JavaScript: numbers become doubles (and lose what a double cannot hold), objects have no prototype, so that a key
 * `__proto__` is a key like any other.
 */
export function toPlain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.literal);
  if (Array.isArray(value)) return value.map(toPlain);
  if (!(value instanceof Map)) return value;
  const members = Object.create(null) as Record<string, unknown>;
  for (const [key, member] of value) members[key] = toPlain(member);
  return members;
}

/**
 * The way back. Integers that a double holds exactly become digits (`-0` is `0`); other numbers are spelled as Python spells
 * them (`0.1`, `1e+16`, `1e-07`); bigints are digits. Undefined members are left out, undefined items are null, `toJSON`
 * is honoured (a Date becomes ISO text), Maps are objects, and a JsonNumber stays what it is.
 * @throws TypeError naming the place of a function, a symbol, a cycle, or nesting deeper than 1000
 */
export function fromPlain(value: unknown): JsonValue {
  return convert(value, []);
}

interface Step {
  readonly container: object;
  readonly key: string;
}

function convert(value: unknown, path: Step[]): JsonValue {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return fromNumber(value);
  if (typeof value === 'bigint') return new JsonNumber(value.toString());
  if (typeof value === 'object') return value instanceof JsonNumber ? value : fromObject(value, path);
  const right = 'text, a number, a boolean, null, an array or an object would be right';
  throw new TypeError(`JSON: found ${describe(value)} at ${place(path)}; ${right}.`);
}

function fromNumber(value: number): JsonNumber {
  if (Number.isSafeInteger(value)) return new JsonNumber(value === 0 ? '0' : String(value));
  return new JsonNumber(Number.isFinite(value) ? pythonFloat(value) : String(value));
}

function fromObject(value: object, path: Step[]): JsonValue {
  if (path.length >= DEEPEST)
    throw new TypeError(`JSON: found nesting deeper than ${DEEPEST} levels; flatten the value.`);
  if (path.some((step) => step.container === value)) {
    throw new TypeError(`JSON: found a cycle at ${place(path)}; a value must not contain itself.`);
  }
  if (Array.isArray(value)) return value.map((item, i) => inside(value, String(i), item ?? null, path));
  if ('toJSON' in value && typeof value.toJSON === 'function') return inside(value, 'toJSON()', value.toJSON(), path);
  const members: JsonObject = new Map();
  for (const [key, member] of value instanceof Map ? (value as Map<unknown, unknown>) : Object.entries(value)) {
    if (typeof key !== 'string')
      throw new TypeError(`JSON: found ${describe(key)} as a key at ${place(path)}; keys are text.`);
    if (member !== undefined) members.set(key, inside(value, key, member, path));
  }
  return members;
}

function inside(container: object, key: string, value: unknown, path: Step[]): JsonValue {
  path.push({ container, key });
  const converted = convert(value, path);
  path.pop();
  return converted;
}

function describe(value: unknown): string {
  return value === undefined ? 'undefined' : `a ${typeof value}`;
}

function place(path: readonly Step[]): string {
  return path.length === 0 ? 'the top' : path.map((step) => step.key).join('.');
}

/**
 * A copy that stands alone. A string cut from a message by `parseJson` keeps the whole message in memory; whoever keeps
 * one string for long (a set of ids) and not the message detaches it.
 */
export function detach(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
