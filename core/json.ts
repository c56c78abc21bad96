/**
 * Lossless JSON: a number keeps the literal it was spelled with, because a signature covers the literal (`1.0` signs
 * unlike `1`) and a counter of nanoseconds outgrows a double. Everything that comes off a wire is read with this.
 *
 *     text --parseJson--> JsonValue --stringifyJson--> text        no digit changes
 *                         JsonValue <--fromPlain / toPlain--> plain JavaScript values (doubles)
 */
export { JsonNumber, isJsonObject } from './json/value.ts';
export type { JsonObject, JsonValue } from './json/value.ts';
export { JsonSyntaxError, parseJson } from './json/parse.ts';
export type { JsonLimits } from './json/parse.ts';
export { stringifyJson } from './json/stringify.ts';
export { detach, fromPlain, toPlain } from './json/plain.ts';
export { jsonEqual } from './json/equal.ts';
