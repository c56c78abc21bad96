import t from 'tap';
import type { Decimal } from './decimal.ts';
import {
  add,
  compare,
  decimal,
  divide,
  isZero,
  maximum,
  minimum,
  multiply,
  negate,
  parseDecimal,
  parseVolume,
  round,
  subtract,
  sum,
  toDouble,
  toText,
} from './decimal.ts';

const d = (text: string) => parseDecimal(text);

void t.test('a literal is read exactly and written in plain digits', async (t) => {
  const cases = `
    0              0
    -0             0
    -0.00e5        0
    0e999999999    0
    1              1
    1.0            1
    1.10           1.1
    -2.50          -2.5
    1e3            1000
    1.5E+3         1500
    12.5e-3        0.0125
    1000e-3        1
    1.230e1        12.3
    0.1000000000000000055511151231257827    0.1000000000000000055511151231257827
    9223372036854775808                     9223372036854775808
    18446744073709551616                    18446744073709551616
    99999999999999999999999999999999999999  99999999999999999999999999999999999999
    1e37           10000000000000000000000000000000000000
    -1e-38         -0.00000000000000000000000000000000000001
    1.00000000000000000000000000000000000000000000000000  1
    0.1234567890123456789012345678901234567800000000      0.12345678901234567890123456789012345678
  `;
  for (const line of cases.trim().split('\n')) {
    const [literal = '', text = ''] = line.trim().split(/\s+/);
    t.equal(toText(d(literal)), text, literal);
    t.equal(toText(d(text)), text, 'and back');
  }
});

void t.test('equal values look equal, whatever their spelling', async (t) => {
  for (const literal of ['1500', '1500.0', '1.5e3', '15E2', '150000e-2']) {
    t.same(d(literal), { coefficient: 1500n, scale: 0 }, literal);
  }
  for (const literal of ['0.05', '5e-2', '0.0500', '50e-3']) t.same(d(literal), { coefficient: 5n, scale: 2 }, literal);
});

void t.test('what is no number is refused, saying what would be right', async (t) => {
  const texts = [
    '',
    ' ',
    'NaN',
    'Infinity',
    '-Infinity',
    'abc',
    '1,5',
    '0x10',
    '.5',
    '5.',
    '+1',
    '01',
    '--1',
    '1e',
    '1 ',
    ' 1',
    '1\n',
  ];
  for (const text of texts) {
    t.throws(() => d(text), { name: 'RangeError', message: /a decimal number like/ }, JSON.stringify(text));
  }
});

void t.test('more than 38 digits are refused, and no exponent is ever expanded to find out', async (t) => {
  const texts = [
    '1'.repeat(39),
    `0.${'1'.repeat(39)}`,
    `1.${'1'.repeat(38)}`,
    '1e38',
    '1e-39',
    '1e999999999',
    '1e-999999999',
  ];
  for (const text of [...texts, '1e99999999999999999999999999', `1${'0'.repeat(38)}`, '9'.repeat(1_000_000)]) {
    t.throws(() => d(text), { name: 'RangeError', message: /at most 38 digits/ }, text.slice(0, 40));
  }
});

void t.test('a volume keeps its literal', async (t) => {
  t.same(parseVolume('1.0'), { coefficient: 1n, scale: 0, literal: '1.0' });
  t.same(parseVolume('-25e-1'), { coefficient: -25n, scale: 1, literal: '-25e-1' });
});

void t.test('a decimal from a bigint, a double or text', async (t) => {
  t.equal(toText(decimal(2n ** 64n)), '18446744073709551616');
  t.equal(toText(decimal(0.1)), '0.1', 'a double means its shortest spelling');
  t.equal(toText(decimal(-0)), '0');
  t.equal(toText(decimal(1e21)), '1000000000000000000000');
  t.equal(toText(decimal(1.5e-7)), '0.00000015');
  t.equal(toText(decimal('1.50')), '1.5');
  for (const value of [NaN, Infinity]) t.throws(() => decimal(value), { name: 'RangeError' });
});

/** Both sides as text: what went in, what came out. */
const check = (t: { equal(a: string, b: string, text: string): boolean }, name: string, rows: [Decimal, string][]) => {
  for (const [result, text] of rows) t.equal(toText(result), text, `${name} ${text}`);
};

