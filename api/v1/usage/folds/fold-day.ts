import { setImmediate } from 'node:timers/promises';
import {
  closuresOf,
  DAY,
  encodeFoldLine,
  foldPrepared,
  HOUR,
  LOOKAHEAD,
  LOOKBACK,
  prepareFacts,
  seriesKey,
} from '@nephometer/core';
import type {
  Clock,
  Config,
  Edge,
  FoldParameters,
  FoldRow,
  Logger,
  Micros,
  PreparedFacts,
  SeriesSamples,
  Store,
  UsageField,
} from '@nephometer/core';
import { gatherFacts } from '../facts.ts';
import { openSeries } from '../silences.ts';
import type { LedgerBook } from '../ledger-book.ts';
import { dayRow } from './book.ts';
import type { KeptDay } from './book.ts';
import type { FoldMetrics } from './metrics.ts';
import type { TouchBook } from './touches.ts';

export interface KeeperParts {
  readonly store: Store;
  readonly ledger: LedgerBook;
  readonly touches: TouchBook;
  readonly metrics: FoldMetrics;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  /** Writes that are younger than this may still show up. */
  readonly horizon: Micros;
  /** Name of this keeper, of no other. */
  readonly keeper: string;
}

/** Resources that are folded at a time: their samples of the day and around it are in memory. */
const GROUP = 50;
/** What is folded stands on ticks at most a day before it: ticks that are rarer are left to samples. */
const LONGEST_INTERVAL: Micros = 12 * HOUR;

export interface DayToFold {
  readonly meter: string;
  readonly day: Micros;
  readonly asOf: Micros;
  readonly attributes: readonly UsageField[];
  /** Null: all that were there around that day, and the word of the day last. */
  readonly resourceIds: readonly string[] | null;
  /** As it stands; null where nothing does. */
  readonly kept: KeptDay | null;
}

/** Writes the fold lines of a day, or of some resources in it. @returns how many */
export async function foldDay(parts: KeeperParts, asked: DayToFold): Promise<number> {
  const { store } = parts;
  const { meter, day, asOf, attributes, resourceIds, kept } = asked;
  const narrowed = resourceIds === null ? {} : { resourceIds };
  const quiet = await openSeries(store, parts.ledger, { meter, from: day, to: day + DAY, asOf, ...narrowed });
  const all = resourceIds ?? (await resourcesAround(store, asked, quiet));
  let lines = 0;
  for (let at = 0; at < all.length; at += GROUP) {
    const group = all.slice(at, at + GROUP);
    const rows = await rowsOf(parts, asked, group, quiet);
    if (kept !== null) rows.push(...emptied(kept, asked, group, rows));
    await store.appendFolds(rows);
    lines += rows.length;
  }
  if (resourceIds === null) {
    await store.appendFolds([
      dayRow(meter, day, asOf, { state: 'folded', attributes: [...attributes], keeper: parts.keeper, lines }),
    ]);
  }
  return lines;
}

async function resourcesAround(
  store: Store,
  { meter, day, asOf }: DayToFold,
  quiet: readonly Edge[],
): Promise<string[]> {
  const from = { at: day - LOOKBACK, inclusive: true };
  const to = { at: day + DAY + LOOKAHEAD, inclusive: false };
  const resources = new Set(quiet.map(({ series }) => series.resourceId));
  const asked = { meter, from, to, asOf };
  for (const { resourceId } of await store.meters(asked)) resources.add(resourceId);
  return [...resources];
}

async function rowsOf(
  parts: KeeperParts,
  asked: DayToFold,
  resourceIds: readonly string[],
  known: readonly Edge[],
): Promise<FoldRow[]> {
  const { meter, day, asOf } = asked;
  const period = { from: day, to: day + DAY };
  const quiet = known.filter(({ series }) => resourceIds.includes(series.resourceId));
  const query = { meter, ...period, asOf, resourceIds, quiet, marksSilent: true };
  const facts = await gatherFacts(parts.store, parts.ledger, query);
  if (facts.cycles.some(({ report }) => (report.interval ?? 0) > LONGEST_INTERVAL)) {
    throw new RangeError(`Found ticks further apart than ${LONGEST_INTERVAL / HOUR} h.`);
  }
  const prepared = prepareFacts(facts, asOf);
  const rows: FoldRow[] = [];
  for (const one of prepared.all) {
    rows.push(rowOf(one, prepared, asked, facts.silent.has(seriesKey(one.series))));
    await setImmediate();
  }
  return rows;
}

function rowOf(
  one: SeriesSamples,
  { watches }: PreparedFacts,
  { meter, day, asOf, attributes }: DayToFold,
  isSilent: boolean,
): FoldRow {
  const { series } = one;
  const period = { from: day, to: day + DAY };
  const parameters: FoldParameters = { maxHold: null, edge: 'interpolate', attributes, asOf };
  const prepared = { all: [one], watches };
  const line = encodeFoldLine({
    series,
    attributes,
    closures: closuresOf(one, watches, period),
    isSilent,
    level: foldPrepared(prepared, period, parameters, 'level'),
    growth: foldPrepared(prepared, period, parameters, 'growth'),
  });
  return { meter, day, series: seriesKey(series), resourceId: series.resourceId, asOf, ...line };
}

/** Lines of series of which no sample counts any more. */
function emptied(
  { lines }: KeptDay,
  { meter, day, asOf, attributes }: DayToFold,
  group: readonly string[],
  rows: readonly FoldRow[],
) {
  const written = new Set(rows.map(({ series }) => series));
  return [...lines].flatMap(
    ([
      key,
      {
        head: { series },
      },
    ]): FoldRow[] => {
      if (written.has(key) || !group.includes(series.resourceId)) return [];
      const line = encodeFoldLine({ series, attributes, closures: [], isSilent: false, level: [], growth: [] });
      return [{ meter, day, series: key, resourceId: series.resourceId, asOf, ...line }];
    },
  );
}
