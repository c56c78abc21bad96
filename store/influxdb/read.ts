import { comparePlace, compareSamples, matchesFilter, sameContent, usageSampleOf, voidsSample } from '@nephometer/core';
import type {
  Micros,
  ReadingsQuery,
  SampleFilter,
  SampleQuery,
  StoredSample,
  UsageSample,
  UsageVoid,
} from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { conflictsWithin } from './conflict-marks.ts';
import { lookUp } from './key-index.ts';
import type { Ledger } from './ledger.ts';
import { ALL_TIME, pages, tagEquals } from './query.ts';
import type { Span } from './query.ts';
import type { PointSample } from './sample-point.ts';
import { readRows, samplesOfRows } from './sample-rows.ts';
import type { MessageRow } from './sample-rows.ts';
import { tagText } from './text.ts';

export interface ReadContext {
  readonly client: InfluxClient;
  readonly ledger: Ledger;
  /** By meter: earlier samples are not shown, even when they are there still. */
  readonly horizons: ReadonlyMap<string, Micros>;
  /** Known as of the question. */
  readonly voids: readonly UsageVoid[];
}

const LARGEST_PAGE = 5000;
const MOST_PROJECTS = 50;

/** Visible samples in the order asked for; a page of them in memory. */
export async function* readSamples(context: ReadContext, query: SampleQuery): AsyncGenerator<StoredSample> {
  let left = query.limit ?? Infinity;
  if (left <= 0 || isHopeless(query)) return;
  for await (const page of visiblePages(context, query)) {
    const { after, order } = query;
    const rest = page.filter((sample) => after === undefined || comparePlace(sample, after, order) > 0);
    yield* rest.slice(0, left);
    left -= rest.length;
    if (left <= 0) return;
  }
}

async function* visiblePages(
  context: ReadContext,
  query: SampleQuery & Pick<ReadingsQuery, 'resourceIds'>,
): AsyncGenerator<StoredSample[]> {
  const { client } = context;
  const { order = 'newest', limit = LARGEST_PAGE } = query;
  if (query.messageId !== undefined) {
    yield await visible(context, await samplesById(client, [query.messageId]), query);
    return;
  }
  const span = spanOf(query);
  // A little more than asked for, since some of what is there may not count.
  const rows = Math.min(Math.max(2 * limit, 100), LARGEST_PAGE);
  const question = {
    fields: 'record',
    measurement: 'sample',
    where: [...conditions(query), ...ofResources(query)],
    span,
    order,
    limit: rows,
  };
  for await (const page of pages(client, question)) {
    yield await visible(context, await readRows(client, page), query);
  }
}

/** The samples of one meter, voided ones too, page by page. @param asked the same question as a query for samples */
export async function* readReadings(
  context: ReadContext,
  { resourceIds }: ReadingsQuery,
  asked: SampleQuery,
): AsyncGenerator<UsageSample[]> {
  const wanted = resourceIds === undefined ? null : new Set(resourceIds);
  const named = resourceIds !== undefined && resourceIds.length <= MOST_PROJECTS ? { resourceIds } : {};
  for await (const page of visiblePages({ ...context, voids: [] }, { ...asked, ...named, order: 'oldest' })) {
    yield page.filter(({ resourceId }) => wanted?.has(resourceId) ?? true).map(usageSampleOf);
  }
}

/** Versions of message_ids that are in conflict, each content once. */
export async function readConflicts(context: ReadContext, query: SampleQuery): Promise<StoredSample[]> {
  const { client, ledger } = context;
  const { after, limit, ...rest } = query;
  const { order, asOf } = rest;
  const { open } = await conflictsWithin(client, ledger, spanOf(rest), asOf);
  const stored = await storedSamples(context, await samplesById(client, open), query);
  return distinctContents(stored)
    .filter((sample) => after === undefined || comparePlace(sample, after, order) > 0)
    .sort((a, b) => compareSamples(a, b, order))
    .slice(0, limit);
}

export async function samplesById(client: InfluxClient, ids: Iterable<string>): Promise<PointSample[]> {
  const found = await lookUp<MessageRow>(client, 'message', ids);
  const samples = await samplesOfRows(
    client,
    [...found.values()].flatMap(({ rows }) => rows),
  );
  return samples.map(({ sample }) => sample);
}

