import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DAY, HOUR, ManualClock, MetricRegistry, silentLogger } from '@nephometer/core';
import type { Micros, Store } from '@nephometer/core';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import t from 'tap';
import { deskOver, keeperOf } from './desks.ts';
import type { Desk } from './desks.ts';
import { WORLD_FROM, WORLD_METERS, worldOf } from './fold-world.ts';
import type { WorldEvent } from './fold-world.ts';

t.setTimeout(300_000);

/** The statements that made a file before there were fold lines. */
const LAYOUT_3 = readFileSync(new URL('../../fixtures/duckdb/layout-3.sql', import.meta.url), 'utf8');

const folder = await mkdtemp(join(tmpdir(), 'nephometer-layout-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));

const open = (path: string, clock: ManualClock): Promise<Store> =>
  openDuckDbStore({ path, clock, log: silentLogger, metrics: new MetricRegistry() });

async function run(path: string, work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
  const db = await DuckDBInstance.create(path, { storage_compatibility_version: 'v1.2.0' });
  const connection = await db.connect();
  await work(connection);
  connection.closeSync();
  db.closeSync();
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<string[]> {
  return (await connection.runAndReadAll(sql)).getRows().map((row) => row.map(String).join(' '));
}

/** Takes what a store of today holds over into a file as layout 3 has it: what it writes of these tables is the same. */
async function asLayout3(today: string, old: string): Promise<void> {
  await run(old, async (connection) => {
    await connection.run(LAYOUT_3);
    const tables = ['batch', 'series', 'sample', 'entry', 'horizon', 'resolution'];
    await connection.run(`ATTACH '${today}' AS today (READ_ONLY)`);
    for (const table of tables) await connection.run(`INSERT INTO ${table} BY NAME SELECT * FROM today.${table}`);
    await connection.run('DETACH today');
    t.strictSame(await rowsOf(connection, `SELECT count(*) FROM duckdb_tables() WHERE table_name = 'fold'`), ['0']);
  });
}

async function happen(store: Store, clock: ManualClock, events: readonly WorldEvent[]): Promise<void> {
  for (const event of events) {
    clock.jump(Math.max(1, event.at - clock.now()));
    if ('batch' in event) await store.record([event.batch]);
    else await store.appendEntry(event.entry(clock.now()));
  }
}

const iso = (at: Micros): string => new Date(at / 1000).toISOString();

async function answers(desk: Desk, asOf: Micros): Promise<string[]> {
  const found: string[] = [];
  for (const meter of WORLD_METERS) {
    const period = { from: iso(WORLD_FROM), to: iso(WORLD_FROM + 9 * DAY) };
    const asked = {
      meter,
      kind: 'duration',
      ...period,
      window: 'day',
      group_by: 'project_id,resource_id',
      gaps: 'true',
    };
    found.push(JSON.stringify(await desk.ask(asked, asOf)));
  }
  return found;
}

t.test(
  'a DuckDB file of layout 3 is taken over: same answers as before, then from fold lines, then with what is new',
  async (t) => {
    const clock = new ManualClock(WORLD_FROM);
    const events = worldOf(11, { days: 9, interval: HOUR });
    const cut = events.findIndex(({ at }) => at > WORLD_FROM + 7 * DAY);
    const [today, old] = [join(folder, 'today.duckdb'), join(folder, 'old.duckdb')];
    const before = await open(today, clock);
    await happen(before, clock, events.slice(0, cut));
    const asOf = clock.now();
    const expected = await answers(deskOver(before, clock, { folds: { enabled: false } }), asOf);
    await before.close();
    await asLayout3(today, old);

    const store = await open(old, clock);
    t.teardown(() => store.close());
    const bySamples = deskOver(store, clock, { folds: { enabled: false } });
    const byFolds = deskOver(store, clock, { folds: { backfill: '300d' } });
    t.strictSame(await answers(byFolds, asOf), expected, 'before anything is folded');
    clock.jump(DAY);
    while ((await keeperOf(byFolds).run()).waiting > 0);
    t.strictSame(await answers(byFolds, clock.now()), await answers(bySamples, clock.now()), 'from fold lines');
    t.match(byFolds.metrics.expose(), /nephometer_fold_answers_total\{source="(folds|both)"\} [1-9]/);
    await happen(store, clock, events.slice(cut));
    clock.jump(DAY);
    while ((await keeperOf(byFolds).run()).waiting > 0);
    t.strictSame(await answers(byFolds, clock.now()), await answers(bySamples, clock.now()), 'with what came since');
    t.strictSame(await answers(byFolds, asOf), expected, 'as of then, as then');
  },
);

t.test('the file has the newest layout afterwards, once, and every row of before', async (t) => {
  const [today, old] = [join(folder, 'today.duckdb'), join(folder, 'again.duckdb')];
  await asLayout3(today, old);
  const clock = new ManualClock(WORLD_FROM + 20 * DAY);
  for (let i = 0; i < 2; i++) await (await open(old, clock)).close();
  const counts = 'SELECT (SELECT count(*) FROM batch), (SELECT count(*) FROM sample), (SELECT count(*) FROM entry)';
  await run(old, async (connection) => {
    const versions = await rowsOf(connection, 'SELECT version FROM schema_version ORDER BY 1');
    t.strictSame(versions.slice(0, 4), ['1', '2', '3', '4']);
    t.equal(new Set(versions).size, versions.length, 'each step was taken once');
    t.strictSame(await rowsOf(connection, 'SELECT count(*) FROM fold'), ['0']);
    const found = await rowsOf(connection, counts);
    await run(today, async (other) => {
      t.strictSame(found, await rowsOf(other, counts));
    });
  });
});
