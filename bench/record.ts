import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIGINT, DOUBLE, DuckDBDataChunk, DuckDBInstance, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import {
  defaultConfig,
  MetricRegistry,
  readMeteringEnvelope,
  silentLogger,
  systemClock,
  toDouble,
} from '@nephometer/core';
import type { BatchRecord, Store } from '@nephometer/core';
import { verifyBatch } from '@nephometer/collector';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import { keyring, makeBatches, SAMPLES_A_BATCH, scaled } from './batches.ts';
import type { Bench } from './measure.ts';

const BATCHES = 20;

/** What the embedded store adds to the engine below it: ids known already, conflicts, series, the ledger. */
export const recordBench: Bench = {
  name: 'record',
  title: 'record batches in the DuckDB store, beside the engine appending bare rows',
  unit: 'sample',
  async prepare(scale) {
    const folder = await mkdtemp(join(tmpdir(), 'nephometer-bench-'));
    const store = await openDuckDbStore({
      path: join(folder, 'store.duckdb'),
      log: silentLogger,
      metrics: new MetricRegistry(),
    });
    const bare = await openBare(join(folder, 'bare.duckdb'));
    const count = scaled(BATCHES, scale);
    let batches: BatchRecord[] = [];
    const before = async (): Promise<void> => void (batches = await makeRecords(count));
    return {
      units: count * SAMPLES_A_BATCH,
      subjects: [
        { name: 'appender, one transaction a call', before, run: () => bare.append(batches) },
        { name: 'store.record', before, run: () => recordAll(store, batches) },
      ],
      async close() {
        bare.close();
        await store.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

/** Fresh batches at each call: the same ones again would be duplicates. */
async function makeRecords(count: number): Promise<BatchRecord[]> {
  const { signing } = defaultConfig();
  const context = { keyring, signing, now: systemClock.now(), transport: 'bus' } as const;
  return (await makeBatches(count)).map(({ body }) => {
    const envelope = readMeteringEnvelope(body);
    if (envelope.kind !== 'batch') throw new Error('The body is no batch.');
    const verdict = verifyBatch(envelope, context);
    if (!verdict.accepted) throw verdict.refusal;
    return verdict.record;
  });
}

async function recordAll(store: Store, batches: readonly BatchRecord[]): Promise<number> {
  const outcomes = await store.record(batches);
  if (outcomes.some(({ outcome, duplicates }) => outcome !== 'recorded' || duplicates.length > 0)) return 0;
  return outcomes.length * SAMPLES_A_BATCH;
}

const COLUMNS = [VARCHAR, VARCHAR, VARCHAR, BIGINT, DOUBLE, VARCHAR];
const CHUNK_ROWS = 2048;

/** A table of what a sample says, and nothing that knows what it means. */
async function openBare(
  path: string,
): Promise<{ append(batches: readonly BatchRecord[]): Promise<number>; close(): void }> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  await connection.run(
    'CREATE TABLE sample (message_id VARCHAR, meter VARCHAR, resource_id VARCHAR, timestamp BIGINT, volume DOUBLE, text VARCHAR)',
  );
  return {
    async append(batches) {
      const rows = batches.flatMap(({ samples }) =>
        samples.map(({ messageId, meter, resourceId, timestamp, volume, text }): DuckDBValue[] => {
          return [messageId, meter, resourceId, BigInt(timestamp), toDouble(volume), text];
        }),
      );
      await connection.run('BEGIN');
      await appendRows(connection, rows);
      await connection.run('COMMIT');
      return rows.length;
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function appendRows(connection: DuckDBConnection, rows: readonly DuckDBValue[][]): Promise<void> {
  const appender = await connection.createAppender('sample');
  for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
    const chunk = DuckDBDataChunk.create(COLUMNS);
    chunk.setRows(rows.slice(start, start + CHUNK_ROWS));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
