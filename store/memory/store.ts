import {
  assertWithinRetention,
  comparePlace,
  compareSamples,
  compareText,
  computeStatistics,
  edgesOf,
  listMeters,
  listResources,
  LOOKBACK,
  matchesFilter,
  nextHorizons,
  RecordedAtClock,
  seriesKey,
  StoreUnavailable,
  systemClock,
  usageSampleOf,
  voidOf,
  voidsSample,
  withoutBytes,
} from '@nephometer/core';
import type {
  Arrival,
  Clock,
  Entry,
  FoldRow,
  LedgerQuery,
  LedgerRow,
  Micros,
  SampleFilter,
  SampleQuery,
  Store,
  StoredSample,
  UsageVoid,
} from '@nephometer/core';
import { recordBatch } from './record.ts';
import { resolve, standingOf } from './resolutions.ts';
import type { Memory, Version } from './record.ts';

export interface MemoryStoreOptions {
  readonly clock?: Clock;
}

/**
 * The Store port in plain lists: what the other stores must answer, and the store of tests. Keeps nothing after the
 * process; every read scans everything.
 */
export function createMemoryStore({ clock = systemClock }: MemoryStoreOptions = {}): Store {
  const memory: Memory = { versions: new Map(), ledger: [], byDigest: new Map(), resolutions: new Map() };
  const stamps = new RecordedAtClock(clock, -Infinity);
  const entries: Entry[] = [];
  const voids: UsageVoid[] = [];
  let horizons: ReadonlyMap<string, Micros> = new Map();
  let isClosed = false;

  const folds: FoldRow[] = [];

  const assertOpen = (): void => {
    if (isClosed) throw new StoreUnavailable('The memory store is closed; open a new one.');
  };

  /** Versions behind retention are never shown: they may be late ones that the next run removes. */
  function* kept(query: SampleFilter & { asOf?: Micros }): Generator<Version> {
    assertOpen();
    assertWithinRetention(query, horizons);
    stamps.answered(query.asOf);
    for (const versions of memory.versions.values()) {
      for (const version of versions) {
        const { sample } = version;
        const isKnown = sample.recordedAt <= (query.asOf ?? Infinity);
        const isKept = sample.timestamp >= (horizons.get(sample.meter) ?? -Infinity);
        if (isKnown && isKept && matchesFilter(sample, query)) yield version;
      }
    }
  }

  const standing = (version: Version, asOf: Micros = Infinity) => standingOf(memory, version, asOf);

  const shown = (query: SampleFilter & { asOf?: Micros }): StoredSample[] =>
    [...kept(query)].filter((version) => standing(version, query.asOf) === 'shown').map(({ sample }) => sample);

  const visible = (query: SampleFilter & { asOf?: Micros }): StoredSample[] => {
    const known = voids.filter(({ recordedAt }) => recordedAt <= (query.asOf ?? Infinity));
    return shown(query).filter((sample) => !known.some((one) => voidsSample(one, sample)));
  };

  return {
    async record(batches) {
      assertOpen();
      return batches.map((batch) => recordBatch(memory, batch, () => stamps.next()));
    },
    async *samples(query) {
      yield* page(visible(query), query);
    },
    async meters(query) {
      return listMeters(visible(query)).slice(0, query.limit);
    },
    async resources(query) {
      return listResources(visible(query)).slice(0, query.limit);
    },
    async statistics(query) {
      return computeStatistics(visible(query), query);
    },
    async *readings({ meter, from, to, before, after, resourceIds, asOf }) {
      assertOpen();
      assertWithinRetention({ meter, from: { at: from, inclusive: true } }, horizons);
      stamps.answered(asOf);
      // The horizon of the meter is kept to by `kept`; a start would be refused behind it.
      const samples = shown({ meter, ...(asOf === undefined ? {} : { asOf }) });
      yield samples
        .filter(({ timestamp }) => timestamp >= from - before && timestamp < to + after)
        .filter(({ resourceId }) => resourceIds?.includes(resourceId) ?? true)
        .map(usageSampleOf);
    },
    async edges(query) {
      const { meter, side, from, to, except, resourceIds, asOf } = query;
      const samples = visible({ meter, ...(asOf === undefined ? {} : { asOf }) })
        .filter(({ timestamp }) => timestamp >= from && timestamp < to)
        .filter(({ resourceId }) => resourceIds?.includes(resourceId) ?? true);
      return edgesOf(samples, side).filter(({ series }) => except?.has(seriesKey(series)) !== true);
    },
    async *ledger(query) {
      assertOpen();
      stamps.answered(query.upTo);
      yield* ledgerRows(memory.ledger, query);
    },
    async *conflicts(query) {
      const versions = [...kept(query)].filter((version) => standing(version, query.asOf) === 'open');
      yield* page(
        versions.map(({ sample }) => sample),
        query,
      );
    },
    async appendEntry(entry) {
      assertOpen();
      const { kind, id, body } = entry;
      const known = entries.find((other) => other.kind === kind && other.id === id && other.body === body);
      if (known !== undefined) return known;
      const appended = { kind, id, body, recordedAt: stamps.next() };
      entries.push(appended);
      if (kind === 'resolution') resolve(memory, appended);
      const made = kind === 'void' ? voidOf(appended) : null;
      if (made !== null) voids.push(made);
      return appended;
    },
    async entries({ kind, id, ids, before = Infinity, after = -Infinity, limit, headsOnly = false }) {
      assertOpen();
      return entries
        .filter((entry) => entry.kind === kind && entry.id === (id ?? entry.id))
        .filter((entry) => ids?.includes(entry.id) ?? true)
        .filter(({ recordedAt }) => recordedAt < before && recordedAt > after)
        .toReversed()
        .slice(0, limit)
        .map((entry) => (headsOnly ? { ...entry, body: '' } : entry));
    },
    async *arrivals({ after, upTo, meter }) {
      assertOpen();
      stamps.answered(upTo);
      const samples = [...memory.versions.values()].flat().map(({ sample }) => sample);
      yield samples
        .filter(({ recordedAt }) => recordedAt > after && recordedAt <= upTo)
        .filter((sample) => sample.meter === (meter ?? sample.meter))
        .map(arrivalOf);
    },
    async appendFolds(rows) {
      assertOpen();
      folds.push(...rows);
    },
    async *folds({ meter, from, to, asOf, resourceIds, headsOnly }) {
      assertOpen();
      assertWithinRetention({ meter, from: { at: from, inclusive: true } }, horizons);
      const kept = (horizons.get(meter) ?? -Infinity) + LOOKBACK;
      const wanted = folds
        .filter((row) => row.meter === meter && row.day >= from && row.day < to && row.day >= kept && row.asOf <= asOf)
        .filter(({ resourceId }) => resourceId === '' || (resourceIds?.includes(resourceId) ?? true));
      const newest = new Map<string, FoldRow>();
      for (const row of wanted) {
        const key = `${row.day} ${row.series}`;
        if ((newest.get(key)?.asOf ?? -Infinity) <= row.asOf) newest.set(key, row);
      }
      const inOrder = [...newest.values()].sort((a, b) => a.day - b.day);
      yield headsOnly === true ? inOrder.map((row) => ({ ...row, body: '' })) : inOrder;
    },
    async retain(rules) {
      assertOpen();
      const meters = [...memory.versions.values()].flat().map(({ sample }) => sample.meter);
      horizons = nextHorizons(rules, meters, horizons);
      for (const [id, versions] of memory.versions) {
        const left = versions.filter(({ sample }) => sample.timestamp >= (horizons.get(sample.meter) ?? -Infinity));
        if (left.length === 0) memory.versions.delete(id);
        else memory.versions.set(id, left);
      }
      folds.splice(0, folds.length, ...folds.filter(({ meter, day }) => day >= (horizons.get(meter) ?? -Infinity)));
      return { horizons };
    },
    async shedQuarantine(before) {
      assertOpen();
      let shed = 0;
      for (const [at, entry] of entries.entries()) {
        const body = entry.kind === 'quarantine' && entry.recordedAt < before ? withoutBytes(entry.body) : null;
        if (body === null) continue;
        entries[at] = { ...entry, body };
        shed += 1;
      }
      return shed;
    },
    async check() {
      assertOpen();
    },
    async close() {
      isClosed = true;
    },
  };
}

