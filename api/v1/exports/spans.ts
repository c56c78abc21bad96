import { cutWindows, formatTimestamp, toLocal } from '@nephometer/core';
import type { Period, WindowQuery } from '@nephometer/core';
import type { PartitionBy } from './schemas.ts';

/** Consecutive windows of the question whose lines go together into files. */
export interface PartitionSpan extends Period {
  /** `2026-03-01`, `2026-03` or `all`: where its first window starts, by the clock of the zone. */
  readonly name: string;
}

const LABEL = { day: 10, month: 7 } as const;

/** Partitions never cut a window, so that every line is what the whole question has. @throws RangeError */
export function partitionSpans(query: WindowQuery, by: PartitionBy): PartitionSpan[] {
  if (by === 'none') return [{ name: 'all', from: query.from, to: query.to }];
  const spans: PartitionSpan[] = [];
  for (const { from, to } of cutWindows(query)) {
    const name = formatTimestamp(toLocal(from, query.tz)).slice(0, LABEL[by]);
    const last = spans.at(-1);
    if (last?.name === name) spans[spans.length - 1] = { ...last, to };
    else spans.push({ name, from, to });
  }
  return spans;
}
