import t from 'tap';
import { ConfigError, loadSettings } from '@nephometer/core';
import { ApiError } from './client.ts';
import { periodSeconds } from './commands/data.ts';
import { formatRows } from './format.ts';
import type { Column } from './format.ts';
import { queryPairs } from './query.ts';

interface Row {
  readonly name: string;
  readonly volume: number;
}

const rows: readonly Row[] = [
  { name: 'cpu', volume: 12 },
  { name: 'a,"b"\n', volume: 3456 },
];
const columns: readonly Column<Row>[] = [
  { title: 'meter', value: (row) => row.name },
  { title: 'volume', value: (row) => row.volume, align: 'right' },
];

void t.test('a table lines numbers up to the right, and no tenant can move the cursor of a terminal', (t) => {
  t.equal(formatRows(rows, columns, 'table'), 'meter   volume\ncpu         12\na,"b"\uFFFD    3456\n');
  t.equal(formatRows([], columns, 'table'), 'meter  volume\n(none)\n');
  t.end();
});

void t.test('a name of thousands of characters leaves the other columns where they are', (t) => {
  const long = [{ name: 'n'.repeat(5_000), volume: 1 }];
  const lines = formatRows(long, columns, 'table').split('\n');
  t.ok(
    lines.every((line) => line.length <= 220),
    'no line is longer than a person reads',
  );
  t.match(lines[1], /^n{199}… +1$/, 'what is left out is seen');
  t.match(formatRows(long, columns, 'csv'), /n{5000},1/, 'a program gets all of it');
  const [name = { title: '', value: () => '' }] = columns;
  t.match(formatRows(long, [{ ...name, isWhole: true }], 'table'), /\nn{5000}\n/, 'and who wants to copy it');
  t.end();
});

void t.test('a period is whole seconds; all else is a mistake of the command line, not a crash', (t) => {
  t.same(['90', '1m', 'PT1H'].map(periodSeconds), ['90', '60', '3600']);
  for (const wrong of ['xyz', '', '0', '0s', '400ms', '1500ms', '-5'])
    t.throws(() => periodSeconds(wrong), { code: 'commander.invalidArgument' }, wrong);
  t.end();
});

void t.test('CSV quotes what needs it; JSON is the rows as they came', (t) => {
  t.equal(formatRows(rows, columns, 'csv'), 'meter,volume\ncpu,12\n"a,""b""\n",3456\n');
  t.same(JSON.parse(formatRows(rows, columns, 'json')), rows);
  t.end();
});

void t.test('conditions become the lists of the API', (t) => {
  const listed = (text: string): string[] => queryPairs([text]).map(([, value]) => value);
  t.same(listed('timestamp>=2026-11-01T00:00:00'), ['timestamp', 'ge', '', '2026-11-01T00:00:00']);
  t.same(listed('metadata.flavor=string::7'), ['metadata.flavor', 'eq', 'string', '7']);
  t.same(listed('a=1;b<2'), ['a', 'eq', '', '1', 'b', 'lt', '', '2']);
  t.same(listed('resource_id=x=y'), ['resource_id', 'eq', '', 'x=y'], 'values may hold anything');
  t.throws(() => queryPairs(['nonsense']), ApiError);
  t.end();
});

void t.test('a password on the command line is refused, with a way that is safe', async (t) => {
  await t.rejects(loadSettings({ bus: 'amqp://u:p@h' }), ConfigError);
  await t.rejects(loadSettings({ bus: 'amqp://u:p@h' }), /bus\.password_file.*NEPHOMETER_BUS_URL/);
  t.equal((await loadSettings({ bus: 'amqp://u@h' })).config.bus.url, 'amqp://u@h');
});

void t.test('a port that is none is named', async (t) => {
  await t.rejects(loadSettings({ port: 'eighty' }), /listen\.port: must be a number/);
});
