import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportSchemas } from '@nephometer/api';
import type { ExportManifestAnswer } from '@nephometer/api';
import { ManualClock } from '@nephometer/core';
import { DuckDBInstance } from '@duckdb/node-api';
import t from 'tap';
import type { Test } from 'tap';
import { startApi } from '../usage/api.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';
import { runNephometer, scratch } from './exports.ts';

t.setTimeout(300_000);

const clock = new ManualClock(at('2026-02-27'));
const store = await (await STORES.memory()).open(clock);
await recordArrivals(store, clock, ARRIVALS);
const servers = [await startApi(store, clock), await startApi(store, clock)] as const;
t.teardown(async () => {
  for (const server of servers) await server.stop();
  await store.close();
});
const [api, another] = servers;

const PERIOD = [
  '--from',
  '2026-03-14',
  '--to',
  '2026-03-17',
  '--tz',
  'Europe/Berlin',
  '--as-of',
  '2026-04-01T23:00:00Z',
];
const QUESTION = ['-d', 'network_out_gib', '-g', 'resource_id', '-w', 'hour', ...PERIOD];
const UNNAMED = ['--meter', 'network.outgoing.bytes', '--kind', 'increase', ...PERIOD];

/** Exports the question into a folder of its own. */
async function exported(t: Test, url: string, question: readonly string[], ...more: string[]) {
  const out = scratch(t);
  const ran = await runNephometer(url, ['export', 'usage', ...question, '-o', out, ...more]);
  t.match(ran, { code: 0, stderr: '' });
  const text = readFileSync(join(out, 'manifest.json'), 'utf8');
  return { out, manifest: exportSchemas.ExportManifestAnswer.parse(JSON.parse(text)) };
}

/** What DuckDB, which knows nothing of us, answers, every cell as text or null. */
async function asked(sql: string): Promise<Record<string, unknown>[]> {
  const db = await DuckDBInstance.create(':memory:');
  const connection = await db.connect();
  await connection.run("SET TimeZone = 'America/New_York'");
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  db.closeSync();
  return rows;
}

const TYPES = {
  string: 'VARCHAR',
  integer: 'BIGINT',
  decimal: 'DECIMAL(38,12)',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
} as const;

for (const shape of ['usage', 'focus'] as const) {
  t.test(`Parquet, ${shape}: DuckDB finds the types of the manifest, and every figure to its last digit`, async (t) => {
    const parquet = await exported(t, api.url, QUESTION, '--format', 'parquet', '--shape', shape);
    const ndjson = await exported(t, api.url, QUESTION, '--format', 'ndjson', '--shape', shape);
    const files = `read_parquet('${join(parquet.out, '*.parquet')}')`;
    const { columns } = parquet.manifest.schema;
    const described = await asked(`DESCRIBE SELECT * FROM ${files}`);
    t.strictSame(
      described.map((row) => [row['column_name'], row['column_type']]),
      columns.map(({ name, type }) => [name, TYPES[type]]),
    );
    const cells = columns.map(({ name, type }) => {
      const text =
        type === 'timestamp' ? `strftime("${name}" AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')` : `"${name}"::VARCHAR`;
      return `${text} AS "${name}"`;
    });
    const rows = await asked(`SELECT ${cells.join(', ')} FROM ${files}`);
    const lines = parquet.manifest.partitions
      .flatMap(({ parts }) => parts)
      .flatMap(({ file }) =>
        readFileSync(join(ndjson.out, file.replace('.parquet', '.ndjson')), 'utf8')
          .trimEnd()
          .split('\n'),
      );
    t.equal(rows.length, lines.length);
    t.ok(
      lines.some((line) => /"(quantity|ConsumedQuantity)":"0\.\d{12}"/.test(line)),
      'figures have all the digits that a column holds',
    );
    for (const [i, line] of lines.entries()) {
      const expected = JSON.parse(line) as Record<string, string | number | null>;
      const found = rows[i] ?? {};
      const read = Object.fromEntries(columns.map(({ name, type }) => [name, plain(type, found[name])]));
      t.strictSame(read, Object.fromEntries(columns.map(({ name, type }) => [name, plain(type, expected[name])])));
    }
  });
}

/** All zeros of a fraction are of the column's scale, and no digits of the figure. */
function plain(type: keyof typeof TYPES, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = `${value as string | number}`;
  if (type === 'decimal') return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return type === 'timestamp' ? text.replace(/(\.\d*?)0*Z$/, '$1Z').replace('.Z', 'Z') : text;
}

t.test('files are the same from any server, at any time, and the manifest has their checksum', async (t) => {
  for (const format of ['parquet', 'csv']) {
    const first = await exported(t, api.url, QUESTION, '--format', format);
    clock.jump(86_400_000_000);
    const second = await exported(t, another.url, QUESTION, '--format', format);
    t.strictSame(second.manifest, first.manifest, format);
    for (const part of partsOf(first.manifest)) {
      const bytes = readFileSync(join(second.out, part.file));
      t.equal(createHash('sha256').update(bytes).digest('hex'), part.sha256, part.file);
      t.ok(bytes.equals(readFileSync(join(first.out, part.file))));
    }
  }
});

function partsOf({ partitions }: ExportManifestAnswer) {
  return partitions.flatMap(({ parts }) => parts);
}

t.test('the command lists what was asked for', async (t) => {
  const { manifest } = await exported(t, api.url, UNNAMED);
  const all = await runNephometer(api.url, ['export', 'list', '--format', 'json']);
  const listed = JSON.parse(all.stdout) as { readonly id: string }[];
  t.equal(listed[0]?.id, manifest.id, 'newest first');
  t.ok(listed.length > 1);
  const one = await runNephometer(api.url, ['export', 'list', '--limit', '1']);
  t.match(one.stdout, /^export +asked at +as of[^]*increase\(network\.outgoing\.bytes\) +csv, usage\n$/);
  t.equal(one.stdout.split('\n').length, 3);
});
