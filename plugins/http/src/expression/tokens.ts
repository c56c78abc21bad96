import { ExpressionError } from './tree.ts';

export interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'sign' | 'end';
  /** A text without its quotes, escapes undone; else as it stands. */
  readonly text: string;
  /** Column, from 1. */
  readonly column: number;
}

const SPACE = /\s*/y;
const NUMBER = /(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const NAME = /[A-Za-z_]\w*/y;
const TEXT = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/sy;
const SIGN = /\/\/|\*\*|==|!=|<=|>=|:=|[-+*/%<>()[\]{},.:|]/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };

/** Cuts an expression into tokens; the last one is the end. @throws ExpressionError */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (expression: RegExp): RegExpExecArray | null => {
    expression.lastIndex = at;
    const found = expression.exec(source);
    if (found !== null) at = expression.lastIndex;
    return found;
  };
  for (match(SPACE); at < source.length; match(SPACE)) {
    const column = at + 1;
    tokens.push({ ...oneToken(match, source, column), column });
  }
  return [...tokens, { kind: 'end', text: '', column: source.length + 1 }];
}

function oneToken(
  match: (expression: RegExp) => RegExpExecArray | null,
  source: string,
  column: number,
): Omit<Token, 'column'> {
  const text = match(TEXT);
  if (text !== null) return { kind: 'text', text: unescaped(text[1] ?? text[2] ?? '', source) };
  const number = match(NUMBER);
  if (number !== null) return { kind: 'number', text: number[0] };
  const name = match(NAME);
  if (name !== null) {
    if (/["']/.test(source[column - 1 + name[0].length] ?? '')) {
      throw wrong(source, column, `texts with a prefix (${name[0]}"...") are not supported; join with +`);
    }
    return { kind: 'name', text: name[0] };
  }
  const sign = match(SIGN);
  if (sign !== null) return { kind: 'sign', text: sign[0] };
  const found = source[column - 1] ?? '';
  if (found === '"' || found === "'") throw wrong(source, column, 'this text has no closing quote');
  throw wrong(source, column, `"${source.slice(column - 1, column + 9)}" is not part of the expression language`);
}

function unescaped(text: string, source: string): string {
  return text.replace(/\\(.)/gs, (_all, char: string) => {
    const plain = ESCAPES[char];
    if (plain === undefined) throw new ExpressionError(`expression "${source}": the escape \\${char} is not known`);
    return plain;
  });
}

export function wrong(source: string, column: number, problem: string): ExpressionError {
  return new ExpressionError(`expression "${source.trim()}", column ${column}: ${problem}`);
}
