import { LOOKAHEAD, LOOKBACK, voidOf } from '@nephometer/core';
import type { Micros, Store, UsageSample, UsageVoid } from '@nephometer/core';
import { httpError } from '../../errors.ts';
import type { HttpError } from '../../errors.ts';
import { readConflicts } from './conflicts.ts';
import type { FactsQuery, GatheredFacts } from './fact-types.ts';
import type { LedgerBook } from './ledger-book.ts';
import { withSilences } from './silences.ts';

export type { FactsQuery, GatheredFacts } from './fact-types.ts';

/** A question that needs more readings than this is refused: all of them are in memory while it is answered. */
export const MOST_READINGS = 4_000_000;

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

export async function readVoids(store: Store, asOf: Micros): Promise<UsageVoid[]> {
  const entries = await store.entries({ kind: 'void', before: asOf + 1 });
  return entries.flatMap((entry) => voidOf(entry) ?? []);
}
