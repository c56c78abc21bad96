import { isJsonObject, JsonNumber } from '../json.ts';
import type { JsonValue } from '../json.ts';

/**
 * Bytes of a JSON value for signing: every value carries its type and length, members are sorted by the UTF-8 bytes
 * of their names, so that no two different values give the same bytes.
 *
 * | value   | bytes                                        |
 * |---------|----------------------------------------------|
 * | null    | `n`                                          |
 * | boolean | `t` or `f`                                   |
 * | number  | `d` length `:` literal                       |
 * | string  | `s` length in UTF-8 bytes `:` bytes          |
 * | array   | `a` count `:` items                          |
 * | object  | `o` count `:` name as string, value, ...     |
 */
export function canonicalText(value: JsonValue): string {
  if (value === null) return 'n';
  if (value === true) return 't';
  if (value === false) return 'f';
  if (typeof value === 'string') return `s${Buffer.byteLength(value)}:${value}`;
  if (value instanceof JsonNumber) return `d${value.literal.length}:${value.literal}`;
  if (isJsonObject(value)) {
    const members = [...value].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return `o${value.size}:${members.map(([name, member]) => canonicalText(name) + canonicalText(member)).join('')}`;
  }
  return `a${value.length}:${value.map(canonicalText).join('')}`;
}