function arrivalOf({
  source,
  meter,
  type,
  unit,
  resourceId,
  agentId,
  recordedAt,
  timestamp,
  slot,
}: StoredSample): Arrival {
  const [first, last] = [Math.min(timestamp, slot ?? timestamp), Math.max(timestamp, slot ?? timestamp)];
  return { series: { source, meter, type, unit, resourceId }, agentId, recordedAt, first, last };
}

function page(samples: StoredSample[], { order, after, limit }: SampleQuery): StoredSample[] {
  return samples
    .filter((sample) => after === undefined || comparePlace(sample, after, order) > 0)
    .sort((a, b) => compareSamples(a, b, order))
    .slice(0, limit);
}

function ledgerRows(ledger: readonly LedgerRow[], query: LedgerQuery): LedgerRow[] {
  const { digest, agentId, epoch, after = -Infinity, upTo = Infinity, limit } = query;
  return ledger
    .filter(
      (row) =>
        row.digest === (digest ?? row.digest) &&
        row.agentId === (agentId ?? row.agentId) &&
        row.epoch === (epoch ?? row.epoch) &&
        row.recordedAt > after &&
        row.recordedAt <= upTo,
    )
    .sort((a, b) => a.recordedAt - b.recordedAt || compareText(a.digest, b.digest))
    .slice(0, limit);
}
