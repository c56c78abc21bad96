import { isJsonObject, JsonNumber, stringifyJson } from '@nephometer/core';
import type { JsonValue } from '@nephometer/core';

const NOT_JSON = /\b(?:NaN|Infinity)\b/;

/** JSON text that every reader takes: what Python writes as NaN or Infinity, and JSON has not, becomes that text. */
export function strictJson(value: JsonValue): string {
  const text = stringifyJson(value);
  return NOT_JSON.test(text) ? stringifyJson(finite(value)) : text;
}

function finite(value: JsonValue): JsonValue {
  if (value instanceof JsonNumber) return NOT_JSON.test(value.literal) ? value.literal : value;
  if (Array.isArray(value)) return value.map(finite);
  return isJsonObject(value) ? new Map([...value].map(([key, member]) => [key, finite(member)])) : value;
}
