import { BehindRetention, comparePlace, REACH } from '@nephometer/core';
import type { Micros, ResourceRow, SampleFilter, SampleQuery, Store, StoredSample } from '@nephometer/core';
import type { SampleQuestion } from './filter.ts';

/** More resources than this are looked for in the stream of all, not one by one. */
const MOST_ONE_BY_ONE = 50;

export interface BesideQuestion extends SampleQuestion {
  readonly from: Micros;
  readonly to: Micros;
  readonly beside: 'before' | 'both';
  /** What may be seen at all: what comes behind `to` may have other attributes. */
  readonly visible: Pick<SampleFilter, 'projectIds' | 'userId'>;
}

/**
 * The samples of [from, to), oldest first, and around them of each resource the one that it goes on from, and the one that it
 * goes on to: a level holds until the next reading, and what a counter grew lies between two. Only those before that match
 * count, since what was in force there goes on.
 */
export async function* withBeside(store: Store, asked: BesideQuestion): AsyncGenerator<StoredSample> {
  const { query, matches, from, to, beside } = asked;
  const isNew = (sample: StoredSample): boolean =>
    query.after === undefined || comparePlace(sample, query.after, 'oldest') > 0;
  const before = await newestBefore(store, asked, from - REACH, from);
  yield* inOrder(before.map(({ newest }) => newest)).filter(isNew);
  for await (const sample of store.samples(query)) if (matches?.(sample) ?? true) yield sample;
  if (beside === 'before') return;
  const open = await newestBefore(store, asked, from - REACH, to);
  yield* inOrder(await oldestBehind(store, asked, new Set(open.map(keyOf)))).filter(isNew);
}

function keyOf({ resourceId, source }: Pick<StoredSample, 'resourceId' | 'source'>): string {
  return JSON.stringify([resourceId, source]);
}

function inOrder(samples: readonly StoredSample[]): StoredSample[] {
  return samples.toSorted((a, b) => comparePlace(a, b, 'oldest'));
}

/** Of each resource whose newest sample before an instant matches. */
async function newestBefore(
  store: Store,
  { query, matches }: BesideQuestion,
  first: Micros,
  to: Micros,
): Promise<ResourceRow[]> {
  const { from: _from, to: _to, after: _after, order: _order, ...filter } = query;
  const until = { ...filter, to: { at: to, inclusive: false } };
  const rows = await resourcesFrom(store, until, first);
  return rows.filter(({ newest }) => newest.timestamp >= first && (matches?.(newest) ?? true));
}

/** As far as retention has kept them. */
async function resourcesFrom(store: Store, query: SampleQuery, at: Micros): Promise<readonly ResourceRow[]> {
  try {
    return await store.resources({ ...query, from: { at, inclusive: true } });
  } catch (cause) {
    if (!(cause instanceof BehindRetention)) throw cause;
    return store.resources(query);
  }
}

/** The first sample at or behind `to` of each of these resources. */
async function oldestBehind(
  store: Store,
  { query, to, visible }: BesideQuestion,
  open: ReadonlySet<string>,
): Promise<StoredSample[]> {
  const { meter, asOf } = query;
  const of = { ...visible, ...(meter === undefined ? {} : { meter }), ...(asOf === undefined ? {} : { asOf }) };
  const range = { from: { at: to, inclusive: true }, to: { at: to + REACH, inclusive: false } };
  const pending = new Map<string, ResourceRow>();
  for (const row of open.size === 0 ? [] : await store.resources({ ...of, ...range })) {
    if (open.has(keyOf(row))) pending.set(keyOf(row), row);
  }
  const found: StoredSample[] = [];
  if (pending.size > MOST_ONE_BY_ONE) {
    for await (const sample of store.samples({ ...of, ...range, order: 'oldest' })) {
      if (pending.delete(keyOf(sample))) found.push(sample);
      if (pending.size <= MOST_ONE_BY_ONE) break;
    }
  }
  for (const { resourceId, source, firstTimestamp: at } of pending.values()) {
    const instant = { from: { at, inclusive: true }, to: { at, inclusive: true } };
    for await (const sample of store.samples({ ...of, resourceId, source, ...instant, limit: 1 })) found.push(sample);
  }
  return found;
}
