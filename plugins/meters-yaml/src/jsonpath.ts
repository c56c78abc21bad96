import { JsonNumber } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';

/**
 * The part of JSONPath that meters.yaml files use, as jsonpath-rw-ext reads it:
 *
 *     sum      product (+|- product)*           product  union (*|/ union)*          union  term (| term)*
 *     term     path | "text" | 'text' | number | ( sum )
 *     path     $ or a first name, then   .name  .'quoted name'  .*  ..name  [0]  [*]  ['quoted']  [?filter]  .`function`
 *     filter   (@.a = 'x' & b >= 2), or a bare name for "has it"
 */
export type Expression =
  | { readonly kind: 'path'; readonly steps: readonly Step[] }
  | { readonly kind: 'literal'; readonly value: JsonValue }
  | { readonly kind: 'union'; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'arithmetic';
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    };

export type Operator = '+' | '-' | '*' | '/';

export type Step =
  | { readonly kind: 'child'; readonly name: string }
  | { readonly kind: 'children' }
  | { readonly kind: 'descendants'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'items' }
  | { readonly kind: 'filter'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'function'; readonly apply: (value: JsonValue) => JsonValue | undefined };

export interface Condition {
  readonly steps: readonly Step[];
  /** Null: that there is something is enough. */
  readonly comparison: { readonly operator: Comparison; readonly value: JsonValue } | null;
}
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** Reads an expression. @throws SyntaxError that says what was found, where, and what would be right */
export function parseExpression(text: string): Expression {
  return new Parser(text).whole();
}

