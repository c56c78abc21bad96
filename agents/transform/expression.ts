import { add, compare, decimal, divide, isZero, multiply, parseDecimal, round, subtract } from '@nephometer/core';
import type { Decimal } from '@nephometer/core';

/**
 * The small language of a `scale`: decimals, fields of the sample by dotted name, `+ - * / ** %`, parentheses, `or`,
 * `and`, and the functions `min`, `max`, `abs`, `int`. Arithmetic is exact, but for division (20 digits). Nothing of
 * it is code: a name that is not there is null, and null does not calculate.
 *
 *     volume * 8
 *     100.0 / (10**9 * (resource_metadata.cpu_number or 1))
 */
export type Expression = (field: (path: string) => Value) => Decimal;
export type Value = Decimal | string | null;

/** Digits behind the point of a quotient. */
const DIVISION_DIGITS = 20;
const MOST_EXPONENT = 64n;

type Node = (field: (path: string) => Value) => Value;

/** @throws SyntaxError that says what was found and where */
export function parseExpression(text: string): Expression {
  const parser = new Parser(tokens(text), text);
  const node = parser.whole();
  return (field) => number(node(field), text);
}

interface Token {
  readonly kind: 'number' | 'name' | 'sign' | 'end';
  readonly text: string;
  readonly at: number;
}

const TOKEN = /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_][\w]*(?:\.[A-Za-z_]\w*)*)|(\*\*|[-+*/%(),]))/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; text.slice(at).trim() !== ''; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new SyntaxError(`Found ${JSON.stringify(text.slice(at).trim()[0])} in "${text}".`);
    const [, number, name, sign] = match;
    found.push({ kind: number ? 'number' : name ? 'name' : 'sign', text: number ?? name ?? sign ?? '', at });
  }
  return [...found, { kind: 'end', text: 'the end', at: text.length }];
}

const FUNCTIONS: Readonly<Record<string, (...args: readonly Decimal[]) => Decimal>> = {
  min: (...args) => args.reduce((a, b) => (compare(b, a) < 0 ? b : a)),
  max: (...args) => args.reduce((a, b) => (compare(b, a) > 0 ? b : a)),
  abs: (a = decimal(0)) => (a.coefficient < 0n ? { coefficient: -a.coefficient, scale: a.scale } : a),
  int: (a = decimal(0)) => ({ coefficient: a.coefficient / 10n ** BigInt(a.scale), scale: 0 }),
};

class Parser {
  readonly #tokens: readonly Token[];
  readonly #text: string;
  #next = 0;

  constructor(found: readonly Token[], text: string) {
    this.#tokens = found;
    this.#text = text;
  }

  whole(): Node {
    const node = this.#or();
    if (this.#peek().kind !== 'end') throw this.#unexpected();
    return node;
  }

  #or(): Node {
    let left = this.#and();
    while (this.#accept('name', 'or')) {
      const [a, b] = [left, this.#and()];
      left = (field) => orElse(a(field), () => b(field));
    }
    return left;
  }

  #and(): Node {
    let left = this.#sum();
    while (this.#accept('name', 'and')) {
      const [a, b] = [left, this.#sum()];
      left = (field) => {
        const value = a(field);
        return isTrue(value) ? b(field) : value;
      };
    }
    return left;
  }

  #sum(): Node {
    let left = this.#product();
    for (;;) {
      const sign = this.#acceptAny(['+', '-']);
      if (sign === null) return left;
      left = this.#binary(left, this.#product(), sign === '+' ? add : subtract);
    }
  }

