import { stat } from 'node:fs/promises';
import { assertWithinRetention, RecordedAtClock, SECOND, systemClock } from '@nephometer/core';
import type { BatchRecord, Clock, Logger, MetricRegistry, Micros, RecordOutcome, Store } from '@nephometer/core';
import { readArrivals } from './arrivals.ts';
import { readEdges } from './edges.ts';
import { Engine } from './engine.ts';
import { readFolds } from './folds.ts';
import { readEntries, readLedger } from './ledger.ts';
import { readMeters, readResources } from './listings.ts';
import { removeBehind, shedQuarantine } from './retention.ts';
import { readReadings } from './readings.ts';
import { readSamples } from './samples.ts';
import { numberAt } from './sql.ts';
import { readStatistics } from './statistics.ts';
import { inConflict, notInConflict, pinFor, visible } from './where.ts';
import type { Pin } from './where.ts';
import { Writer } from './writer.ts';

export interface DuckDbStoreOptions {
  /** The database file. Its folder is made. */
  readonly path: string;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  readonly clock?: Clock;
}

/**
 * The embedded store: one DuckDB file, used by one process at a time.
 * @throws StoreLocked when another process has the file, StoreRefused when it is no store of ours, StoreUnavailable
 */
export async function openDuckDbStore(options: DuckDbStoreOptions): Promise<Store> {
  const engine = await Engine.open(options.path);
  try {
    return await storeOver(engine, options);
  } catch (cause) {
    await engine.close();
    throw engine.failed(cause);
  }
}

async function storeOver(engine: Engine, { log, metrics, clock = systemClock }: DuckDbStoreOptions): Promise<Store> {
  const stamps = new RecordedAtClock(clock, await newestRecordedAt(engine));
  const writer = new Writer(engine, stamps);
  await writer.load();
  const measure = selfMetrics(metrics);
  log.info({ path: engine.path, bytes: (await stat(engine.path)).size }, 'Store opened.');

  const pinned = (query: Parameters<typeof pinFor>[2]): Promise<Pin> => {
    stamps.answered(query.asOf);
    return pinFor(engine, writer, query);
  };

  return {
    async record(batches) {
      const started = clock.monotonic();
      const outcomes = await writer.record(batches);
      measure.recorded(outcomes, batches, clock.monotonic() - started);
      return outcomes;
    },
    async *samples(query) {
      yield* readSamples(engine, query, visible(await pinned(query)));
    },
    async meters(query) {
      return readMeters(engine, query, await pinned(query));
    },
    async resources(query) {
      return readResources(engine, query, await pinned(query));
    },
    async statistics(query) {
      return readStatistics(engine, query, await pinned(query));
    },
    async *readings(query) {
      const { meter, from, asOf } = query;
      const asked = { meter, from: { at: from, inclusive: true }, ...(asOf === undefined ? {} : { asOf }) };
      const pin = await pinned(asked);
      yield* readReadings(engine, query, notInConflict(pin), writer.horizons.get(meter) ?? null);
    },
    async edges(query) {
      const { meter, asOf } = query;
      const pin = await pinned({ meter, ...(asOf === undefined ? {} : { asOf }) });
      return readEdges(engine, query, visible(pin), writer.horizons.get(meter) ?? null);
    },
    async *ledger(query) {
      stamps.answered(query.upTo);
      if (query.upTo !== undefined) await writer.settled(query.upTo);
      yield* readLedger(engine, query, writer.committedBatch);
    },
    async *conflicts(query) {
      yield* readSamples(engine, query, inConflict(await pinned(query)));
    },
    appendEntry: (entry) => writer.appendEntry(entry),
    entries: (query) => readEntries(engine, query),
    async *arrivals(query) {
      stamps.answered(query.upTo);
      await writer.settled(query.upTo);
      yield* readArrivals(engine, query, writer.committedBatch);
    },
    appendFolds: (rows) => writer.appendFolds(rows),
    async *folds(query) {
      const { meter, from } = query;
      assertWithinRetention({ meter, from: { at: from, inclusive: true } }, writer.horizons);
      yield* readFolds(engine, query, writer.horizons.get(meter) ?? null);
    },
    retain: (rules) => removeBehind(engine, writer, rules),
    shedQuarantine: (before) => shedQuarantine(engine, writer, before),
    async check() {
      await engine.read('SELECT 1');
    },
    async close() {
      await writer.idle();
      await engine.close();
    },
  };
}

async function newestRecordedAt(engine: Engine): Promise<number> {
  const [row] = await engine.read(
    'SELECT max(newest) FROM (SELECT max(recorded_at) AS newest FROM batch UNION ALL SELECT max(recorded_at) FROM entry ' +
      'UNION ALL SELECT max(as_of) FROM fold)',
  );
  return row?.[0] === null || row === undefined ? -Infinity : numberAt(row, 0);
}

const SECONDS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

function selfMetrics(metrics: MetricRegistry) {
  const seconds = metrics.histogram(
    'nephometer_store_record_seconds',
    'Time to record the batches of one call, waiting included.',
    SECONDS_BUCKETS,
  );
  const samples = metrics.counter('nephometer_store_samples_total', 'Samples recorded, without duplicates.');
  const duplicates = metrics.counter(
    'nephometer_store_duplicates_total',
    'Samples not stored again, alone or in a batch that was there.',
  );
  const conflicts = metrics.counter('nephometer_store_conflicts_total', 'Samples stored as conflicts.');
  return {
    recorded(outcomes: readonly RecordOutcome[], batches: readonly BatchRecord[], took: Micros): void {
      seconds.observe(took / SECOND);
      for (const [i, outcome] of outcomes.entries()) {
        const count = batches[i]?.samples.length ?? 0;
        const repeated = outcome.outcome === 'duplicate' ? count : outcome.duplicates.length;
        samples.add(count - repeated);
        duplicates.add(repeated);
        conflicts.add(outcome.conflicts.length);
      }
    },
  };
}
