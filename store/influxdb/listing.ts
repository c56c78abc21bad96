import { compareMeterRows, compareText, listMeters } from '@nephometer/core';
import type { MeterRow, ResourceRow, Sample, SampleQuery } from '@nephometer/core';
import { exactEdges, groupEdges } from './edges.ts';
import type { ReadContext } from './read.ts';

const ownerOf = ({ source, meter, type, unit, resourceId, projectId, userId }: Sample): string =>
  JSON.stringify([source, meter, type, unit, resourceId, projectId, userId]);
const resourceOf = ({ resourceId, source }: Pick<Sample, 'resourceId' | 'source'>): string =>
  JSON.stringify([resourceId, source]);

export async function readMeters(context: ReadContext, query: SampleQuery): Promise<MeterRow[]> {
  const { after: _after, limit, ...asked } = query;
  const edges = await groupEdges(context, { ...asked, order: 'newest' }, ownerOf);
  return listMeters(edges.values()).sort(compareMeterRows).slice(0, limit);
}

export async function readResources(context: ReadContext, query: SampleQuery): Promise<ResourceRow[]> {
  const { after: _after, limit, ...asked } = query;
  const newest = await exactEdges(context, { ...asked, order: 'newest' }, resourceOf);
  const oldest = await groupEdges(context, { ...asked, order: 'oldest' }, resourceOf);
  const meters = new Map<string, Set<string>>();
  for (const row of await readMeters(context, asked)) {
    const key = resourceOf(row);
    meters.set(key, (meters.get(key) ?? new Set()).add(row.meter));
  }
  return [...newest]
    .map(([key, sample]) => ({
      resourceId: sample.resourceId,
      source: sample.source,
      firstTimestamp: oldest.get(key)?.timestamp ?? sample.timestamp,
      newest: sample,
      meters: [...(meters.get(key) ?? [sample.meter])].sort(compareText),
    }))
    .sort((a, b) => compareText(a.resourceId, b.resourceId) || compareText(a.source, b.source))
    .slice(0, limit);
}
