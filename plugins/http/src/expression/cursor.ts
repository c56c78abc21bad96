import { tokensOf, wrong } from './tokens.ts';
import type { Token } from './tokens.ts';
import type { ExpressionError } from './tree.ts';

/** A place among the tokens of an expression. */
export class Cursor {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokensOf(source);
  }

  get tokens(): readonly Token[] {
    return this.#tokens;
  }

  get following(): Token | undefined {
    return this.#tokens[this.#at + 1];
  }

  skip(count = 1): void {
    this.#at += count;
  }

  get next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  sees(text: string, kind: Token['kind'] = 'sign'): boolean {
    return this.next.kind === kind && this.next.text === text;
  }

  take(sign: string): boolean {
    if (!this.sees(sign)) return false;
    this.#at += 1;
    return true;
  }

  takeName(name: string): boolean {
    if (!this.sees(name, 'name')) return false;
    this.#at += 1;
    return true;
  }

  expect(sign: string): void {
    if (!this.take(sign)) throw this.unexpected(`"${sign}"`);
  }

  unexpected(wanted: string): ExpressionError {
    const { kind, text } = this.next;
    return this.error(`expected ${wanted}; found ${kind === 'end' ? 'the end' : JSON.stringify(text)}`);
  }

  error(problem: string): ExpressionError {
    return wrong(this.#source, this.next.column, problem);
  }

  notKnown({ text, column }: Token, what: string, known: Iterable<string>): ExpressionError {
    return wrong(this.#source, column, `there is no ${what} "${text}" here; there are ${[...known].join(', ')}`);
  }
}