/** Those that count and match: each message_id once, none in conflict. */
export async function visible(
  context: ReadContext,
  points: readonly PointSample[],
  query: SampleQuery,
): Promise<StoredSample[]> {
  const stored = await storedSamples(context, points, query);
  if (stored.length === 0) return [];
  const { open, kept } = await conflictsWithin(context.client, context.ledger, extentOf(stored), query.asOf);
  const first = new Map<string, StoredSample>();
  for (const sample of stored) {
    if (open.has(sample.messageId) || context.voids.some((one) => voidsSample(one, sample))) continue;
    const keep = kept.get(sample.messageId);
    if (keep !== undefined && keep !== sample.batchDigest) continue;
    const known = first.get(sample.messageId);
    if (known === undefined || isBefore(sample, known)) first.set(sample.messageId, sample);
  }
  return [...first.values()].sort((a, b) => compareSamples(a, b, query.order));
}

/** Joins points with the ledger: those of the writer that counts, known by then, within retention, and matching. */
async function storedSamples(
  { ledger, horizons }: ReadContext,
  points: readonly PointSample[],
  query: SampleQuery,
): Promise<StoredSample[]> {
  const asked = points.filter(
    ({ sample, digest }) =>
      (query.batchDigest === undefined || digest === query.batchDigest) &&
      sample.timestamp >= (horizons.get(sample.meter) ?? -Infinity) &&
      matchesFilter(sample, query),
  );
  const rows = await ledger.rowsOf(asked.map(({ digest }) => digest));
  return asked.flatMap(({ sample, digest, index, writer }) => {
    const row = rows.get(digest);
    if (row === undefined || row.writer !== writer || row.recordedAt > (query.asOf ?? Infinity)) return [];
    const { recordedAt, agentId, epoch, seq, keyId } = row;
    return { ...sample, recordedAt, batchDigest: digest, batchIndex: index, agentId, epoch, seq, keyId };
  });
}

function distinctContents(samples: readonly StoredSample[]): StoredSample[] {
  const byId = new Map<string, StoredSample[]>();
  for (const sample of [...samples].sort((a, b) => (isBefore(a, b) ? -1 : 1))) {
    const versions = byId.get(sample.messageId) ?? [];
    if (!versions.some((version) => sameContent(version, sample))) versions.push(sample);
    byId.set(sample.messageId, versions);
  }
  return [...byId.values()].flat();
}

function isBefore(a: StoredSample, b: StoredSample): boolean {
  if (a.recordedAt !== b.recordedAt) return a.recordedAt < b.recordedAt;
  return a.batchDigest === b.batchDigest ? a.batchIndex < b.batchIndex : a.batchDigest < b.batchDigest;
}

function extentOf(samples: readonly StoredSample[]): Span {
  let [from, to] = [Infinity, -Infinity];
  for (const { timestamp } of samples) {
    from = Math.min(from, timestamp);
    to = Math.max(to, timestamp);
  }
  return { from, to };
}

/** Whether no sample can match. */
export function isHopeless({ projectIds }: SampleFilter): boolean {
  return projectIds !== undefined && projectIds.length === 0;
}

/** The microseconds that a query can concern. */
export function spanOf({ from, to, after, order }: SampleQuery): Span {
  let first = from === undefined ? ALL_TIME.from : from.at + (from.inclusive ? 0 : 1);
  let last = to === undefined ? ALL_TIME.to : to.at - (to.inclusive ? 0 : 1);
  if (after !== undefined && order === 'oldest') first = Math.max(first, after.timestamp);
  if (after !== undefined && order !== 'oldest') last = Math.min(last, after.timestamp);
  return { from: Math.max(first, ALL_TIME.from), to: Math.min(last, ALL_TIME.to) };
}

function ofResources({ resourceIds }: Pick<ReadingsQuery, 'resourceIds'>): string[] {
  if (resourceIds === undefined) return [];
  return [`(${resourceIds.map((id) => tagEquals('resource', tagText(id))).join(' OR ')})`];
}

/** What of a filter the tags can answer; the rest is left to `matchesFilter`. */
export function conditions({ meter, resourceId, source, userId, projectIds }: SampleFilter): string[] {
  const tags = { meter, resource: resourceId, source, user: userId };
  const where = Object.entries(tags).flatMap(([tag, value]) =>
    value === undefined ? [] : tagEquals(tag, tagText(value)),
  );
  if (projectIds !== undefined && projectIds.length <= MOST_PROJECTS) {
    where.push(`(${projectIds.map((project) => tagEquals('project', tagText(project))).join(' OR ')})`);
  }
  return where;
}