  #product(): Node {
    let left = this.#unary();
    for (;;) {
      const sign = this.#acceptAny(['*', '/', '%']);
      if (sign === null) return left;
      const operation = sign === '*' ? multiply : sign === '/' ? quotient : remainder;
      left = this.#binary(left, this.#unary(), operation);
    }
  }

  #unary(): Node {
    const sign = this.#acceptAny(['-', '+']);
    if (sign === null) return this.#power();
    const node = this.#unary();
    return sign === '+' ? node : this.#binary(() => decimal(0), node, subtract);
  }

  #power(): Node {
    const base = this.#atom();
    return this.#acceptAny(['**']) === null ? base : this.#binary(base, this.#unary(), power);
  }

  #atom(): Node {
    const token = this.#tokens[this.#next++] ?? this.#peek();
    if (token.kind === 'number') {
      const value = parseDecimal(token.text.replace(/^\./, '0.').replace(/\.(?=$|[eE])/, '.0'));
      return () => value;
    }
    if (token.kind === 'name' && token.text !== 'or' && token.text !== 'and') {
      return this.#acceptAny(['(']) === null ? (field) => field(token.text) : this.#call(token.text);
    }
    if (token.text === '(') {
      const node = this.#or();
      if (this.#acceptAny([')']) === null) throw this.#unexpected();
      return node;
    }
    this.#next -= 1;
    throw this.#unexpected();
  }

  #call(name: string): Node {
    const call = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (call === undefined) {
      const known = Object.keys(FUNCTIONS).join(', ');
      throw new SyntaxError(`There is no function ${name} in "${this.#text}"; known: ${known}.`);
    }
    const args = [this.#or()];
    while (this.#acceptAny([',']) !== null) args.push(this.#or());
    if (this.#acceptAny([')']) === null) throw this.#unexpected();
    return (field) => call(...args.map((arg) => number(arg(field), this.#text)));
  }

  #binary(a: Node, b: Node, operation: (a: Decimal, b: Decimal) => Decimal): Node {
    return (field) => operation(number(a(field), this.#text), number(b(field), this.#text));
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #accept(kind: Token['kind'], text: string): boolean {
    const token = this.#peek();
    if (token.kind !== kind || token.text !== text) return false;
    this.#next += 1;
    return true;
  }

  #acceptAny(signs: readonly string[]): string | null {
    return signs.find((sign) => this.#accept('sign', sign)) ?? null;
  }

  #unexpected(): SyntaxError {
    const { text, at } = this.#peek();
    return new SyntaxError(`Found ${text} at position ${at} of "${this.#text}", where something else must stand.`);
  }
}

/** Null, zero and the empty string are false, as in the language that these expressions come from. */
function isTrue(value: Value): boolean {
  return typeof value === 'string' ? value !== '' : value !== null && !isZero(value);
}

function orElse(value: Value, other: () => Value): Value {
  return isTrue(value) ? value : other();
}

function number(value: Value, text: string): Decimal {
  if (value === null) throw new RangeError(`"${text}" calculates with a field that the sample does not have.`);
  return typeof value === 'string' ? parseDecimal(value.trim()) : value;
}

function quotient(a: Decimal, b: Decimal): Decimal {
  return divide(a, b, DIVISION_DIGITS);
}

function remainder(a: Decimal, b: Decimal): Decimal {
  const whole = divide(a, b, DIVISION_DIGITS);
  const scaled = 10n ** BigInt(whole.scale);
  let floor = whole.coefficient / scaled;
  if (whole.coefficient < 0n && whole.coefficient % scaled !== 0n) floor -= 1n;
  return subtract(a, multiply(b, { coefficient: floor, scale: 0 }));
}

function power(a: Decimal, b: Decimal): Decimal {
  const exponent = round(b, 0).coefficient;
  if (b.scale !== 0 || exponent > MOST_EXPONENT || exponent < -MOST_EXPONENT) {
    throw new RangeError(`An exponent is a whole number from -${MOST_EXPONENT} to ${MOST_EXPONENT}.`);
  }
  let result = decimal(1);
  for (let n = exponent < 0n ? -exponent : exponent; n > 0n; n -= 1n) result = multiply(result, a);
  return exponent < 0n ? quotient(decimal(1), result) : result;
}
