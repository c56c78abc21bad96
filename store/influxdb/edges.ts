import { comparePlace, matchesFilter } from '@nephometer/core';
import type { Micros, SampleQuery, StoredSample } from '@nephometer/core';
import { rowOf, selectText, pages, tagEquals } from './query.ts';
import type { Row } from './query.ts';
import { conditions, isHopeless, spanOf, visible } from './read.ts';
import type { ReadContext } from './read.ts';
import type { PointSample } from './sample-point.ts';
import { readRows, samplesAt } from './sample-rows.ts';
import { tagText } from './text.ts';

/** The first raw point of one InfluxDB series, from one end. */
interface Edge {
  readonly tags: Readonly<Record<string, string>>;
  readonly point: PointSample;
}

const SCAN_PAGE = 200;

/** Which of InfluxDB's series are looked at, beside what the query says. */
export interface Narrowed {
  readonly where?: readonly string[];
  readonly isWanted?: (tags: Edge['tags']) => boolean;
}

/**
 * The first visible sample that matches in the order asked for, of each group of series. InfluxDB gives the edge of every
 * series at little cost; only where that one does not count is the series searched on, and only as far as the group's
 * best.
 */
export async function groupEdges(
  context: ReadContext,
  query: SampleQuery,
  groupOf: (sample: PointSample['sample']) => string,
  narrowed: Narrowed = {},
): Promise<Map<string, StoredSample>> {
  const best = new Map<string, StoredSample>();
  if (isHopeless(query)) return best;
  const edges = await seriesEdges(context, query, narrowed);
  const points = edges.map(({ point }) => point);
  for (const sample of await visible(context, points, query)) keepBest(best, groupOf(sample), sample, query);
  const counted = new Set([...best.values()].map(({ batchDigest, batchIndex }) => `${batchDigest} ${batchIndex}`));
  for (const { tags, point } of edges) {
    if (counted.has(`${point.digest} ${point.index}`)) continue;
    const group = groupOf(point.sample);
    const known = best.get(group);
    if (known !== undefined && comparePlace(known, point.sample, query.order) <= 0) continue;
    const found = await searchSeries(context, query, tags, known);
    if (found !== null) keepBest(best, group, found, query);
  }
  return best;
}

/** Decides ties as everywhere: of several samples of a group at its best's instant, the first by message_id. */
export async function settleTies(
  context: ReadContext,
  query: SampleQuery,
  best: Map<string, StoredSample>,
  groupOf: (sample: PointSample['sample']) => string,
): Promise<void> {
  const spots = [...best.values()].map(({ resourceId, timestamp }) => ({
    resource: tagText(resourceId),
    at: timestamp,
  }));
  const points = [...(await samplesAt(context.client, spots)).values()].flat();
  for (const sample of await visible(context, points, query)) {
    const group = groupOf(sample);
    if (best.has(group)) keepBest(best, group, sample, query);
  }
}

export function keepBest(
  best: Map<string, StoredSample>,
  group: string,
  sample: StoredSample,
  query: SampleQuery,
): void {
  const known = best.get(group);
  if (known === undefined || comparePlace(sample, known, query.order) < 0) best.set(group, sample);
}

async function seriesEdges(
  { client }: ReadContext,
  query: SampleQuery,
  { where: more = [], isWanted = () => true }: Narrowed,
): Promise<Edge[]> {
  const selector = query.order === 'oldest' ? 'first' : 'last';
  const fields = `${selector}(record) AS record`;
  const where = [...conditions(query), ...more];
  const text = selectText({ fields, measurement: 'sample', where, span: spanOf(query) });
  const [series = []] = await client.query([`${text} GROUP BY *`]);
  const edges: Edge[] = [];
  for (const { tags, values } of series) {
    if (!isWanted(tags)) continue;
    for (const point of await readRows(client, values.map(rowOf))) edges.push({ tags, point });
  }
  return edges;
}

/** The first visible match of one series, no further than a known one. */
async function searchSeries(
  context: ReadContext,
  query: SampleQuery,
  tags: Edge['tags'],
  known: StoredSample | undefined,
): Promise<StoredSample | null> {
  const { order = 'newest' } = query;
  const where = Object.entries(tags).map(([tag, value]) => tagEquals(tag, value));
  const span = spanOf(known === undefined ? query : { ...query, ...boundedBy(known.timestamp, order) });
  const question = { fields: 'record', measurement: 'sample', where, span, order, limit: SCAN_PAGE };
  for await (const page of pages(context.client, question)) {
    const [first] = await visible(context, await matching(context, page, query), query);
    if (first !== undefined) return first;
  }
  return null;
}

async function matching({ client }: ReadContext, page: Row[], query: SampleQuery): Promise<PointSample[]> {
  return (await readRows(client, page)).filter(({ sample }) => matchesFilter(sample, query));
}

function boundedBy(at: Micros, order: 'newest' | 'oldest'): Pick<SampleQuery, 'from' | 'to'> {
  return order === 'newest' ? { from: { at, inclusive: true } } : { to: { at, inclusive: true } };
}
