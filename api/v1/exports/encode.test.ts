import t from 'tap';
import { encodeRows } from './encode.ts';
import { column } from './table.ts';
import type { Cell } from './table.ts';

const of = (name: string, type: 'string' | 'decimal' | 'integer' | 'timestamp') => column(name, type, () => null, '');
const COLUMNS = [
  of('resource_id', 'string'),
  of('quantity', 'decimal'),
  of('samples', 'integer'),
  of('at', 'timestamp'),
];
const rows = (...ids: (string | null)[]): Cell[][] => ids.map((id) => [id, '-1.5', 3, '2026-03-01T00:00:00.000001Z']);
const csv = (guardFormulas: boolean, ...ids: (string | null)[]): string[] =>
  encodeRows(COLUMNS, rows(...ids), { format: 'csv', guardFormulas })
    .toString()
    .split(',-1.5,3,2026-03-01T00:00:00.000001Z\n');

void t.test('CSV quotes what would break a row, and tells the empty text from what is not known', (t) => {
  const [first = '', ...rest] = csv(false, 'plain', 'a,b', 'a"b', 'a\nb', '', null, 'é😀');
  t.equal(first, 'resource_id,quantity,samples,at\nplain');
  t.strictSame(rest, ['"a,b"', '"a""b"', '"a\nb"', '""', '', 'é😀', '']);
  t.end();
});

void t.test('CSV keeps texts that a spreadsheet takes for formulas, unless they are to be guarded', (t) => {
  const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '=HYPERLINK("x","y")'];
  t.equal(csv(false, ...formulas)[0], 'resource_id,quantity,samples,at\n=1+1');
  const [first, ...rest] = csv(true, ...formulas);
  t.equal(first, "resource_id,quantity,samples,at\n'=1+1");
  t.strictSame(rest, ["'+1", "'-1", "'@SUM(A1)", "'\t=1", `"'=HYPERLINK(""x"",""y"")"`, '']);
  t.end();
});

void t.test('NDJSON has an object a row, with decimals as texts', (t) => {
  const text = encodeRows(COLUMNS, rows('a"\nb', null), { format: 'ndjson', guardFormulas: false }).toString();
  t.equal(
    text,
    '{"resource_id":"a\\"\\nb","quantity":"-1.5","samples":3,"at":"2026-03-01T00:00:00.000001Z"}\n' +
      '{"resource_id":null,"quantity":"-1.5","samples":3,"at":"2026-03-01T00:00:00.000001Z"}\n',
  );
  t.end();
});

void t.test('Parquet refuses a figure that it could only hold rounded', (t) => {
  const write = (quantity: string): Buffer =>
    encodeRows(COLUMNS, [['r', quantity, 1, null]], { format: 'parquet', guardFormulas: false });
  for (const fits of ['99999999999999999999999999.999999999999', '-0.000000000001', '0']) {
    t.equal(write(fits).subarray(0, 4).toString(), 'PAR1', fits);
  }
  for (const tooMuch of ['100000000000000000000000000', '0.0000000000001']) {
    t.throws(() => write(tooMuch), { status: 422, code: 'MTR_EXPORT_DECIMAL' }, tooMuch);
  }
  t.end();
});

void t.test('the same rows have the same bytes', (t) => {
  const many = Array.from({ length: 5000 }, (_, i): Cell[] => [`r${i % 7}`, `${i}.25`, i, '2026-03-01T00:00:00Z']);
  for (const format of ['csv', 'ndjson', 'parquet'] as const) {
    const [a, b] = [1, 2].map(() => encodeRows(COLUMNS, many, { format, guardFormulas: false }));
    t.ok(a?.equals(b ?? Buffer.alloc(0)), format);
  }
  t.end();
});
