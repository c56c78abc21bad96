import { assertWithinRetention, computeStatistics, StoreUnavailable } from '@nephometer/core';
import type { Clock, MetricRegistry, SampleFilter, Store } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { readArrivals } from './arrivals.ts';
import { readEntries, shedEntries } from './entries.ts';
import { EntryAppends } from './entry-appends.ts';
import { appendFolds, readFolds } from './folds.ts';
import { Ledger } from './ledger.ts';
import { readMeters, readResources } from './listing.ts';
import { OddIds } from './odd-ids.ts';
import { readEdges } from './reading-edges.ts';
import { readConflicts, readReadings, readSamples } from './read.ts';
import type { ReadContext } from './read.ts';
import { recordBatches } from './record.ts';
import { readHorizons, retainSamples } from './retention.ts';
import { Voids } from './voids.ts';
import type { Writer } from './writer.ts';

export interface InfluxStoreParts {
  readonly client: InfluxClient;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly metrics: MetricRegistry;
}

/** The Store port on InfluxDB. @see docs/decisions (InfluxDB layout) */
export function createInfluxStore({ client, writer, clock, timeoutMs, metrics }: InfluxStoreParts): Store {
  const ledger = new Ledger(client, () => clock.now());
  const odd = new OddIds(client);
  const appends = new EntryAppends(client, writer);
  const voids = new Voids(client, () => clock.now());
  const written = metrics.counter('nephometer_influxdb_samples_written_total', 'Samples recorded in InfluxDB.');
  let isClosed = false;

  const assertOpen = (): void => {
    if (isClosed) throw new StoreUnavailable('This InfluxDB store is closed; open it again.');
  };

  const readContext = async (query: SampleFilter & { asOf?: number }): Promise<ReadContext> => {
    assertOpen();
    writer.stamps.answered(query.asOf);
    const horizons = await readHorizons(client);
    assertWithinRetention(query, horizons);
    return { client, ledger, horizons, voids: await voids.asOf(query.asOf) };
  };

  async function* samples(query: Parameters<Store['samples']>[0]) {
    yield* readSamples(await readContext(query), query);
  }

  return {
    async record(batches) {
      assertOpen();
      const context = { client, ledger, odd, clock, timeoutMs };
      const outcomes = await writer.exclusive((session) => recordBatches(context, session, batches));
      outcomes.forEach(({ outcome, duplicates }, i) => {
        if (outcome === 'recorded') written.add((batches[i]?.samples.length ?? 0) - duplicates.length);
      });
      return outcomes;
    },
    samples,
    async meters(query) {
      return readMeters(await readContext(query), query);
    },
    async resources(query) {
      return readResources(await readContext(query), query);
    },
    async statistics(query) {
      return computeStatistics(samples({ ...query, order: 'oldest' }), query);
    },
    async *readings(query) {
      const { meter, from, to, before, after, resourceIds, asOf } = query;
      const known = { meter, ...(asOf === undefined ? {} : { asOf }) };
      const context = await readContext({ ...known, from: { at: from, inclusive: true } });
      if (resourceIds?.length === 0) return;
      const span = {
        from: { at: from - before, inclusive: true },
        to: { at: to + after, inclusive: false },
      };
      yield* readReadings(context, query, { ...known, ...span });
    },
    async edges(query) {
      const { meter, asOf } = query;
      return readEdges(await readContext({ meter, ...(asOf === undefined ? {} : { asOf }) }), query);
    },
    async *ledger(query) {
      assertOpen();
      writer.stamps.answered(query.upTo);
      yield* ledger.list(query);
    },
    async *conflicts(query) {
      yield* await readConflicts(await readContext(query), query);
    },
    async appendEntry(entry) {
      assertOpen();
      return appends.append(entry);
    },
    async entries(query) {
      assertOpen();
      return readEntries(client, query);
    },
    async *arrivals(query) {
      assertOpen();
      writer.stamps.answered(query.upTo);
      yield* readArrivals(client, ledger, query);
    },
    async appendFolds(rows) {
      assertOpen();
      await writer.exclusive((session) => appendFolds(client, session.writer, rows));
    },
    async *folds(query) {
      assertOpen();
      const { meter, from } = query;
      const horizons = await readHorizons(client);
      assertWithinRetention({ meter, from: { at: from, inclusive: true } }, horizons);
      yield* readFolds(client, query, horizons.get(meter) ?? null);
    },
    async retain(rules) {
      assertOpen();
      return writer.exclusive(async (session) => ({ horizons: await retainSamples(client, session.writer, rules) }));
    },
    async shedQuarantine(before) {
      assertOpen();
      return shedEntries(client, before);
    },
    async check() {
      assertOpen();
      await client.ping();
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      // The name becomes free by itself after a minute when the server cannot be told.
      await writer.release().catch(() => undefined);
      client.close();
    },
  };
}
