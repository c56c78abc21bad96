import { compareText, listMeters } from '@nephometer/core';
import type { MeterRow, ResourceRow, Sample, SampleQuery, StoredSample } from '@nephometer/core';
import { groupEdges, keepBest, settleTies } from './edges.ts';
import type { ReadContext } from './read.ts';

const ownerOf = ({ source, meter, type, unit, resourceId, projectId, userId }: Sample): string =>
  JSON.stringify([source, meter, type, unit, resourceId, projectId, userId]);
const resourceOf = ({ resourceId, source }: Sample): string => JSON.stringify([resourceId, source]);

export async function readMeters(context: ReadContext, query: SampleQuery): Promise<MeterRow[]> {
  const newest = await groupEdges(context, { ...wholeQuestion(query), order: 'newest' }, ownerOf);
  return listMeters(newest.values()).slice(0, query.limit);
}

export async function readResources(context: ReadContext, query: SampleQuery): Promise<ResourceRow[]> {
  const asked = { ...wholeQuestion(query), order: 'newest' } as const;
  const newest = new Map<string, StoredSample>();
  const meters = new Map<string, Set<string>>();
  for (const sample of (await groupEdges(context, asked, ownerOf)).values()) {
    const resource = resourceOf(sample);
    keepBest(newest, resource, sample, asked);
    meters.set(resource, (meters.get(resource) ?? new Set()).add(sample.meter));
  }
  await settleTies(context, asked, newest, resourceOf);
  const oldest = await groupEdges(context, { ...asked, order: 'oldest' }, resourceOf);
  return [...newest]
    .map(([resource, sample]) => ({
      resourceId: sample.resourceId,
      source: sample.source,
      firstTimestamp: oldest.get(resource)?.timestamp ?? sample.timestamp,
      newest: sample,
      meters: [...(meters.get(resource) ?? [])].sort(compareText),
    }))
    .sort((a, b) => compareText(a.resourceId, b.resourceId) || compareText(a.source, b.source))
    .slice(0, query.limit);
}

/** Lists are over all that match: a page of samples is not what they are about. */
function wholeQuestion({ after: _after, limit: _limit, ...asked }: SampleQuery): SampleQuery {
  return asked;
}
