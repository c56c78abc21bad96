import type { MeterRow, ResourceRow } from '../ports/store.ts';
import { compareMeterRows, comparePlace, compareText } from './order.ts';
import type { StoredSample } from './sample.ts';

/** What `Store.meters` answers over these samples, in any order. */
export function listMeters(samples: Iterable<MeterRow>): MeterRow[] {
  const rows = new Map<string, MeterRow>();
  for (const { source, meter, type, unit, resourceId, projectId, userId } of samples) {
    const key = JSON.stringify([source, meter, type, unit, resourceId, projectId, userId]);
    if (!rows.has(key)) rows.set(key, { source, meter, type, unit, resourceId, projectId, userId });
  }
  return [...rows.values()].sort(compareMeterRows);
}

interface Resource {
  newest: StoredSample;
  first: number;
  readonly meters: Set<string>;
}

/** Gathers what `Store.resources` answers, sample by sample in any order; keeps one sample a resource. */
export class ResourceList {
  readonly #resources = new Map<string, Resource>();

  add(sample: StoredSample): void {
    const key = JSON.stringify([sample.resourceId, sample.source]);
    const known = this.#resources.get(key);
    if (known === undefined) {
      this.#resources.set(key, { newest: sample, first: sample.timestamp, meters: new Set([sample.meter]) });
      return;
    }
    if (comparePlace(sample, known.newest) < 0) known.newest = sample;
    known.first = Math.min(known.first, sample.timestamp);
    known.meters.add(sample.meter);
  }

  rows(): ResourceRow[] {
    return [...this.#resources.values()]
      .map(({ newest, first, meters }) => ({
        resourceId: newest.resourceId,
        source: newest.source,
        firstTimestamp: first,
        newest,
        meters: [...meters].sort(compareText),
      }))
      .sort((a, b) => compareText(a.resourceId, b.resourceId) || compareText(a.source, b.source));
  }
}

/** What `Store.resources` answers over these samples, in any order. */
export function listResources(samples: Iterable<StoredSample>): ResourceRow[] {
  const list = new ResourceList();
  for (const sample of samples) list.add(sample);
  return list.rows();
}
