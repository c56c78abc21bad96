import { isJsonObject, parseJson, stringifyJson } from '@nephometer/core';
import type { JsonObject } from '@nephometer/core';
import t from 'tap';
import { flattenMetadata, nestMetadata } from './metadata.ts';
import { guessLiteral } from './python.ts';

const LITERALS: readonly [text: string, value: unknown][] = [
  ['5', 5],
  ['-5', -5],
  ['5.0', 5],
  ['.5', 0.5],
  ['5.', 5],
  ['1e3', 1000],
  ['0x1F', 31],
  ['007', '007'],
  ['5GB', '5GB'],
  ['', ''],
  ['True', true],
  ['False', false],
  ['true', 'true'],
  ['None', null],
  ["'x'", 'x'],
  ['"5"', '5'],
  ["u'caf\\xe9'", 'café'],
  ["'it\\'s'", "it's"],
  ["'a' 'b'", "'a' 'b'"],
  ['[1, 2]', '[1, 2]'],
  ['10.0.0.1', '10.0.0.1'],
  ['2026-03-01', '2026-03-01'],
];

t.test('a value without a type is a Python literal where it is one, else text', async (t) => {
  for (const [text, value] of LITERALS) t.equal(guessLiteral(text), value, text);
});

function metadata(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new TypeError('Metadata are an object.');
  return value;
}

t.test('flat metadata spell values as Python does', async (t) => {
  const flat = flattenMetadata(
    metadata(`{"a": {"b": {"c.d": 1.0}}, "list": [1, 2.50, true, {"k": "it's"}, "\\u20ac", "\\ud83d\\ude00", "say \\"hi\\"", "\\n"],
    "big": 18446744073709551616, "tiny": 1e-7, "colon:key": "v", "e": {}, "": "empty key"}`),
  );
  t.strictSame(Object.fromEntries(flat), {
    'a.b:c:d': '1.0',
    list: `[1, 2.5, True, {u'k': u"it's"}, u'\\u20ac', u'\\U0001f600', u'say "hi"', u'\\n']`,
    big: '18446744073709551616',
    tiny: '1e-07',
    'colon.key': 'v',
    '': 'empty key',
  });
});

t.test('dotted keys are nested again, and stay where they cannot be', async (t) => {
  const nested = nestMetadata(
    metadata('{"a.b.c": 1, "a.b.d": "x", "s": "scalar", "s.t": 2, "a.b": 3, "__proto__.x": 1}'),
  );
  t.equal(stringifyJson(nested), '{"s":"scalar","a":{"b":{"c":1,"d":"x"}},"s.t":2,"a.b":3,"__proto__":{"x":1}}');
});
