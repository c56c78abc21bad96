import t from 'tap';
import {
  detach,
  fromPlain,
  isJsonObject,
  jsonEqual,
  JsonNumber,
  JsonSyntaxError,
  parseJson,
  stringifyJson,
  toPlain,
} from './json.ts';
import type { JsonObject } from './json.ts';

void t.test('a number keeps the literal it was spelled with', async (t) => {
  const literals = ['0', '-0', '-0.0', '1', '1.0', '1.10', '1e3', '1E+05', '-2.5e-7', '18446744073709551616', '1e400'];
  for (const literal of [...literals, 'NaN', 'Infinity', '-Infinity']) {
    const value = parseJson(literal);
    t.ok(value instanceof JsonNumber && value.literal === literal, literal);
    t.equal(stringifyJson([value]), `[${literal}]`);
  }
});

void t.test('text goes through unchanged but for white space', async (t) => {
  const text = '{"b":[1.0,true,false,null,{}],"10":"x","9":[],"__proto__":{"constructor":-0},"":"é😀"}';
  t.equal(stringifyJson(parseJson(text)), text);
  t.equal(stringifyJson(parseJson(' {\n"b" :\t[ 1.0 , 2 ]\r} ')), '{"b":[1.0,2]}');
});

void t.test('of a duplicate key the last value wins, at the place of the first', async (t) => {
  t.equal(stringifyJson(parseJson('{"v":1,"a":2,"v":3}')), '{"v":3,"a":2}');
});

void t.test('strings: every escape, quotes in keys, surrogates whole and halved', async (t) => {
  const text = String.raw`"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 plain é"`;
  t.equal(parseJson(text), '"\\/\b\f\n\r\té😀 plain é');
  t.same([...(parseJson(String.raw`{"a\"b":1,"\u0061":2,"é":3}`) as JsonObject).keys()], ['a"b', 'a', 'é']);
  t.equal(stringifyJson(parseJson(String.raw`"\ud800"`)), String.raw`"\ud800"`, 'a half pair is written as an escape');
  t.equal(stringifyJson('\u0000\u001f'), String.raw`"\u0000\u001f"`);
  const long = 'k'.repeat(100);
  t.equal(stringifyJson(parseJson(`{"${long}":"${long}"}`)), `{"${long}":"${long}"}`);
});

void t.test('text that holds JSON (the oslo envelope) keeps its literals through both parses', async (t) => {
  const inner = '{"payload":[{"counter_volume":1.0,"n":18446744073709551616,"s":"a\\"b\\\\"}]}';
  const outer = parseJson(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': inner })) as JsonObject;
  t.equal(outer.get('oslo.message'), inner);
  t.equal(stringifyJson(parseJson(outer.get('oslo.message') as string)), inner);
});

/** text, offset, what the message says was found, and what would be right. */
const WRONG: [text: string, offset: number, found: string, right: string][] = [
  ['', 0, 'the end of the text', 'a value'],
  ['  ', 2, 'the end of the text', 'a value'],
  ['nul', 0, '"nul"', 'a value'],
  ["{'a':1}", 1, String.raw`"'a':1}"`, 'a key in double quotes or "}"'],
  ['{"a":1,}', 7, '"}"', 'a key in double quotes'],
  ['{"a" 1}', 5, '"1}"', '":"'],
  ['{"a":1 "b"', 7, String.raw`"\"b\""`, '"," or "}"'],
  ['{"a":1', 6, 'the end of the text', '"," or "}"'],
  ['{"a', 3, 'the end of the text', 'a closing double quote'],
  ['[1,]', 3, '"]"', 'a value'],
  ['[1 2]', 3, '"2]"', '"," or "]"'],
  ['1 2', 2, '"2"', 'the end of the text'],
  ['01', 1, '"1"', 'the end of the text'],
  ['1.', 2, 'the end of the text', 'a digit'],
  ['.5', 0, '".5"', 'a value'],
  ['+1', 0, '"+1"', 'a value'],
  ['-', 1, 'the end of the text', 'a digit'],
  ['-x', 1, '"x"', 'a digit'],
  ['1e', 2, 'the end of the text', 'a digit'],
  ['1e+', 3, 'the end of the text', 'a digit'],
  ['"abc', 4, 'the end of the text', 'a closing double quote'],
  ['"a\\', 3, 'the end of the text', 'a closing double quote'],
  ['"a\\"', 4, 'the end of the text', 'a closing double quote'],
  ['"a\nb"', 2, String.raw`"\nb\""`, 'a control character written as'],
  ['"\\t\u0000"', 3, String.raw`"\u0000\""`, 'a control character written as'],
  [String.raw`["ok", "a\qb"]`, 9, String.raw`"\\qb\"]"`, 'one of the escapes'],
  [String.raw`"\u12g4"`, 1, String.raw`"\\u12g4\""`, 'one of the escapes'],
  ['\ufeff{}', 0, '"\ufeff{}"', 'a value'],
];

void t.test('what is not JSON is refused, saying what was found, where, and what would be right', async (t) => {
  for (const [text, offset, found, right] of WRONG) {
    try {
      parseJson(text);
      t.fail(`${JSON.stringify(text)} was read`);
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error;
      t.equal(error.offset, offset, JSON.stringify(text));
      t.ok(error.message.startsWith(`JSON: found ${found} at offset ${offset}; ${right}`), error.message);
    }
  }
});

void t.test('nesting is bounded and never overflows the stack', async (t) => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  t.equal(stringifyJson(parseJson(nested(64))), nested(64));
  t.throws(() => parseJson(nested(65)), { name: 'JsonSyntaxError', offset: 64, message: /at most 64 levels/ });
  t.throws(() => parseJson('[{"a":[1]}]', { maxDepth: 2 }), { message: /at offset 6; nesting of at most 2 levels/ });
  t.equal(stringifyJson(parseJson('[[1],[2],{},{}]', { maxDepth: 2 })), '[[1],[2],{},{}]', 'siblings do not add up');
  for (const open of ['[', '{"a":']) {
    t.throws(() => parseJson(open.repeat(1e6), { maxDepth: Infinity }), { message: /at most 1000 levels/ });
  }
});

