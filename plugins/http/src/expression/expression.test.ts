import t from 'tap';
import { parseJson, stringifyJson } from '@nephometer/core/plugin';
import type { JsonValue } from '@nephometer/core/plugin';
import { isVolume } from '../numbers.ts';
import { parsePath, valueAt } from '../path.ts';

const ENTRY = parseJson(`{
  "id": "abc$p1", "size": 9007199254740993, "price": 0.1, "big": 1e3, "negative": -7, "text": "12.50", "none": null,
  "flag": true, "list": [3, 1, 2], "mixed": [{"rel": "self", "href": "a"}, {"rel": "next", "href": "b"}],
  "map": {"a": 1, "b": {"c": "deep"}}, "empty": [], "name": " Padded ", "if": 5
}`);

function run(path: string, entry: JsonValue = ENTRY): string | undefined {
  const value = valueAt(parsePath(path), entry);
  return value === undefined ? undefined : stringifyJson(value);
}

void t.test('paths', (t) => {
  t.equal(run('map.b.c'), '"deep"');
  t.equal(run('mixed.1.href'), '"b"', 'a number takes an item of a list');
  t.equal(run('map.x'), undefined);
  t.equal(run('none.x'), undefined);
  t.equal(run('map.x | value + 1'), undefined, 'operations are not applied to what is not there');
  t.equal(run('.', parseJson('1.0')), '1.0');
  t.equal(run('size'), '9007199254740993');
  t.end();
});

void t.test('expressions give what Python gives', (t) => {
  const cases: Record<string, string> = {
    "id | value.split('$')[0]": '"abc"',
    "id | value.split('$')[-1].upper()": '"P1"',
    "id | value.split('$') | value[1]": '"p1"',
    "id | value.rsplit('$', 1)[0] + '-' + str(3)": '"abc-3"',
    "id | 'a|b' + value[:2]": '"a|bab"',
    'size | value + 1': '9007199254740994',
    'size | value * value': '81129638414606699710187514626049',
    'price | value + 0.2': '0.3',
    'price | value * 3': '0.3',
    'big | value / 1024': '0.9765625',
    'big | value / 3': '333.33333333333333',
    'price | value / 3': '0.033333333333333333',
    'big | value // 3': '333',
    'negative | value // 2': '-4',
    'negative | value % 3': '2',
    'negative | -value': '7',
    'negative | abs(value)': '7',
    'text | float(value)': '12.5',
    'text | int(float(value))': '12',
    'text | float(value) | round(value)': '12',
    "map | float('1e3')": '1000',
    'price | str(value)': '"0.1"',
    'none | str(value)': '"None"',
    'flag | int(value)': '1',
    'flag | 1 if value else 0': '1',
    "none | 'x' if value is None else 'y'": '"x"',
    'none | 1 if value is not None else 2 if value else 3': '3',
    'list | len(value)': '3',
    'list | max(value) - min(value)': '2',
    'list | sum(value)': '6',
    'list | value[1:]': '[1,2]',
    'list | value[-1] in [2, 4]': 'true',
    'list | 5 not in value': 'true',
    'list | 1 < value[0] <= 3': 'true',
    'map | value.get("x", 0)': '0',
    'map | value["b"]["c"]': '"deep"',
    'map | value.b.c': '"deep"',
    'map | value.get("b").get("c").startswith("d")': 'true',
    'map | "a" in value and not value.get("z")': 'true',
    "map | {'deep': 7}.get(value['b']['c'], -1)": '7',
    'empty | value or 4': '4',
    "name | value.strip().lower().replace('d', 't')": '"pattet"',
    "name | value.strip(' P')": '"added"',
    "mixed | filter(lambda v: v.get('rel') == 'next', value) | list(value) | value[0] | value.get('href')": '"b"',
    "mixed | [l['href'] for l in value if l['rel'] == 'next'][0]": '"b"',
    "mixed | next((l['href'] for l in value if l['rel'] == 'last'), None)": 'null',
    'list | sum(x * 2 for x in value)': '12',
    'list | map(lambda x: x + 1, value)': '[4,2,3]',
    'list | 1 == 1.0': 'true',
    "map | ','.join(value.keys())": '"a,b"',
    '. | len(value) > 3': 'true',
  };
  for (const [path, expected] of Object.entries(cases)) t.equal(run(path), expected, path);
  t.end();
});

