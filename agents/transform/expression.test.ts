import t from 'tap';
import { decimal, toText } from '@nephometer/core';
import type { Value } from './expression.ts';
import { parseExpression } from './expression.ts';

const FIELDS: Record<string, Value> = { volume: decimal('12.5'), 'resource_metadata.n': '4', zero: decimal(0) };
const value = (text: string): string => toText(parseExpression(text)((path) => FIELDS[path] ?? null));

t.test('an expression gives what arithmetic says', async (t) => {
  for (const [text, expected] of [
    ['1 + 2 * 3', '7'],
    ['(1 + 2) * 3', '9'],
    ['-2 ** 2', '-4'],
    ['2 ** -2', '0.25'],
    ['2 ** 3 ** 2', '512'],
    ['10**9', '1000000000'],
    ['volume * 8', '100'],
    ['volume / resource_metadata.n', '3.125'],
    ['7 % 3', '1'],
    ['-7 % 3', '2'],
    ['0.1 + 0.2', '0.3'],
    ['1.5e3 - .5', '1499.5'],
    ['100.0 / (10**9 * (resource_metadata.cpu_number or 1))', '0.0000001'],
    ['zero or 3', '3'],
    ['volume and 2', '2'],
    ['min(3, volume, 5)', '3'],
    ['max(3, volume)', '12.5'],
    ['int(volume)', '12'],
    ['abs(-3)', '3'],
  ] as const) {
    t.equal(value(text), expected, text);
  }
});

t.test('what is no expression, or cannot be calculated, is an error', async (t) => {
  for (const text of ['', '1 +', '(1', '1 2', 'a.b.c(1', 'x; y', '__import__("os")', 'volume[0]', '1 or']) {
    t.throws(() => parseExpression(text), SyntaxError, text);
  }
  for (const text of ['nothing + 1', '1 / zero', '2 ** 1000', '2 ** 0.5']) {
    t.throws(() => value(text), RangeError, text);
  }
});
