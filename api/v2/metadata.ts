import { compareText, isJsonObject } from '@nephometer/core';
import type { JsonObject, JsonValue } from '@nephometer/core';
import { pythonText } from './python.ts';

/**
 * Metadata as API v2 shows it: one level of texts, nested keys joined with `.` for the first level and `:` below
 * (`a.b:c`), empty objects left out.
 */
export function flattenMetadata(metadata: JsonObject): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [path, value] of leaves(metadata, '')) {
    flat.set(path.replaceAll('.', ':').replace(':', '.'), pythonText(value));
  }
  return flat;
}

function* leaves(members: JsonObject, prefix: string): Generator<[path: string, value: JsonValue]> {
  for (const [key, value] of [...members].sort(([a], [b]) => compareText(a, b))) {
    if (isJsonObject(value)) yield* leaves(value, `${prefix}${key}.`);
    else yield [prefix + key, value];
  }
}

/** Posted metadata with its dotted keys nested again. Where a key cannot be nested (its parent is no object) it stays. */
export function nestMetadata(flat: JsonObject): JsonObject {
  const nested: JsonObject = new Map();
  for (const [key, value] of flat) if (!key.includes('.')) nested.set(key, value);
  for (const [key, value] of flat)
    if (key.includes('.') && !nest(nested, key.split('.'), value)) nested.set(key, value);
  return nested;
}

function nest(into: JsonObject, path: readonly string[], value: JsonValue): boolean {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    if (into.has(first)) return false;
    into.set(first, value);
    return true;
  }
  const below = into.get(first) ?? new Map<string, JsonValue>();
  if (!isJsonObject(below)) return false;
  into.set(first, below);
  return nest(below, rest, value);
}
