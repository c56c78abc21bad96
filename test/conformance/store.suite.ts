import type { Test } from 'tap';
import { testAsOf } from './store/as-of.ts';
import { testConflicts } from './store/conflicts.ts';
import { testEdges } from './store/edges.ts';
import { testEntries } from './store/entries.ts';
import { testFolds } from './store/folds.ts';
import { testFilters } from './store/filters.ts';
import { testLedger } from './store/ledger.ts';
import { testListings } from './store/listings.ts';
import type { OpenStore } from './store/opened.ts';
import { testOrigins } from './store/origins.ts';
import { testPaging } from './store/paging.ts';
import { testRecord } from './store/record.ts';
import { testRestart } from './store/restart.ts';
import { testRetention } from './store/retention.ts';
import { testStatistics } from './store/statistics.ts';
import { testTexts } from './store/texts.ts';
import { testVoids } from './store/voids.ts';

export type { OpenedStore, OpenStore } from './store/opened.ts';

/** What every implementation of the Store port must do, with the same answers to the last digit. */
export function runStoreSuite(t: Test, name: string, open: OpenStore): void {
  const parts = {
    record: testRecord,
    conflicts: testConflicts,
    'where ids come from': testOrigins,
    filters: testFilters,
    paging: testPaging,
    listings: testListings,
    statistics: testStatistics,
    texts: testTexts,
    'as of': testAsOf,
    edges: testEdges,
    ledger: testLedger,
    entries: testEntries,
    retention: testRetention,
    restart: testRestart,
    'voids and readings': testVoids,
    'fold lines and arrivals': testFolds,
  };
  for (const [part, run] of Object.entries(parts)) {
    t.test(`${name}: ${part}`, async (t) => run(t, open));
  }
}