void t.test('what is not part of the language is refused where it stands', (t) => {
  const cases: [string, RegExp][] = [
    ["id | __import__('os')", /column 2: there is no function "__import__" here; there are abs, bool/],
    ['id | open("x")', /no function "open"/],
    ['id | os.system("x")', /there is no name "os" here; there are value, None, True, False/],
    ['id | value.__class__()', /there is no method "__class__" here; there are endswith/],
    ['id | value.format(1)', /no method "format"/],
    ['id | value ** 2', /expected an operator, "\|" or the end; found "\*\*"/],
    ['id | f"{value}"', /texts with a prefix \(f"..."\)/],
    ['id | value if value', /expected "else"; found the end/],
    ['id | value[', /expected a value; found the end/],
    ["id | 'open", /no closing quote/],
    ['id | value @ 2', /"@ 2" is not part of the expression language/],
    ['id | (1, 2)', /tuples are not supported/],
    ['id | value()()', /there is no function "value"/],
    ['id | value[0]()', /only functions and methods that have a name can be called/],
    ['id | lambda x: x', /expected a value; found "lambda"/],
    ['id | filter(None, value)', /expected "lambda", as in filter\(lambda x: x > 0, value\)/],
    ['id | [a for a in value for b in a]', /only one "for"/],
    ['id |', /expected a value; found the end/],
    [`id | ${'('.repeat(60)}1`, /deeper than 50/],
    ['id | value "\\q"', /the escape \\q is not known/],
    [' ', /must be a path/],
    ['a..b', /must name a key between any two dots; found "a..b"/],
  ];
  for (const [path, message] of cases) t.throws(() => parsePath(path), message, path);
  t.end();
});

void t.test('what cannot be applied says to what', (t) => {
  const cases: [string, RegExp][] = [
    ['id | value + 1', /\+ joins texts only with texts; found "abc\$p1" \+ 1; use str/],
    ['id | value - 1', /- needs a number; found "abc\$p1"/],
    ['id | int(value)', /int needs a whole number; found "abc\$p1"/],
    ['id | value[99]', /there is no item 99 in "abc\$p1"/],
    ['map | value["zz"]', /there is no "zz" in an object \(a, b\)/],
    ['map | value.zz', /there is no "zz"/],
    ['empty | value[-1]', /there is no item -1 in a list of 0/],
    ['empty | max(value)', /max of an empty list/],
    ['empty | next(value)', /next of an empty list/],
    ['big | value / 0', /\/ by zero/],
    ['id | value < 1', /have no order/],
    ['id | len(value, 1)', /len takes 1 arguments; found 2/],
    ['id | value.replace("a")', /replace takes 2 arguments; found 1/],
    ['list | [x for x in value] + [x]', /the variable "x" is used outside/],
    ['id | value.split("")', /separator that is not empty/],
    ['text | len([a for a in value.split(".")]) + float("NaN")', /float needs a number; found "NaN"/],
  ];
  for (const [path, message] of cases) t.throws(() => run(path), message, path);
  const long = parseJson(`[${Array.from({ length: 1000 }, () => '1').join()}]`);
  t.throws(() => run('. | [[y for y in value] for x in value]', long), /more than 200000 steps/);
  t.throws(
    () => run(`. | ${Array.from({ length: 25 }, () => 'value + value').join(' | ')}`, 'abcdefgh'),
    /grows beyond 1000000/,
  );
  t.end();
});

void t.test('volumes have at most 38 digits', (t) => {
  for (const good of ['0', '-0.5', '1e3', '9'.repeat(38), `0.${'0'.repeat(37)}1`, '1.50']) t.ok(isVolume(good), good);
  for (const bad of ['', 'NaN', '+1', '01', '.5', '1e39', '9'.repeat(39), `0.${'0'.repeat(38)}1`, '1e99999']) {
    t.notOk(isVolume(bad), bad);
  }
  t.end();
});
