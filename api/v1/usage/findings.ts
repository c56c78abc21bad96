import { HOUR } from '@nephometer/core';
import type { InventoryList, Micros, Store } from '@nephometer/core';
import type { UsageDesk } from './desk.ts';
import type { Finding } from './inventory-schemas.ts';

/** A resource that is in one of both only: what operators listed, and what was sampled. */
export interface FoundResource {
  readonly finding: Finding;
  readonly meter: string | null;
  readonly resourceId: string;
  readonly projectId: string | null;
  readonly source: string | null;
  readonly list: string | null;
  readonly agentId: string | null;
  readonly reason: string | null;
  readonly times: number;
  readonly first: Micros;
  readonly last: Micros;
  readonly sampled: Sampled | null;
}

/** First and last sample of a resource in the period. */
interface Sampled {
  readonly projectId: string | null;
  readonly source: string;
  readonly first: Micros;
  readonly last: Micros;
}

export interface FindingsQuery {
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
  /** Any of these. Absent: all. */
  readonly projectIds?: readonly (string | null)[];
}

/** A resource that was made just before the list, or is gone just after it, need not have been read. */
const SLACK: Micros = HOUR;

/** Lists of resources that are of a moment in the period. */
export function listsWithin(lists: readonly InventoryList[], { from, to }: FindingsQuery): InventoryList[] {
  return lists.filter(({ resources, at }) => resources !== null && at >= from && at < to);
}

/** What the lists show, of all their meters or one. */
export async function findingsOf(
  store: Store,
  lists: readonly InventoryList[],
  query: FindingsQuery,
  only?: string,
): Promise<FoundResource[]> {
  const found = new Map<string, FoundResource>();
  const known = new Map<string, Map<string, Sampled>>();
  for (const list of lists) {
    for (const meter of list.meters.filter((one) => one === (only ?? one))) {
      const key = JSON.stringify([meter, list.source]);
      const sampled = known.get(key) ?? (await sampledOf(store, meter, list.source, query));
      known.set(key, sampled);
      for (const one of compared(list, meter, sampled, query)) add(found, one);
    }
  }
  return [...found.values()];
}

async function sampledOf(
  store: Store,
  meter: string,
  source: string | null,
  { from, to, asOf }: FindingsQuery,
): Promise<Map<string, Sampled>> {
  const rows = await store.resources({
    meter,
    ...(source === null ? {} : { source }),
    from: { at: from, inclusive: true },
    to: { at: to, inclusive: false },
    asOf,
  });
  const sampled = new Map<string, Sampled>();
  for (const { resourceId, source: of, firstTimestamp, newest } of rows) {
    const other = sampled.get(resourceId);
    sampled.set(resourceId, {
      projectId: newest.projectId,
      source: of,
      first: Math.min(firstTimestamp, other?.first ?? Infinity),
      last: Math.max(newest.timestamp, other?.last ?? -Infinity),
    });
  }
  return sampled;
}

function compared(
  { name, at, resources, complete, source }: InventoryList,
  meter: string,
  sampled: ReadonlyMap<string, Sampled>,
  { projectIds }: FindingsQuery,
): FoundResource[] {
  const isWanted = (projectId: string | null): boolean => projectIds === undefined || projectIds.includes(projectId);
  const base = { meter, list: name, agentId: null, reason: null, times: 1, first: at, last: at };
  const found: FoundResource[] = [];
  const listed = new Set<string>();
  for (const [resourceId, projectId] of resources ?? []) {
    listed.add(resourceId);
    const one = sampled.get(resourceId) ?? null;
    const isThen = one !== null && one.first - SLACK <= at && at <= one.last + SLACK;
    const owner = projectId ?? one?.projectId ?? null;
    if (isThen || !isWanted(owner)) continue;
    const finding = one === null ? 'never-sampled' : 'not-sampled-then';
    found.push({ ...base, finding, resourceId, projectId: owner, source: one?.source ?? source, sampled: one });
  }
  for (const [resourceId, one] of complete ? sampled : []) {
    const wasThere = one.first <= at && at <= one.last;
    if (listed.has(resourceId) || !wasThere || !isWanted(one.projectId)) continue;
    const { projectId, source: of } = one;
    found.push({ ...base, finding: 'unknown-resource', resourceId, projectId, source: of, sampled: one });
  }
  return found;
}

/** The same of several lists, or ticks, is one finding. */
function add(found: Map<string, FoundResource>, one: FoundResource): void {
  const key = JSON.stringify([one.finding, one.list, one.meter, one.resourceId]);
  const known = found.get(key);
  if (known === undefined) return void found.set(key, one);
  const [first, last] = [Math.min(known.first, one.first), Math.max(known.last, one.last)];
  found.set(key, { ...(one.last > known.last ? one : known), times: known.times + one.times, first, last });
}

/** What agents found and never could read. Whose it is was not told either. */
export async function neverAnswered(store: Store, desk: UsageDesk, query: FindingsQuery): Promise<FoundResource[]> {
  const { from, to, asOf, projectIds } = query;
  if (projectIds !== undefined && !projectIds.includes(null)) return [];
  const found = new Map<string, FoundResource>();
  const { cycles } = await desk.ledger.tried(from, to, asOf);
  for (const { agentId, report } of cycles) {
    const { scheduled } = report;
    for (const { resource_id: resourceId, reason } of report.pollsters.flatMap(({ failed }) => failed)) {
      const times = { times: 1, first: scheduled, last: scheduled };
      const unknown = { meter: null, projectId: null, source: null, list: null, sampled: null };
      add(found, { finding: 'never-answered', ...unknown, resourceId, agentId, reason, ...times });
    }
  }
  const silent: FoundResource[] = [];
  for (const one of found.values()) if (!(await hasSamples(store, one.resourceId, query))) silent.push(one);
  return silent;
}

async function hasSamples(store: Store, resourceId: string, { from, to, asOf }: FindingsQuery): Promise<boolean> {
  const bounds = { from: { at: from, inclusive: true }, to: { at: to, inclusive: false } };
  for await (const _sample of store.samples({ resourceId, ...bounds, asOf, limit: 1 })) return true;
  return false;
}
