import { conflictSpan, LOOKAHEAD, LOOKBACK, unkeptSpans, usageSampleOf, voidOf } from '@nephometer/core';
import type { Edge, LostSpan, Micros, Store, UsageFacts, UsageSample, UsageVoid } from '@nephometer/core';
import { httpError } from '../../errors.ts';
import type { HttpError } from '../../errors.ts';
import type { LedgerBook, Tried } from './ledger-book.ts';
import { withSilences } from './silences.ts';

/** A question that needs more readings than this is refused: all of them are in memory while it is answered. */
export const MOST_READINGS = 4_000_000;

export interface FactsQuery {
  readonly meter: string;
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
  readonly projectIds?: readonly string[] | null;
  readonly resourceIds?: readonly string[];
  /** Series without a reading in the LOOKBACK before the period, with their last one, where that is known already. */
  readonly quiet?: readonly Edge[];
  /** Whether `silent` shall be whole; else silences that nobody ended yet may be missing there. */
  readonly marksSilent?: boolean;
}

/** As `UsageFacts`, in lists that can be read again. */
export interface GatheredFacts extends UsageFacts {
  readonly samples: readonly UsageSample[];
  readonly cycles: Tried['cycles'];
  readonly lost: readonly LostSpan[];
  readonly voids: readonly UsageVoid[];
  /** Series (`seriesKey`) of which something further away than LOOKBACK and LOOKAHEAD counts, or may when it comes. */
  readonly silent: ReadonlySet<string>;
}

/** All that is known of one meter around a period, and of silences that reach further. @throws BehindRetention, StoreUnavailable */
export async function gatherFacts(store: Store, ledger: LedgerBook, query: FactsQuery): Promise<GatheredFacts> {
  return withSilences(store, ledger, query, await gatherNear(store, ledger, query));
}

async function gatherNear(store: Store, ledger: LedgerBook, query: FactsQuery): Promise<GatheredFacts> {
  const { meter, from, to, asOf } = query;
  const [first, last] = [from - LOOKBACK, to + LOOKAHEAD];
  const [samples, tried, conflicts, voids] = [
    await readSamples(store, query),
    await ledger.tried(first, last, asOf),
    await readConflicts(store, { meter, first, last, asOf }),
    await readVoids(store, asOf),
  ];
  const cycles = tried.cycles.filter(({ report }) => report.meters.includes(meter));
  return { samples, cycles, lost: [...tried.lost, ...conflicts], voids, silent: new Set() };
}

async function readSamples(store: Store, query: FactsQuery): Promise<UsageSample[]> {
  const { meter, from, to, asOf, projectIds, resourceIds } = query;
  const samples: UsageSample[] = [];
  const narrowed = {
    ...(resourceIds === undefined ? {} : { resourceIds }),
    ...(projectIds == null ? {} : { projectIds }),
  };
  const pages = store.readings({ meter, from, to, before: LOOKBACK, after: LOOKAHEAD, asOf, ...narrowed });
  for await (const page of pages) {
    for (const sample of page) samples.push(sample);
    if (samples.length > MOST_READINGS) throw tooMuch();
  }
  return samples;
}

function tooMuch(): HttpError {
  const detail = `The period has more than ${MOST_READINGS} readings; ask for a shorter one, or for fewer projects.`;
  return httpError('MTR_TOO_MUCH', detail);
}

export interface ConflictsQuery {
  readonly meter: string;
  /** Half-open. */
  readonly first: Micros;
  readonly last: Micros;
  readonly asOf: Micros;
}

/**
 * Versions in conflict, and those of which none was kept. Without a start, since what lies behind retention is not to be
 * refused here.
 */
export async function readConflicts(store: Store, { meter, first, last, asOf }: ConflictsQuery): Promise<LostSpan[]> {
  const spans: LostSpan[] = [];
  for await (const version of store.conflicts({ meter, to: { at: last, inclusive: false }, asOf })) {
    if (version.timestamp >= first) spans.push(conflictSpan(usageSampleOf(version)));
  }
  const unkept = unkeptSpans(await store.entries({ kind: 'resolution', before: asOf + 1 }));
  const bears = (span: LostSpan): boolean => (span.meter ?? meter) === meter && span.to >= first && span.from < last;
  return [...spans, ...unkept.filter(bears)];
}

export async function readVoids(store: Store, asOf: Micros): Promise<UsageVoid[]> {
  const entries = await store.entries({ kind: 'void', before: asOf + 1 });
  return entries.flatMap((entry) => voidOf(entry) ?? []);
}
