import { JsonNumber } from './value.ts';
import type { JsonValue } from './value.ts';

/**
 * Compact JSON text: number literals unchanged, members in insertion order, lone surrogates as `\uXXXX` (so the text can
 * always be sent as UTF-8). `NaN` and the infinities are written as Python writes them, which plain JSON readers refuse.
 */
export function stringifyJson(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof JsonNumber) return value.literal;
  if (value === null) return 'null';
  if (value === true) return 'true';
  if (value === false) return 'false';
  return Array.isArray(value) ? array(value) : object(value);
}

function array(items: readonly JsonValue[]): string {
  let text = '[';
  for (const item of items) text += (text.length > 1 ? ',' : '') + stringifyJson(item);
  return text + ']';
}

function object(members: ReadonlyMap<string, JsonValue>): string {
  let text = '{';
  for (const [key, value] of members) {
    text += (text.length > 1 ? ',' : '') + JSON.stringify(key) + ':' + stringifyJson(value);
  }
  return text + '}';
}
