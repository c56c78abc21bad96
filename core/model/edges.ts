import type { Edge } from '../ports/store.ts';
import { compareNullable } from './order.ts';
import type { Series, StoredSample } from './sample.ts';
import { seriesKey } from './usage/prepare.ts';

interface Known {
  readonly series: Series;
  timestamp: number;
  agentIds: Set<string | null>;
}

/** What `Store.edges` answers over these samples, in any order. */
export function edgesOf(
  samples: Iterable<Series & Pick<StoredSample, 'timestamp' | 'agentId'>>,
  side: 'newest' | 'oldest',
): Edge[] {
  const bySeries = new Map<string, Known>();
  for (const { source, meter, type, unit, resourceId, timestamp, agentId } of samples) {
    const series = { source, meter, type, unit, resourceId };
    const key = seriesKey(series);
    const known = bySeries.get(key);
    if (known?.timestamp === timestamp) known.agentIds.add(agentId);
    else if (known === undefined || (side === 'newest' ? timestamp > known.timestamp : timestamp < known.timestamp)) {
      bySeries.set(key, { series, timestamp, agentIds: new Set([agentId]) });
    }
  }
  return [...bySeries.values()].map(({ series, timestamp, agentIds }) => ({
    series,
    timestamp,
    agentIds: [...agentIds].sort((a, b) => (a === null ? 1 : b === null ? -1 : compareNullable(a, b))),
  }));
}
