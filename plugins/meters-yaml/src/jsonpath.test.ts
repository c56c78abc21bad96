import { parseJson, toPlain } from '@nephometer/core/plugin';
import t from 'tap';
import { findAll } from './evaluate.ts';
import { parseExpression } from './jsonpath.ts';

const ROOT = parseJson(`{
  "payload": {
    "a": {"b": 1, "dotted.key": "quoted", "q:x": "colon"}, "host": "h1", "node": "n1",
    "list": [{"name": "x", "value": 2, "on": true}, {"name": "y", "value": 3.5}, {"other": null}],
    "big": 9007199254740993, "pool": "c1@lvm#pool0#x", "empty": [], "none": null, "rate": 0.1
  },
  "ctxt": {"user": "u"}
}`);

const CASES: [expression: string, found: unknown[]][] = [
  ['$.payload.a.b', [1]],
  ['payload.a.b', [1]],
  ["$.payload.a.'dotted.key'", ['quoted']],
  ['$.payload.a."dotted.key"', ['quoted']],
  ["$.payload['a']['q:x']", ['colon']],
  ['$.payload.a.q:x', ['colon']],
  ['$.payload.list[0].name', ['x']],
  ['$.payload.list[9].name', []],
  ['$.payload.list[*].value', [2, 3.5]],
  ['$.payload.a[*].b', [1]],
  ['$.payload.list.name', []],
  ["$.payload.list[?(@.name='y')].value", [3.5]],
  ["$.payload.list[?(@.name=='y')].value", [3.5]],
  ['$.payload.list[?name=y].value', [3.5]],
  ['$.payload.list[?(@.value > 2)].name', ['y']],
  ["$.payload.list[?(@.name != 'x' & @.value >= 3)].name", ['y']],
  ['$.payload.list[?on].name', ['x']],
  ['$.payload.list[?(@.on = true)].name', ['x']],
  ['$.ctxt.user_id|$.ctxt.user', ['u']],
  ['($.payload.missing)|($.payload.a.b)', [1]],
  ['$.payload.host + "_" + $.payload.node', ['h1_n1']],
  ['$.payload.a.b + 2 * 3', [7]],
  ['($.payload.a.b + 2) * 3', [9]],
  ['$.payload.rate * 3', [0.30000000000000004]],
  ['$.payload.list[*].value * 2', [4, 7]],
  ['$.payload.list[*].value + $.payload.host', []],
  ['$.payload.list[?value].value * 2', [4, 7]],
  ['$.payload.a.b / 4', [0.25]],
  ['$.payload.a.b / 0', []],
  ['$.payload.host - 1', []],
  ['$.payload.missing + "x"', []],
  ['$.payload.pool.`split(#, 0, 1)`', ['c1@lvm']],
  ['$.payload.pool.`split(#, 1, 1)`', ['pool0#x']],
  ['$.payload.pool.`split(#, 2, -1)`', ['x']],
  ['$.payload.pool.`sub(/^(.*)@.*$/, \\1!)`', ['c1!']],
  ['$.payload.list.`len`', [3]],
  ['$.payload.host.`this`', ['h1']],
  ['$..value', [2, 3.5]],
  ['$.payload.none', [null]],
  ['gauge', []],
  ['disk.root.size', []],
];

for (const [expression, found] of CASES) {
  t.test(`${expression} finds ${JSON.stringify(found)}`, (t) => {
    t.strictSame(findAll(parseExpression(expression), ROOT).map(toPlain), found);
    t.end();
  });
}

t.test('whole numbers are exact, and what is only looked up keeps its literal', (t) => {
  t.match(findAll(parseExpression('$.payload.big'), ROOT), [{ literal: '9007199254740993' }]);
  t.match(findAll(parseExpression('$.payload.big * 10'), ROOT), [{ literal: '90071992547409930' }]);
  t.end();
});