void t.test('arithmetic is exact and its results are normalised', async (t) => {
  check(t, 'add', [
    [add(d('0.1'), d('0.2')), '0.3'],
    [add(d('0.5'), d('0.5')), '1'],
    [add(d('9223372036854775808'), d('0.000001')), '9223372036854775808.000001'],
    [add(d('1.25'), d('-1.25')), '0'],
  ]);
  check(t, 'subtract', [
    [subtract(d('1'), d('0.9')), '0.1'],
    [subtract(d('0.25'), d('1')), '-0.75'],
  ]);
  check(t, 'multiply', [
    [multiply(d('2.5'), d('0.4')), '1'],
    [multiply(d('-0.000001'), d('0.000001')), '-0.000000000001'],
    [multiply(d('0'), d('0.125')), '0'],
  ]);
  check(t, 'negate', [
    [negate(d('1.5')), '-1.5'],
    [negate(d('0')), '0'],
  ]);
  t.same(multiply(d('2.5'), d('0.4')), { coefficient: 1n, scale: 0 });
  t.same(multiply(d('0'), d('0.125')), { coefficient: 0n, scale: 0 });
});

void t.test('comparison is by value', async (t) => {
  t.equal(compare(d('1.5'), d('1.50')), 0);
  t.equal(compare(d('1.49'), d('1.5')), -1);
  t.equal(compare(d('-1'), d('-1.5')), 1);
  t.equal(compare(d('9007199254740993'), d('9007199254740992')), 1);
  t.equal(toText(minimum(d('2'), d('1.9'))), '1.9');
  t.equal(toText(maximum(d('2'), d('1.9'))), '2');
  t.ok(isZero(d('-0.0')));
  t.notOk(isZero(d('1e-38')));
});

void t.test('rounding is half-even, on either side of zero', async (t) => {
  const cases: [string, number, string][] = [
    ['0.125', 2, '0.12'],
    ['0.375', 2, '0.38'],
    ['0.1251', 2, '0.13'],
    ['-0.125', 2, '-0.12'],
    ['-0.375', 2, '-0.38'],
    ['2.5', 0, '2'],
    ['3.5', 0, '4'],
    ['-0.5', 0, '0'],
    ['0.999', 2, '1'],
    ['1.5', 6, '1.5'],
  ];
  for (const [value, digits, text] of cases) t.equal(toText(round(d(value), digits)), text, `${value} to ${digits}`);
});

void t.test('a quotient is rounded half-even to the digits asked for', async (t) => {
  const cases: [string, string, number, string][] = [
    ['1', '3', 12, '0.333333333333'],
    ['2', '3', 12, '0.666666666667'],
    ['-2', '3', 3, '-0.667'],
    ['2', '-3', 3, '-0.667'],
    ['-2', '-3', 3, '0.667'],
    ['1', '8', 2, '0.12'],
    ['3', '8', 2, '0.38'],
    ['-1', '8', 2, '-0.12'],
    ['1', '0.25', 2, '4'],
    ['0.0001', '400', 0, '0'],
    ['1000', '0.001', 0, '1000000'],
    ['0.123456', '1', 3, '0.123'],
    ['0', '7', 5, '0'],
  ];
  for (const [a, b, digits, text] of cases) t.equal(toText(divide(d(a), d(b), digits)), text, `${a} / ${b}`);
  t.throws(() => divide(d('1'), d('0.0'), 2), { name: 'RangeError', message: /division of 1 by zero/ });
});

void t.test('the sum of many is what adding one by one gives', async (t) => {
  const values = Array.from({ length: 1000 }, (_, i) => d(`${(i * 7919) % 1000}.${(i * 104_729) % 10_000}`));
  t.equal(toText(sum(values)), toText(values.reduce(add)));
  t.equal(toText(sum([])), '0');
  t.same(sum([d('0.5'), d('0.25'), d('0.25')]), { coefficient: 1n, scale: 0 });
});

void t.test('the double is the nearest one', async (t) => {
  for (const literal of [
    '0',
    '0.1',
    '0.3',
    '-1.1',
    '9007199254740993',
    '9007199254740995',
    '18446744073709551616',
    '1e37',
    '1e-38',
  ]) {
    t.equal(toDouble(d(literal)), Number(literal), literal);
  }
  t.equal(toDouble(d('0.1000000000000000055511151231257827')), 0.1);
  t.ok(Object.is(toDouble(d('-0.0')), 0), 'no negative zero');
});
