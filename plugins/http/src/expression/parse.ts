import { JsonNumber } from '@nephometer/core/plugin';
import { Cursor } from './cursor.ts';
import { FUNCTIONS, METHODS } from './functions.ts';
import type { Token } from './tokens.ts';
import type { BinaryOperator, Comparison, Tree } from './tree.ts';

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
  readonly #cursor: Cursor;
  /** `value`, and the variables that some `for` or `lambda` names. */
  readonly #names = new Set(['value']);
  #depth = 0;

  constructor(source: string) {
    this.#cursor = new Cursor(source);
    for (const [index, { kind, text }] of this.#cursor.tokens.entries()) {
      const before = this.#cursor.tokens[index - 1];
      if (kind === 'name' && (before?.text === 'for' || before?.text === 'lambda')) this.#names.add(text);
    }
  }

  all(): Tree[] {
    const trees = [this.#expression()];
    while (this.#cursor.take('|')) trees.push(this.#expression());
    if (this.#cursor.next.kind !== 'end') throw this.#cursor.unexpected('an operator, "|" or the end');
    return trees;
  }

  #expression(): Tree {
    if (++this.#depth > DEEPEST) throw this.#cursor.error(`is nested deeper than ${DEEPEST} levels`);
    const yes = this.#or();
    let tree = yes;
    if (this.#cursor.takeName('if')) {
      const condition = this.#or();
      if (!this.#cursor.takeName('else')) throw this.#cursor.unexpected('"else"');
      tree = { kind: 'if', condition, yes, otherwise: this.#expression() };
    }
    this.#depth -= 1;
    return tree;
  }

  #or(): Tree {
    let left = this.#and();
    while (this.#cursor.takeName('or')) left = { kind: 'logic', operator: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Tree {
    let left = this.#not();
    while (this.#cursor.takeName('and')) left = { kind: 'logic', operator: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Tree {
    let negations = 0;
    while (this.#cursor.takeName('not')) negations += 1;
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
    const { kind, text } = this.#cursor.next;
    if (kind === 'sign' && ORDERINGS.includes(text)) {
      this.#cursor.skip();
      return text as Comparison;
    }
    if (this.#cursor.takeName('in')) return 'in';
    if (this.#cursor.takeName('is')) return this.#cursor.takeName('not') ? 'is not' : 'is';
    if (kind === 'name' && text === 'not' && this.#cursor.following?.text === 'in') {
      this.#cursor.skip(2);
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
      const operator = operators.find((one) => this.#cursor.take(one));
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: operand() };
    }
  }

  #signed(): Tree {
    let negative: boolean | null = null;
    for (;;) {
      if (this.#cursor.take('-')) negative = negative !== true;
      else if (this.#cursor.take('+')) negative ??= false;
      else break;
    }
    const of = this.#postfix();
    return negative === null ? of : { kind: 'sign', negative, of };
  }

  #postfix(): Tree {
    let tree = this.#primary();
    for (;;) {
      if (this.#cursor.take('.')) tree = this.#member(tree);
      else if (this.#cursor.take('[')) tree = this.#subscript(tree);
      else if (this.#cursor.sees('('))
        throw this.#cursor.error('only functions and methods that have a name can be called');
      else return tree;
    }
  }

  #member(of: Tree): Tree {
    const name = this.#cursor.next;
    if (name.kind !== 'name') throw this.#cursor.unexpected('a name');
    this.#cursor.skip();
    if (!this.#cursor.take('(')) return { kind: 'member', of, name: name.text };
    if (!METHODS.has(name.text)) throw this.#cursor.notKnown(name, 'method', METHODS.keys());
    return { kind: 'call', name: name.text, of, args: this.#listUntil(')') };
  }

  #subscript(of: Tree): Tree {
    const from = this.#cursor.sees(':') ? null : this.#expression();
    if (this.#cursor.take(':')) {
      const to = this.#cursor.sees(']') ? null : this.#expression();
      this.#cursor.expect(']');
      return { kind: 'slice', of, from, to };
    }
    this.#cursor.expect(']');
    return { kind: 'index', of, at: from as Tree };
  }

  #primary(): Tree {
    const token = this.#cursor.next;
    if (token.kind === 'name') return this.#named(token);
    this.#cursor.skip();
    if (token.kind === 'number') return { kind: 'literal', value: new JsonNumber(token.text) };
    if (token.kind === 'text') return this.#text(token.text);
    if (token.text === '(') return this.#parenthesis();
    if (token.text === '[') return this.#list();
    if (token.text === '{') return this.#dict();
    this.#cursor.skip(-1);
    throw this.#cursor.unexpected('a value');
  }

  /** Texts side by side are one, as in Python. */
  #text(first: string): Tree {
    let value = first;
    for (; this.#cursor.next.kind === 'text'; this.#cursor.skip()) value += this.#cursor.next.text;
    return { kind: 'literal', value };
  }

  #named(token: Token): Tree {
    if (KEYWORDS.has(token.text)) throw this.#cursor.unexpected('a value');
    this.#cursor.skip();
    const constant = CONSTANTS.get(token.text);
    if (constant !== undefined) return constant;
    if (this.#cursor.take('(')) return this.#call(token);
    if (!this.#names.has(token.text)) throw this.#cursor.notKnown(token, 'name', [...this.#names, ...CONSTANTS.keys()]);
    return { kind: 'name', name: token.text };
  }

  #call(name: Token): Tree {
    if (name.text === 'filter' || name.text === 'map') return this.#lambdaCall(name);
    if (!FUNCTIONS.has(name.text)) {
      throw this.#cursor.notKnown(name, 'function', [...FUNCTIONS.keys(), 'filter', 'map'].sort());
    }
    return { kind: 'call', name: name.text, of: null, args: this.#listUntil(')') };
  }

  /** `filter(lambda x: condition, list)` and `map(lambda x: result, list)`. */
  #lambdaCall({ text }: Token): Tree {
    if (!this.#cursor.takeName('lambda'))
      throw this.#cursor.unexpected(`"lambda", as in ${text}(lambda x: x > 0, value),`);
    const variable = this.#variable();
    this.#cursor.expect(':');
    const inner = this.#expression();
    this.#cursor.expect(',');
    const of = this.#expression();
    this.#cursor.expect(')');
    const item: Tree = { kind: 'name', name: variable };
    if (text === 'map') return { kind: 'each', of, variable, body: inner, condition: null };
    return { kind: 'each', of, variable, body: item, condition: inner };
  }

  #parenthesis(): Tree {
    const tree = this.#comprehension(this.#expression());
    if (this.#cursor.sees(',')) throw this.#cursor.error('tuples are not supported; write a list in brackets');
    this.#cursor.expect(')');
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
    while (!this.#cursor.take(end)) {
      const body = this.#expression();
      comprehension = this.#cursor.sees('for', 'name');
      items.push(this.#comprehension(body));
      if (!this.#cursor.take(',') && !this.#cursor.sees(end)) throw this.#cursor.unexpected(`"," or "${end}"`);
    }
    this.#wasComprehension = comprehension;
    return items;
  }

  #dict(): Tree {
    const members: [Tree, Tree][] = [];
    while (!this.#cursor.take('}')) {
      const key = this.#expression();
      this.#cursor.expect(':');
      members.push([key, this.#expression()]);
      if (!this.#cursor.take(',') && !this.#cursor.sees('}')) throw this.#cursor.unexpected('"," or "}"');
    }
    return { kind: 'dict', members };
  }

  #comprehension(body: Tree): Tree {
    if (!this.#cursor.takeName('for')) return body;
    const variable = this.#variable();
    if (!this.#cursor.takeName('in')) throw this.#cursor.unexpected('"in"');
    const of = this.#or();
    const condition = this.#cursor.takeName('if') ? this.#or() : null;
    if (this.#cursor.sees('for', 'name')) throw this.#cursor.error('only one "for" is supported');
    return { kind: 'each', of, variable, body, condition };
  }

  #variable(): string {
    const { kind, text } = this.#cursor.next;
    if (kind !== 'name' || KEYWORDS.has(text)) throw this.#cursor.unexpected('the name of a variable');
    this.#cursor.skip();
    return text;
  }
}
