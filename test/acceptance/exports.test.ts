import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportSchemas, isManifestWhole } from '@nephometer/api';
import { add, ManualClock, parseDecimal, toText } from '@nephometer/core';
import { DuckDBInstance } from '@duckdb/node-api';
import t from 'tap';
import type { Test } from 'tap';
import { startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';
import { contents, runNephometer, scratch } from './exports.ts';

t.setTimeout(600_000);
const { ExportManifestAnswer } = exportSchemas;
const FORMATS = ['csv', 'ndjson', 'parquet'] as const;
const SHAPES = ['usage', 'focus'] as const;
const MARCH = { from: '2026-03-01', to: '2026-04-01', tz: 'Europe/Berlin', as_of: '2026-04-01T23:00:00Z' };
const DEFINITIONS = ['instance_hours', 'volume_gib_hours', 'network_out_gib'];

const ASKED = [
  ...DEFINITIONS.flatMap((name) => ['-d', name]),
  ...Object.entries(MARCH).flatMap(([field, value]) => [`--${field.replace('_', '-')}`, value]),
];

const READERS = {
  csv: (glob: string) => `read_csv('${glob}', all_varchar = true, header = true)`,
  ndjson: (glob: string) => `read_ndjson('${glob}')`,
  parquet: (glob: string) => `read_parquet('${glob}')`,
};

/** What DuckDB, which knows nothing of us, sums the files of a folder to. */
async function summed(path: string, format: (typeof FORMATS)[number], shape: (typeof SHAPES)[number]) {
  const db = await DuckDBInstance.create(':memory:');
  const connection = await db.connect();
  const [name, unit, quantity] =
    shape === 'focus' ? ['SkuMeter', 'x_Unit', 'ConsumedQuantity'] : ['definition', 'unit', 'quantity'];
  const from = READERS[format](join(path, `*.${format}`));
  const sql =
    `SELECT "${name}" AS name, "${unit}" AS unit, count(*)::INT AS rows, ` +
    `sum("${quantity}"::DECIMAL(38,12))::VARCHAR AS quantity FROM ${from} GROUP BY ALL ORDER BY 1`;
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  db.closeSync();
  return rows.map((row) => ({ ...row, quantity: toText(parseDecimal(row['quantity'] as string)) }));
}

/** What the first store gave: the others must give the same bytes. */
const bytes = new Map<string, Record<string, string>>();

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: exports of a month`, async (t) => {
    const clock = new ManualClock(at('2026-02-27'));
    const store = await (await prepare()).open(clock);
    t.teardown(() => store.close());
    await recordArrivals(store, clock, ARRIVALS);
    const api = await startApi(store, clock);
    t.teardown(() => api.stop());

    for (const shape of SHAPES) {
      // Of the others one will do: what the formats are made of is the same lines.
      for (const format of name === 'duckdb' ? FORMATS : FORMATS.slice(0, 1)) {
        t.test(`${format}, ${shape}`, async (t) => {
          const out = scratch(t);
          const ran = await runNephometer(api.url, [
            'export',
            'usage',
            ...ASKED,
            '--format',
            format,
            '--shape',
            shape,
            '-o',
            out,
          ]);
          t.equal(ran.code, 0, ran.stderr);
          t.equal(ran.stderr, '', 'quiet where there is no terminal');
          t.match(ran.stdout, /instance_hours: 1469 instance\.h/);
          const text = readFileSync(join(out, 'manifest.json'), 'utf8');
          const manifest = ExportManifestAnswer.parse(JSON.parse(text));
          t.ok(isManifestWhole(manifest));
          const served = await api.get(`/v1/exports/${manifest.id}/manifest`);
          t.equal(served.text, text, 'over HTTP the manifest has the same bytes');
          const totals = manifest.totals.map(({ definition, unit, rows, quantity }) => ({
            name: definition,
            unit,
            rows,
            quantity,
          }));
          t.strictSame(await summed(out, format, shape), totals, 'DuckDB sums the files to the control totals');
          // Where the bytes are those of another store, so is what they say.
          if (name === 'memory') for (const definition of DEFINITIONS) await sameAsApi(t, api, manifest, definition);
          const known = bytes.get(`${format} ${shape}`);
          if (known === undefined) bytes.set(`${format} ${shape}`, contents(out));
          else t.strictSame(contents(out), known, 'the same bytes as of the other stores');
        });
      }
    }

    if (name !== 'duckdb') return;
    t.test('a damaged file is found and loaded again; another question is refused', async (t) => {
      const out = scratch(t);
      const args = ['export', 'usage', ...ASKED, '-o', out];
      t.equal((await runNephometer(api.url, args)).code, 0);
      const before = contents(out);
      const file = join(out, '2026-03-07.0001.csv');
      const damaged = readFileSync(file);
      damaged[40] = (damaged[40] ?? 0) ^ 1;
      writeFileSync(file, damaged);
      const again = await runNephometer(api.url, args);
      t.match(again, { code: 0, stderr: /2026-03-07\.0001\.csv is damaged/ });
      t.strictSame(contents(out), before);
      const other = await runNephometer(api.url, [...args, '--window', 'hour']);
      t.match(other, { code: 65, stderr: /holds another export \(window: "day" there, "hour" now\)/ });
      t.strictSame(contents(out), before);
    });
  });
}

/** The control total of a definition is what the API says of the whole period. */
async function sameAsApi(
  t: Test,
  api: Asking,
  { totals }: { readonly totals: readonly { readonly definition: string; readonly quantity: string }[] },
  definition: string,
): Promise<void> {
  const { from, to, tz, as_of: asOf } = MARCH;
  const asked = new URLSearchParams({ definition, from, to, tz, as_of: asOf });
  const { lines } = (await api.get(`/v1/usage?${asked.toString()}`)).json as { lines: { quantity: string | null }[] };
  const sum = lines.reduce((all, { quantity }) => add(all, parseDecimal(quantity ?? '0')), parseDecimal('0'));
  t.equal(totals.find((total) => total.definition === definition)?.quantity, toText(sum), definition);
}
