import { JsonNumber } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { NotVerifiable } from './not-verifiable.ts';
import { isIntegerLiteral, numberText } from './number-literal.ts';
import { python2Order } from './python2-dict.ts';
import { isWellFormed, sortedKeys } from './unicode.ts';

/** How a Python prints what stands inside a list. */
export interface PythonPrint {
  /** Strings are printed as their UTF-8 bytes; Python 3 marks these with a `b`. */
  readonly bytesMark: 'b' | '';
  readonly keys: (members: JsonObject) => string[];
  readonly integer: (literal: string) => string;
}

export const PYTHON_3: PythonPrint = { bytesMark: 'b', keys: sortedKeys, integer: numberText };

export const PYTHON_2: PythonPrint = {
  bytesMark: '',
  keys: (members) => python2Order(sortedKeys(members)),
  integer: (literal) => numberText(literal) + (isLong(literal) ? 'L' : ''),
};

/**
 * The text of an array in a signed message: `[1.0, None, b'x', {b'k': True}]`. Floats have all their digits here, in both.
 * @throws NotVerifiable
 */
export function arrayText(items: readonly JsonValue[], print: PythonPrint): string {
  return `[${items.map((item) => itemText(item, print)).join(', ')}]`;
}

function itemText(value: JsonValue, print: PythonPrint): string {
  if (typeof value === 'string') return bytesText(value, print);
  if (value instanceof JsonNumber)
    return isIntegerLiteral(value.literal) ? print.integer(value.literal) : numberText(value.literal);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return Array.isArray(value) ? arrayText(value, print) : objectText(value, print);
}

function objectText(members: JsonObject, print: PythonPrint): string {
  const pairs = print.keys(members).map((key) => {
    return `${bytesText(key, print)}: ${itemText(members.get(key) as JsonValue, print)}`;
  });
  return `{${pairs.join(', ')}}`;
}

function bytesText(text: string, { bytesMark }: PythonPrint): string {
  // Most strings are plain and need no escape: printable ASCII without quote and backslash.
  if (/^[ !#-&(-[\]-~]*$/.test(text)) return `${bytesMark}'${text}'`;
  if (!isWellFormed(text)) throw new NotVerifiable();
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const utf8 = Buffer.from(text, 'utf8').toString('latin1');
  return bytesMark + quote + utf8.replace(/[^ -~]|['"\\]/g, (byte) => escaped(byte, quote)) + quote;
}

function escaped(byte: string, quote: string): string {
  if (byte === "'" || byte === '"') return byte === quote ? `\\${byte}` : byte;
  if (byte === '\\') return '\\\\';
  if (byte === '\t') return '\\t';
  if (byte === '\n') return '\\n';
  if (byte === '\r') return '\\r';
  return `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** Python 2 kept integers beyond 64 bits in a type of their own. */
function isLong(literal: string): boolean {
  if (literal.length < 19) return false;
  const value = BigInt(literal);
  return value !== BigInt.asIntN(64, value);
}
