import { isJsonObject } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';
import { evaluate } from './expression/evaluate.ts';
import { parseExpressions } from './expression/parse.ts';
import { ExpressionError } from './expression/tree.ts';
import type { Tree } from './expression/tree.ts';

/** `a.b | expression | expression`: where a value stands in an entry, and what is made of it. */
export interface Path {
  /** As it stands in the definition. */
  readonly text: string;
  /** None for the entry itself, `.`. */
  readonly keys: readonly string[];
  readonly operations: readonly Tree[];
}

/** @throws ExpressionError */
export function parsePath(text: string): Path {
  const bar = text.indexOf('|');
  const place = (bar === -1 ? text : text.slice(0, bar)).trim();
  if (place === '') {
    throw new ExpressionError(
      `must be a path such as id or flavor.id, or "." for the entry itself; found ${JSON.stringify(text)}`,
    );
  }
  const keys = place === '.' ? [] : place.split('.');
  if (keys.includes('')) {
    throw new ExpressionError(`must name a key between any two dots; found ${JSON.stringify(place)}`);
  }
  return { text, keys, operations: bar === -1 ? [] : parseExpressions(text.slice(bar + 1)) };
}

/** What stands at a path; undefined where there is no such key. @throws ExpressionError when an operation fails */
export function valueAt(path: Path, entry: JsonValue): JsonValue | undefined {
  let value: JsonValue | undefined = entry;
  for (const key of path.keys) {
    if (isJsonObject(value)) value = value.get(key);
    else if (Array.isArray(value) && /^\d{1,9}$/.test(key)) value = value[Number(key)];
    else value = undefined;
    if (value === undefined) return undefined;
  }
  return path.operations.length === 0 ? value : evaluate(path.operations, value);
}