const NAME = /[\p{L}\p{N}_@:-]+/uy;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /\s*/y;
const COMPARISON = /==|!=|<=|>=|[=<>]/y;
const BARE_VALUE = /[^\s&)\]]+/y;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Expression {
    const expression = this.#sum();
    this.#space();
    if (this.#at < this.#text.length) this.#fail('an operator or the end');
    return expression;
  }

  #sum(): Expression {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/'], () => this.#union()));
  }

  #chain(operators: readonly Operator[], next: () => Expression): Expression {
    let left = next();
    for (;;) {
      this.#space();
      const operator = operators.find((one) => this.#text[this.#at] === one);
      if (operator === undefined) return left;
      this.#at += 1;
      left = { kind: 'arithmetic', operator, left, right: next() };
    }
  }

  #union(): Expression {
    let left = this.#term();
    for (;;) {
      this.#space();
      if (!this.#take('|')) return left;
      left = { kind: 'union', left, right: this.#term() };
    }
  }

  #term(): Expression {
    this.#space();
    const char = this.#text[this.#at];
    if (char === '"' || char === "'") return { kind: 'literal', value: this.#quoted() };
    if (this.#take('(')) return this.#inParentheses();
    const number = this.#match(NUMBER);
    if (number !== null) return { kind: 'literal', value: new JsonNumber(number) };
    return { kind: 'path', steps: this.#path() };
  }

  #inParentheses(): Expression {
    const inner = this.#sum();
    this.#space();
    if (!this.#take(')')) this.#fail('")"');
    return inner;
  }

  /** From `$`, `@` or a first name on. */
  #path(): Step[] {
    const steps: Step[] = [];
    if (!this.#take('$') && !this.#take('@')) steps.push(this.#named());
    for (;;) {
      if (this.#take('[')) steps.push(this.#bracket());
      else if (this.#take('..')) steps.push({ kind: 'descendants', name: this.#name() });
      else if (this.#take('.')) steps.push(this.#named());
      else return steps;
    }
  }

  #named(): Step {
    if (this.#take('*')) return { kind: 'children' };
    if (this.#text[this.#at] === '`') return { kind: 'function', apply: this.#function() };
    return { kind: 'child', name: this.#name() };
  }

  #name(): string {
    const char = this.#text[this.#at];
    if (char === '"' || char === "'") return this.#quoted();
    return this.#match(NAME) ?? this.#fail('$ or a name');
  }

  #bracket(): Step {
    const step = this.#bracketed();
    this.#space();
    if (!this.#take(']')) this.#fail('"]"');
    return step;
  }

  #bracketed(): Step {
    this.#space();
    if (this.#take('*')) return { kind: 'items' };
    if (this.#take('?')) return { kind: 'filter', conditions: this.#filter() };
    const char = this.#text[this.#at];
    if (char === '"' || char === "'") return { kind: 'child', name: this.#quoted() };
    const index = this.#match(/\d+/y) ?? this.#fail('an index, *, ?filter or a quoted name');
    return { kind: 'index', index: Number(index) };
  }

  #filter(): Condition[] {
    this.#space();
    const isEnclosed = this.#take('(');
    const conditions = [this.#condition()];
    for (this.#space(); this.#take('&'); this.#space()) conditions.push(this.#condition());
    if (isEnclosed && !this.#take(')')) this.#fail('")" or "&"');
    return conditions;
  }

  #condition(): Condition {
    this.#space();
    const steps = this.#path();
    this.#space();
    const operator = this.#match(COMPARISON);
    if (operator === null) return { steps, comparison: null };
    this.#space();
    return { steps, comparison: { operator: comparisonOf(operator), value: this.#compared() } };
  }

  /** A text, a number, or a bare word, which is a text. */
  #compared(): JsonValue {
    const char = this.#text[this.#at];
    if (char === '"' || char === "'") return this.#quoted();
    const bare = this.#match(BARE_VALUE) ?? this.#fail('a value to compare with');
    NUMBER.lastIndex = 0;
    if (NUMBER.exec(bare)?.[0] === bare) return new JsonNumber(bare);
    return bare === 'true' || bare === 'True' ? true : bare === 'false' || bare === 'False' ? false : bare;
  }

  #function(): (value: JsonValue) => JsonValue | undefined {
    const end = this.#text.indexOf('`', this.#at + 1);
    if (end < 0) this.#fail('a closing backquote');
    const call = this.#text.slice(this.#at + 1, end);
    const apply = functionOf(call);
    if (apply === null) this.#fail('`split(separator, index, max)`, `sub(/expression/, replacement)`, `len` or `this`');
    this.#at = end + 1;
    return apply;
  }

  #quoted(): string {
    const quote = this.#text[this.#at];
    let value = '';
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const char = this.#text.charAt(at);
      if (char === quote) {
        this.#at = at + 1;
        return value;
      }
      value += char === '\\' ? this.#text.charAt(++at) : char;
    }
    return this.#fail('a closing quote');
  }

  #space(): void {
    this.#match(SPACE);
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(expression: RegExp): string | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #fail(expected: string): never {
    const found = this.#at < this.#text.length ? JSON.stringify(this.#text.slice(this.#at, this.#at + 12)) : 'the end';
    throw new SyntaxError(
      `found ${found} at character ${this.#at + 1} of ${this.#text}; ${expected} would be right there`,
    );
  }
}

function comparisonOf(text: string): Comparison {
  const known: readonly Comparison[] = ['=', '!=', '<', '<=', '>', '>='];
  return known.find((one) => one === text) ?? '=';
}

/** What stands between backquotes; null when it is none of those known. */
function functionOf(call: string): ((value: JsonValue) => JsonValue | undefined) | null {
  if (call === 'this') return (value) => value;
  if (call === 'len') return lengthOf;
  const split = /^split\((.+?),\s*(\d+),\s*(-?\d+)\)$/s.exec(call);
  if (split !== null) return splitter(split[1] ?? '', Number(split[2]), Number(split[3]));
  const sub = /^sub\(\/(.*)\/,\s*(.*)\)$/s.exec(call);
  if (sub !== null) return substitute(sub[1] ?? '', sub[2] ?? '');
  return null;
}

function lengthOf(value: JsonValue): JsonValue | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return new JsonNumber(String(value.length));
  return value instanceof Map ? new JsonNumber(String(value.size)) : undefined;
}

/** The part of that index, after at most `most` cuts; -1 for all. What is behind the last cut stays whole. */
function splitter(separator: string, index: number, most: number): (value: JsonValue) => string | undefined {
  return (value) => {
    if (typeof value !== 'string') return undefined;
    const all = value.split(separator);
    const parts = most < 0 || all.length <= most ? all : [...all.slice(0, most), all.slice(most).join(separator)];
    return parts[index];
  };
}

function substitute(source: string, replacement: string): (value: JsonValue) => string | undefined {
  const expression = new RegExp(source, 'g');
  const template = replacement.replace(/\$/g, '$$$$').replace(/\\(\d)/g, '$$$1');
  return (value) => (typeof value === 'string' ? value.replace(expression, template) : undefined);
}
