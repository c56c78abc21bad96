import { randomUUID } from 'node:crypto';
import type { Clock, Config, Logger, MetricRegistry, Micros, Store } from '@nephometer/core';
import type { LedgerBook } from '../ledger-book.ts';
import { FoldReader } from './answer.ts';
import { FoldKeeper } from './keeper.ts';
import { foldMetrics } from './metrics.ts';
import type { FoldMetrics } from './metrics.ts';
import { TouchBook } from './touches.ts';

export interface FoldsParts {
  readonly store: Store;
  readonly ledger: LedgerBook;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  /** Writes that are younger than this may still show up. */
  readonly horizon: Micros;
}

/** Fold lines of one API server: who writes them, and who answers from them. */
export interface Folds {
  readonly keeper: FoldKeeper;
  readonly reader: FoldReader;
  readonly metrics: FoldMetrics;
}

export function createFolds(given: FoldsParts): Folds {
  const metrics = foldMetrics(given.metrics);
  const parts = { ...given, metrics, touches: new TouchBook(given.store), keeper: randomUUID() };
  return { keeper: new FoldKeeper(parts), reader: new FoldReader(parts), metrics };
}
