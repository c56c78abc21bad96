import { JsonNumber } from '@nephometer/core/plugin';
import { FUNCTIONS, METHODS } from './functions.ts';
import { tokensOf, wrong } from './tokens.ts';
import type { Token } from './tokens.ts';
import type { BinaryOperator, Comparison, ExpressionError, Tree } from './tree.ts';

const CONSTANTS = new Map<string, Tree>([
  ['None', { kind: 'literal', value: null }],
  ['True', { kind: 'literal', value: true }],
  ['False', { kind: 'literal', value: false }],
]);
const KEYWORDS = new Set(['if', 'else', 'for', 'in', 'is', 'not', 'and', 'or', 'lambda']);
const ORDERINGS: readonly string[] = ['==', '!=', '<', '<=', '>', '>='] satisfies Comparison[];
const DEEPEST = 50;

/**
 * Reads `expression | expression ...`, what stands behind the first `|` of a path. Each works on the result of the one
 * before, which it calls `value`. Nothing of it is ever run as code.
 * @throws ExpressionError with the column and what would be right there
 */
export function parseExpressions(source: string): Tree[] {
  return new Parser(source).all();
}

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  /** `value`, and the variables that some `for` or `lambda` names. */
  readonly #names = new Set(['value']);
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokensOf(source);
    for (const [index, { kind, text }] of this.#tokens.entries()) {
      const before = this.#tokens[index - 1];
      if (kind === 'name' && (before?.text === 'for' || before?.text === 'lambda')) this.#names.add(text);
    }
  }

  all(): Tree[] {
    const trees = [this.#expression()];
    while (this.#take('|')) trees.push(this.#expression());
    if (this.#next.kind !== 'end') throw this.#unexpected('an operator, "|" or the end');
    return trees;
  }

  #expression(): Tree {
    if (++this.#depth > DEEPEST) throw this.#error(`is nested deeper than ${DEEPEST} levels`);
    const yes = this.#or();
    let tree = yes;
    if (this.#takeName('if')) {
      const condition = this.#or();
      if (!this.#takeName('else')) throw this.#unexpected('"else"');
      tree = { kind: 'if', condition, yes, otherwise: this.#expression() };
    }
    this.#depth -= 1;
    return tree;
  }

  #or(): Tree {
    let left = this.#and();
    while (this.#takeName('or')) left = { kind: 'logic', operator: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Tree {
    let left = this.#not();
    while (this.#takeName('and')) left = { kind: 'logic', operator: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Tree {
    let negations = 0;
    while (this.#takeName('not')) negations += 1;
    let tree = this.#comparison();
    for (; negations > 0; negations--) tree = { kind: 'not', of: tree };
    return tree;
  }

  #comparison(): Tree {
    const first = this.#sum();
    const rest: [Comparison, Tree][] = [];
    for (let operator = this.#comparator(); operator !== null; operator = this.#comparator()) {
      rest.push([operator, this.#sum()]);
    }
    return rest.length === 0 ? first : { kind: 'compare', first, rest };
  }

  #comparator(): Comparison | null {
    const { kind, text } = this.#next;
    if (kind === 'sign' && ORDERINGS.includes(text)) {
      this.#at += 1;
      return text as Comparison;
    }
    if (this.#takeName('in')) return 'in';
    if (this.#takeName('is')) return this.#takeName('not') ? 'is not' : 'is';
    if (kind === 'name' && text === 'not' && this.#tokens[this.#at + 1]?.text === 'in') {
      this.#at += 2;
      return 'not in';
    }
    return null;
  }

  #sum(): Tree {
    return this.#binary(['+', '-'], () => this.#product());
  }

  #product(): Tree {
    return this.#binary(['*', '/', '//', '%'], () => this.#signed());
  }

  #binary(operators: readonly BinaryOperator[], operand: () => Tree): Tree {
    let left = operand();
    for (;;) {
      const operator = operators.find((one) => this.#take(one));
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: operand() };
    }
  }

  #signed(): Tree {
    let negative: boolean | null = null;
    for (;;) {
      if (this.#take('-')) negative = negative !== true;
      else if (this.#take('+')) negative ??= false;
      else break;
    }
    const of = this.#postfix();
    return negative === null ? of : { kind: 'sign', negative, of };
  }

  #postfix(): Tree {
    let tree = this.#primary();
    for (;;) {
      if (this.#take('.')) tree = this.#member(tree);
      else if (this.#take('[')) tree = this.#subscript(tree);
      else if (this.#sees('(')) throw this.#error('only functions and methods that have a name can be called');
      else return tree;
    }
  }

  #member(of: Tree): Tree {
    const name = this.#next;
    if (name.kind !== 'name') throw this.#unexpected('a name');
    this.#at += 1;
    if (!this.#take('(')) return { kind: 'member', of, name: name.text };
    if (!METHODS.has(name.text)) throw this.#notKnown(name, 'method', METHODS.keys());
    return { kind: 'call', name: name.text, of, args: this.#listUntil(')') };
  }

  #subscript(of: Tree): Tree {
    const from = this.#sees(':') ? null : this.#expression();
    if (this.#take(':')) {
      const to = this.#sees(']') ? null : this.#expression();
      this.#expect(']');
      return { kind: 'slice', of, from, to };
    }
    this.#expect(']');
    return { kind: 'index', of, at: from as Tree };
  }

  #primary(): Tree {
    const token = this.#next;
    if (token.kind === 'name') return this.#named(token);
    this.#at += 1;
    if (token.kind === 'number') return { kind: 'literal', value: new JsonNumber(token.text) };
    if (token.kind === 'text') return this.#text(token.text);
    if (token.text === '(') return this.#parenthesis();
    if (token.text === '[') return this.#list();
    if (token.text === '{') return this.#dict();
    this.#at -= 1;
    throw this.#unexpected('a value');
  }

  /** Texts side by side are one, as in Python. */
  #text(first: string): Tree {
    let value = first;
    for (; this.#next.kind === 'text'; this.#at++) value += this.#next.text;
    return { kind: 'literal', value };
  }

  #named(token: Token): Tree {
    if (KEYWORDS.has(token.text)) throw this.#unexpected('a value');
    this.#at += 1;
    const constant = CONSTANTS.get(token.text);
    if (constant !== undefined) return constant;
    if (this.#take('(')) return this.#call(token);
    if (!this.#names.has(token.text)) throw this.#notKnown(token, 'name', [...this.#names, ...CONSTANTS.keys()]);
    return { kind: 'name', name: token.text };
  }

  #call(name: Token): Tree {
    if (name.text === 'filter' || name.text === 'map') return this.#lambdaCall(name);
    if (!FUNCTIONS.has(name.text)) {
      throw this.#notKnown(name, 'function', [...FUNCTIONS.keys(), 'filter', 'map'].sort());
    }
    return { kind: 'call', name: name.text, of: null, args: this.#listUntil(')') };
  }

  /** `filter(lambda x: condition, list)` and `map(lambda x: result, list)`. */
  #lambdaCall({ text }: Token): Tree {
    if (!this.#takeName('lambda')) throw this.#unexpected(`"lambda", as in ${text}(lambda x: x > 0, value),`);
    const variable = this.#variable();
    this.#expect(':');
    const inner = this.#expression();
    this.#expect(',');
    const of = this.#expression();
    this.#expect(')');
    const item: Tree = { kind: 'name', name: variable };
    if (text === 'map') return { kind: 'each', of, variable, body: inner, condition: null };
    return { kind: 'each', of, variable, body: item, condition: inner };
  }

  #parenthesis(): Tree {
    const tree = this.#comprehension(this.#expression());
    if (this.#sees(',')) throw this.#error('tuples are not supported; write a list in brackets');
    this.#expect(')');
    return tree;
  }

  #list(): Tree {
    const items = this.#listUntil(']');
    const [only] = items;
    return items.length === 1 && only?.kind === 'each' && this.#wasComprehension ? only : { kind: 'list', items };
  }

  #wasComprehension = false;

  #listUntil(end: ']' | ')'): Tree[] {
    const items: Tree[] = [];
    let comprehension = false;
    while (!this.#take(end)) {
      const body = this.#expression();
      comprehension = this.#sees('for', 'name');
      items.push(this.#comprehension(body));
      if (!this.#take(',') && !this.#sees(end)) throw this.#unexpected(`"," or "${end}"`);
    }
    this.#wasComprehension = comprehension;
    return items;
  }

  #dict(): Tree {
    const members: [Tree, Tree][] = [];
    while (!this.#take('}')) {
      const key = this.#expression();
      this.#expect(':');
      members.push([key, this.#expression()]);
      if (!this.#take(',') && !this.#sees('}')) throw this.#unexpected('"," or "}"');
    }
    return { kind: 'dict', members };
  }

  #comprehension(body: Tree): Tree {
    if (!this.#takeName('for')) return body;
    const variable = this.#variable();
    if (!this.#takeName('in')) throw this.#unexpected('"in"');
    const of = this.#or();
    const condition = this.#takeName('if') ? this.#or() : null;
    if (this.#sees('for', 'name')) throw this.#error('only one "for" is supported');
    return { kind: 'each', of, variable, body, condition };
  }

  #variable(): string {
    const { kind, text } = this.#next;
    if (kind !== 'name' || KEYWORDS.has(text)) throw this.#unexpected('the name of a variable');
    this.#at += 1;
    return text;
  }

  get #next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #sees(text: string, kind: Token['kind'] = 'sign'): boolean {
    return this.#next.kind === kind && this.#next.text === text;
  }

  #take(sign: string): boolean {
    if (!this.#sees(sign)) return false;
    this.#at += 1;
    return true;
  }

  #takeName(name: string): boolean {
    if (!this.#sees(name, 'name')) return false;
    this.#at += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw this.#unexpected(`"${sign}"`);
  }

  #unexpected(wanted: string): ExpressionError {
    const { kind, text } = this.#next;
    return this.#error(`expected ${wanted}; found ${kind === 'end' ? 'the end' : JSON.stringify(text)}`);
  }

  #error(problem: string): ExpressionError {
    return wrong(this.#source, this.#next.column, problem);
  }

  #notKnown({ text, column }: Token, what: string, known: Iterable<string>): ExpressionError {
    return wrong(this.#source, column, `there is no ${what} "${text}" here; there are ${[...known].join(', ')}`);
  }
}