void t.test('it agrees with the engine about every text that starts or ends like JSON', async (t) => {
  const whole = String.raw`{"a":[1.5e3,"x\n\u00e9",{"b":null}],"c":true,"d":-0.0,"é":""}`;
  for (let cut = 0; cut <= whole.length; cut++) {
    for (const extra of ['', ' ', ',', '"', '}', ']', '\\', '1']) {
      const text = whole.slice(0, cut) + extra;
      t.same(
        outcome(() => toPlain(parseJson(text))),
        outcome(() => JSON.parse(text) as unknown),
        JSON.stringify(text),
      );
    }
  }
});

function outcome(read: () => unknown): string {
  try {
    return JSON.stringify(read());
  } catch {
    return 'refused';
  }
}

void t.test('toPlain gives doubles and objects without a prototype', async (t) => {
  const plain = toPlain(parseJson('{"__proto__":{"x":1.50},"l":[NaN,-Infinity,"s",null,true]}')) as Record<
    string,
    unknown
  >;
  t.equal(Object.getPrototypeOf(plain), null);
  t.same(Object.keys(plain), ['__proto__', 'l']);
  t.same(plain['l'], [NaN, -Infinity, 's', null, true]);
  t.equal(({} as Record<string, unknown>)['x'], undefined, 'nothing leaked into all objects');
});

void t.test('fromPlain spells integers as digits and other numbers as Python does', async (t) => {
  const cases: [unknown, string][] = [
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [9007199254740991, '9007199254740991'],
    [9007199254740992, '9007199254740992.0'],
    [1e16, '1e+16'],
    [1e21, '1e+21'],
    [0.1, '0.1'],
    [1e-7, '1e-07'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [2n ** 64n, '18446744073709551616'],
    [new JsonNumber('1.0'), '1.0'],
    [{ a: undefined, b: [undefined, null], c: 'x' }, '{"b":[null,null],"c":"x"}'],
    [
      new Map<string, unknown>([
        ['10', 1],
        ['9', { z: true }],
      ]),
      '{"10":1,"9":{"z":true}}',
    ],
    [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
  ];
  for (const [value, text] of cases) t.equal(stringifyJson(fromPlain(value)), text);
  const shared = { a: 1 };
  t.equal(stringifyJson(fromPlain([shared, shared])), '[{"a":1},{"a":1}]', 'the same object twice is no cycle');
});

void t.test('fromPlain names the place of what it cannot spell', async (t) => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = { again: [cycle] };
  t.throws(() => fromPlain(cycle), { name: 'TypeError', message: /a cycle at self\.again\.0/ });
  t.throws(() => fromPlain({ a: { f: () => 1 } }), { name: 'TypeError', message: /a function at a\.f/ });
  t.throws(() => fromPlain([Symbol('s')]), { name: 'TypeError', message: /a symbol at 0/ });
  t.throws(() => fromPlain(undefined), { name: 'TypeError', message: /undefined at the top/ });
  t.throws(() => fromPlain(new Map([[1, 2]])), { name: 'TypeError', message: /a number as a key/ });
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  t.throws(() => fromPlain(deep), { name: 'TypeError', message: /deeper than 1000/ });
});

void t.test('equal means the same content: exact numbers, members in any order', async (t) => {
  const equal = [
    '1 1.0',
    '1 1e0',
    '100 1e2',
    '0 -0.0',
    '0 0e99',
    '0.1 1e-1',
    '12.50 1.25E+1',
    'NaN NaN',
    '1e400 10e399',
  ];
  for (const pair of equal) t.ok(areEqual(pair), pair);
  t.ok(areEqual('{"a":1,"b":[2.0]} {"b":[2],"a":1.0}'));
  const different = [
    '9007199254740992 9007199254740993',
    '0.1 0.1000000000000000055511151231257827',
    '1 -1',
    '1 "1"',
    '1 true',
    'null 0',
    '[1,2] [2,1]',
    '[1] [1,1]',
    '{"a":1} {"a":1,"b":2}',
    '{"a":null} {"b":null}',
    '{} []',
    'NaN Infinity',
    '1e400 1e401',
  ];
  for (const pair of different) t.notOk(areEqual(pair), pair);
});

function areEqual(pair: string): boolean {
  const [a = '', b = ''] = pair.split(' ');
  const forth = jsonEqual(parseJson(a), parseJson(b));
  if (forth !== jsonEqual(parseJson(b), parseJson(a))) throw new Error(`${pair}: depends on the order`);
  return forth;
}

void t.test('an object is a Map', async (t) => {
  t.ok(isJsonObject(parseJson('{}')));
  for (const other of ['[]', 'null', '1', '"x"']) t.notOk(isJsonObject(parseJson(other)), other);
  t.notOk(isJsonObject(undefined));
});

void t.test('a detached string is the same text', async (t) => {
  for (const text of ['', 'plain', 'é😀', '\ud800']) t.equal(detach(text), text);
});
