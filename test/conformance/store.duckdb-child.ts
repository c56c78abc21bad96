/**
 * Records batches of 500 samples in a DuckDB store until it is killed or has recorded as many as asked:
 * `node store.duckdb-child.js PATH FIRST COUNT`. A line `recorded SEQ` follows each outcome, `failed CODE` each error;
 * what failed is tried again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MeteringError, MetricRegistry, SECOND, silentLogger } from '@nephometer/core';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import { makeBatch, NOON } from './fixtures.ts';

const [path = '', first = '1', count = '1'] = process.argv.slice(2);
const store = await openDuckDbStore({ path, log: silentLogger, metrics: new MetricRegistry() });
for (let seq = Number(first); seq < Number(first) + Number(count); seq++) {
  const readings = Array.from({ length: 500 }, (_, i) => ({ id: `${seq}-${i}`, at: NOON + seq * SECOND + i }));
  const batch = makeBatch(readings, { seq, epoch: '00000000000000bb' });
  for (;;) {
    try {
      await store.record([batch]);
      break;
    } catch (cause) {
      process.stdout.write(`failed ${cause instanceof MeteringError ? cause.code : String(cause)}\n`);
      await sleep(50);
    }
  }
  process.stdout.write(`recorded ${seq}\n`);
}
await store.close();
