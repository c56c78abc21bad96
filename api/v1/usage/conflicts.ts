import { conflictSpan, unkeptSpans, usageSampleOf } from '@nephometer/core';
import type { LostSpan, Micros, Store } from '@nephometer/core';

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
