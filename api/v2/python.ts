import { JsonNumber, numberText } from '@nephometer/core';
import type { JsonValue } from '@nephometer/core';

/** What a scalar of a query can be. */
export type Literal = string | number | boolean | null;

const NAMES: ReadonlyMap<string, Literal> = new Map<string, Literal>([
  ['True', true],
  ['False', false],
  ['None', null],
]);
const NUMBER = /^[+-]?(?:0|[1-9]\d*|(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?)$/;
const HEXADECIMAL = /^0[xX][0-9a-fA-F]+$/;

/**
 * A value without a type is read as a Python literal where it is one (`5`, `5.0`, `'x'`, `True`, `None`), else it is the
 * text itself. Tuples, lists and dictionaries compare with nothing here, so they stay text.
 */
export function guessLiteral(text: string): Literal {
  const trimmed = text.trim();
  const name = NAMES.get(trimmed);
  if (name !== undefined) return name;
  if (NUMBER.test(trimmed) || HEXADECIMAL.test(trimmed)) return Number(trimmed);
  return unquoted(trimmed) ?? text;
}

/** The text within Python quotes; null when it is not one quoted string. */
function unquoted(text: string): string | null {
  const match = /^[uU]?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")$/.exec(text);
  const inner = match?.[1] ?? match?.[2];
  return inner === undefined ? null : inner.replace(ESCAPE, (whole: string, code: string) => unescaped(whole, code));
}

const ESCAPE = /\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)/g;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', "'": "'", '"': '"', '\\': '\\' };

function unescaped(whole: string, code: string): string {
  if (code.length > 1) return String.fromCodePoint(Number.parseInt(code.slice(1), 16));
  return ESCAPES[code] ?? whole;
}

/** A value as API v2 shows it in metadata, where everything is text: `True`, `None`, `[u'a', 1]`. */
export function pythonText(value: JsonValue): string {
  return typeof value === 'string' ? value : representation(value);
}

function representation(value: JsonValue): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value instanceof JsonNumber) return numberText(value.literal);
  if (Array.isArray(value)) return `[${value.map(representation).join(', ')}]`;
  const members = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${quoted(key)}: ${representation(member)}`).join(', ')}}`;
}

/** A text as Python 2 writes it: `u'caf\xe9'`. */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/[\\'"]|[^ -~]/gu, (char) => escaped(char, quote));
  return `u${quote}${inner}${quote}`;
}

function escaped(char: string, quote: string): string {
  if (char === "'" || char === '"') return char === quote ? `\\${char}` : char;
  const short = Object.keys(ESCAPES).find((code) => ESCAPES[code] === char);
  if (short !== undefined) return `\\${short}`;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}
