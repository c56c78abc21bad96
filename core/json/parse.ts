import { keyOf } from './keys.ts';
import { JsonNumber } from './value.ts';
import type { JsonObject, JsonValue } from './value.ts';

export interface JsonLimits {
  /** Deepest nesting of arrays and objects that is read; 64 unless told, at most 1000 (the parser recurses). */
  readonly maxDepth?: number;
}

/** The text is not JSON. The message says what was found, at which offset, and what would be right there. */
export class JsonSyntaxError extends Error {
  /** Where, in UTF-16 units from the start of the text. */
  readonly offset: number;
  override name = 'JsonSyntaxError';

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const DEFAULT_DEPTH = 64;
const DEEPEST = 1000;

/**
 * Reads one JSON text without loss. Reads what Python writes as well: `NaN`, `Infinity`, `-Infinity`. Of a duplicate key
 * the last value wins, at the place of the first. Strings are views of `text`: see `detach` before keeping one for long.
 * @throws JsonSyntaxError
 */
export function parseJson(text: string, limits?: JsonLimits): JsonValue {
  return new Parser(text, Math.min(limits?.maxDepth ?? DEFAULT_DEPTH, DEEPEST)).document();
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Loops over char codes and cuts slices: this reads every message of a collector. */
class Parser {
  readonly text: string;
  readonly maxDepth: number;
  at = 0;
  depth = 0;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.maxDepth = maxDepth;
  }

  document(): JsonValue {
    const value = this.value();
    this.space();
    if (this.at < this.text.length) this.fail('the end of the text');
    return value;
  }

  /** Skips white space and answers the char code behind it, NaN at the end. */
  space(): number {
    let code = this.text.charCodeAt(this.at);
    while (code === SPACE || code === LF || code === CR || code === TAB) code = this.text.charCodeAt(++this.at);
    return code;
  }

  value(): JsonValue {
    const code = this.space();
    if (code === QUOTE) return this.string();
    if (code === OPEN_BRACE) return this.object();
    if (code === OPEN_BRACKET) return this.array();
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.number();
    if (this.take('null')) return null;
    if (this.take('true')) return true;
    if (this.take('false')) return false;
    if (this.take('NaN')) return new JsonNumber('NaN');
    if (this.take('Infinity')) return new JsonNumber('Infinity');
    return this.fail('a value');
  }

  take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  object(): JsonObject {
    const members: JsonObject = new Map();
    this.enter();
    if (this.space() === CLOSE_BRACE) return this.leave(members);
    for (;;) {
      if (this.space() !== QUOTE)
        this.fail(members.size === 0 ? 'a key in double quotes or "}"' : 'a key in double quotes');
      const key = this.key();
      if (this.space() !== COLON) this.fail('":"');
      this.at++;
      members.set(key, this.value());
      const code = this.space();
      if (code === CLOSE_BRACE) return this.leave(members);
      if (code !== COMMA) this.fail('"," or "}"');
      this.at++;
    }
  }

  array(): JsonValue[] {
    const items: JsonValue[] = [];
    this.enter();
    if (this.space() === CLOSE_BRACKET) return this.leave(items);
    for (;;) {
      items.push(this.value());
      const code = this.space();
      if (code === CLOSE_BRACKET) return this.leave(items);
      if (code !== COMMA) this.fail('"," or "]"');
      this.at++;
    }
  }

  enter(): void {
    if (++this.depth > this.maxDepth) this.fail(`nesting of at most ${this.maxDepth} levels`);
    this.at++;
  }

  leave<T>(container: T): T {
    this.depth--;
    this.at++;
    return container;
  }

  key(): string {
    const key = keyOf(this.text, this.at + 1);
    if (key === undefined) return this.string();
    this.at += key.length + 2;
    return key;
  }

  string(): string {
    const { text } = this;
    const start = this.at + 1;
    for (let i = start; ; i++) {
      const code = text.charCodeAt(i);
      if (code === QUOTE) {
        this.at = i + 1;
        return text.slice(start, i);
      }
      if (code === BACKSLASH) return this.escaped(i);
      if (!(code >= SPACE)) this.failInString(i);
    }
  }

  /** A string with escapes: find its end, let the engine undo the escapes. `i` is at the first backslash. */
  escaped(i: number): string {
    const { text } = this;
    for (let code = text.charCodeAt(i); code !== QUOTE; code = text.charCodeAt(i)) {
      if (!(code >= SPACE)) this.failInString(i);
      i += code === BACKSLASH ? 2 : 1;
    }
    const quoted = text.slice(this.at, i + 1);
    try {
      const value = JSON.parse(quoted) as string;
      this.at = i + 1;
      return value;
    } catch {
      return this.failInEscape(quoted);
    }
  }

  number(): JsonNumber {
    const start = this.at;
    if (this.text.charCodeAt(start) === MINUS) {
      this.at++;
      if (this.take('Infinity')) return new JsonNumber('-Infinity');
    }
    if (this.text.charCodeAt(this.at) === ZERO) this.at++;
    else this.digits();
    if (this.text.charCodeAt(this.at) === DOT) {
      this.at++;
      this.digits();
    }
    // 0x20 folds E and e together.
    if ((this.text.charCodeAt(this.at) | 0x20) === 0x65) {
      const sign = this.text.charCodeAt(++this.at);
      if (sign === PLUS || sign === MINUS) this.at++;
      this.digits();
    }
    return new JsonNumber(this.text.slice(start, this.at));
  }

  digits(): void {
    const start = this.at;
    let code = this.text.charCodeAt(this.at);
    while (code >= ZERO && code <= NINE) code = this.text.charCodeAt(++this.at);
    if (this.at === start) this.fail('a digit');
  }

  fail(expected: string, offset = this.at): never {
    const found =
      offset >= this.text.length ? 'the end of the text' : JSON.stringify(this.text.slice(offset, offset + 12));
    throw new JsonSyntaxError(`JSON: found ${found} at offset ${offset}; ${expected} would be right there.`, offset);
  }

  failInString(offset: number): never {
    return this.fail(
      offset >= this.text.length ? 'a closing double quote' : 'a control character written as \\u00XX',
      Math.min(offset, this.text.length),
    );
  }

  failInEscape(quoted: string): never {
    // The pattern matches every good escape and every other character, so it stops at the bad one.
    const good = /^"(?:[^\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/.exec(quoted)?.[0].length ?? 0;
    return this.fail('one of the escapes \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX', this.at + good);
  }
}
