import { conflictSpan, LOOKAHEAD, LOOKBACK, unkeptSpans, usageSampleOf, voidOf } from '@nephometer/core';
import type { LostSpan, Micros, Store, UsageFacts, UsageSample, UsageVoid } from '@nephometer/core';
import { httpError } from '../../errors.ts';
import type { HttpError } from '../../errors.ts';
import type { LedgerBook, Tried } from './ledger-book.ts';

/** A question that needs more readings than this is refused: all of them are in memory while it is answered. */
export const MOST_READINGS = 4_000_000;

export interface FactsQuery {
  readonly meter: string;
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
  readonly projectIds?: readonly string[] | null;
  readonly resourceIds?: readonly string[];
}

/** As `UsageFacts`, in lists that can be read again. */
export interface GatheredFacts extends UsageFacts {
  readonly samples: readonly UsageSample[];
  readonly cycles: Tried['cycles'];
  readonly lost: readonly LostSpan[];
  readonly voids: readonly UsageVoid[];
}

/** All that is known of one meter around a period. @throws BehindRetention, StoreUnavailable */
export async function gatherFacts(store: Store, ledger: LedgerBook, query: FactsQuery): Promise<GatheredFacts> {
  const { meter, from, to, asOf } = query;
  const [samples, tried, conflicts, voids] = [
    await readSamples(store, query),
    await ledger.tried(from - LOOKBACK, to + LOOKAHEAD, asOf),
    await readConflicts(store, query),
    await readVoids(store, asOf),
  ];
  const cycles = tried.cycles.filter(({ report }) => report.meters.includes(meter));
  return { samples, cycles, lost: [...tried.lost, ...conflicts], voids };
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

function bears(span: LostSpan, from: Micros, to: Micros): boolean {
  return span.to >= from - LOOKBACK && span.from < to + LOOKAHEAD;
}

/**
 * Versions in conflict, and those of which none was kept. Without a start, since what lies behind retention is not to be
 * refused here.
 */
async function readConflicts(store: Store, { meter, from, to, asOf }: FactsQuery): Promise<LostSpan[]> {
  const spans: LostSpan[] = [];
  const until = { at: to + LOOKAHEAD, inclusive: false };
  for await (const version of store.conflicts({ meter, to: until, asOf })) {
    if (version.timestamp >= from - LOOKBACK) spans.push(conflictSpan(usageSampleOf(version)));
  }
  const unkept = unkeptSpans(await store.entries({ kind: 'resolution', before: asOf + 1 }));
  return [...spans, ...unkept.filter((span) => (span.meter ?? meter) === meter && bears(span, from, to))];
}

export async function readVoids(store: Store, asOf: Micros): Promise<UsageVoid[]> {
  const entries = await store.entries({ kind: 'void', before: asOf + 1 });
  return entries.flatMap((entry) => voidOf(entry) ?? []);
}
