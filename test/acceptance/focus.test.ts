import { readFileSync } from 'node:fs';
import { exportSchemas } from '@nephometer/api';
import type { ExportPlanAnswer } from '@nephometer/api';
import { HOUR, ManualClock } from '@nephometer/core';
import t from 'tap';
import type { Test } from 'tap';
import { read, startApi } from '../usage/api.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';

t.setTimeout(300_000);

/** What FOCUS 1.2 says of each of its columns; type, nullability and allowed values of those that a meter can fill. */
interface ColumnRule {
  readonly name: string;
  readonly level: 'mandatory' | 'recommended' | 'conditional';
  readonly type?: 'string' | 'decimal' | 'date-time' | 'key-value';
  readonly nullable?: boolean;
  readonly allowed?: readonly string[];
}

const file = new URL('../../vectors/focus/columns-1.2.json', import.meta.url);
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of this tree
const RULES = JSON.parse(readFileSync(file, 'utf8')) as ColumnRule[];

type Row = Readonly<Record<string, string | number | null>>;

const TYPES: Readonly<Record<NonNullable<ColumnRule['type']>, (text: string) => boolean>> = {
  string: (text) => text !== '',
  decimal: (text) => /^-?\d+(\.\d+)?$/.test(text),
  'date-time': (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text),
  'key-value': (text) =>
    Object.entries(JSON.parse(text) as object).every(([key, value]) => key !== '' && typeof value === 'string'),
};

function breach({ type = 'string', nullable, allowed }: ColumnRule, value: Row[string] | undefined): string | null {
  if (value === undefined) return 'is missing';
  if (value === null) return nullable === true ? null : 'is null';
  if (!TYPES[type](String(value))) return `${value} is no ${type}`;
  return allowed === undefined || allowed.includes(String(value)) ? null : `${value} is not allowed`;
}

/** A month of which a batch came, and a void was written, after it was closed for p1. */
async function closedMonth(t: Test) {
  const clock = new ManualClock(at('2026-02-27'));
  const store = await (await STORES.memory()).open(clock);
  const late = ARRIVALS.findIndex(({ at: arrived }) => arrived > at('2026-03-10'));
  await recordArrivals(
    store,
    clock,
    ARRIVALS.filter((_, i) => i !== late),
  );
  clock.jump(at('2026-04-02T06:00:00') - clock.now());
  const api = await startApi(store, clock);
  t.teardown(async () => {
    await api.stop();
    await store.close();
  });
  const definitions = ['instance_hours'];
  t.equal((await api.post('/v1/statements', { period: '2026-03', tz: 'Europe/Berlin', definitions })).status, 201);
  clock.jump(HOUR);
  await recordArrivals(store, clock, ARRIVALS.slice(late, late + 1));
  clock.jump(HOUR);
  return api;
}

t.test('rows in the shape of FOCUS 1.2 keep to its rules', async (t) => {
  const api = await closedMonth(t);
  const asked = {
    definitions: ['instance_hours', 'volume_gib_hours', 'network_out_gib', 'vcpu_peak'],
    from: '2026-03-01',
    to: '2026-04-05',
    tz: 'Europe/Berlin',
    group_by: ['project_id', 'resource_id', 'metadata.flavor_name'],
    format: 'ndjson',
    shape: 'focus',
    partition: 'none',
    region: 'region-1',
  };
  const plan = read(await api.post('/v1/exports', asked), exportSchemas.ExportPlanAnswer);
  const text = (await api.get(`/v1/exports/${plan.id}/parts/all.0001.ndjson`)).text;
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  t.ok(rows.length > 100, `${rows.length} rows`);
  columnsAre(t, plan);
  for (const rule of RULES.filter(({ type }) => type !== undefined)) {
    const wrong = rows.map((row) => breach(rule, row[rule.name])).filter((found) => found !== null);
    t.strictSame([...new Set(wrong)], [], rule.name);
  }
  rowsAre(t, rows);
});

function columnsAre(t: Test, { schema }: ExportPlanAnswer): void {
  const { columns, focus } = schema;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as focusMetadata makes it
  const left = focus?.['left_to_rater'] as string[];
  const ours = columns.map(({ name }) => name).filter((name) => !name.startsWith('x_'));
  t.strictSame([...ours, ...left].sort(), RULES.map(({ name }) => name).sort(), 'there, or left to the rater');
  for (const { name, type, nullable } of columns) {
    const rule = RULES.find((one) => one.name === name);
    if (rule === undefined) continue;
    const types = { string: 'string', decimal: 'decimal', 'date-time': 'timestamp', 'key-value': 'string' };
    t.equal(type, types[rule.type ?? 'string'], `${name} is of its type`);
    t.ok(rule.nullable === true || !nullable, `${name} may be null only where FOCUS lets it`);
  }
}

/** What one column says of another. */
function rowsAre(t: Test, rows: readonly Row[]): void {
  const adjusted = rows.filter(({ x_Finality: finality }) => finality === 'adjusted');
  t.ok(adjusted.length > 0, 'a batch came after the closing');
  t.strictSame(
    rows.filter(({ ChargeClass }) => ChargeClass === 'Correction'),
    adjusted,
    'what the closed statement has otherwise is a correction',
  );
  t.ok(
    rows.some(({ x_Finality: finality, ChargeClass }) => finality === 'closed' && ChargeClass === null),
    'what it has likewise is none',
  );
  for (const row of rows) {
    const { ChargePeriodStart: start, ChargePeriodEnd: end, BillingPeriodStart: first, BillingPeriodEnd: last } = row;
    const isWithin = String(first) <= String(start) && String(start) < String(end) && String(end) <= String(last);
    const isTyped = (row['ResourceId'] === null) === (row['ResourceType'] === null);
    // The one rule that is bent: what nothing was read of is not known, and not zero.
    const isTold = row['ConsumedQuantity'] !== null || row['x_Coverage'] === '0' || row['x_Coverage'] === null;
    if (!isWithin || !isTyped || !isTold) t.fail('columns of a row contradict each other', { row });
  }
}
