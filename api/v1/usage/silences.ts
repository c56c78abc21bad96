import {
  DAY,
  isEnded,
  LONGEST_SILENCE,
  LOOKAHEAD,
  LOOKBACK,
  openAt,
  prepareFacts,
  seriesKey,
  tickThatEnds,
  voidsSample,
  Watches,
} from '@nephometer/core';
import type { AgentCycle, Edge, LostSpan, Micros, OpenSeries, Series, Store, UsageSample } from '@nephometer/core';
import { readConflicts } from './conflicts.ts';
import type { FactsQuery, GatheredFacts } from './fact-types.ts';
import type { LedgerBook } from './ledger-book.ts';

/** Resources that one question names. */
const MOST_NAMED = 50;

interface Sources {
  readonly store: Store;
  readonly ledger: LedgerBook;
  readonly query: FactsQuery;
}

/** What came with the silences; of series that nobody hears any more, and nobody saw absent, mostly nothing. */
interface Found {
  readonly samples: readonly UsageSample[];
  readonly cycles: readonly AgentCycle[];
  readonly lost: readonly LostSpan[];
  readonly silent: Iterable<string>;
}

/** Adds what silences need that are longer than the facts reach: see core/model/usage/silence.ts. */
export async function withSilences(
  store: Store,
  ledger: LedgerBook,
  query: FactsQuery,
  near: GatheredFacts,
): Promise<GatheredFacts> {
  const sources = { store, ledger, query };
  const whole = joined(near, await before(sources, near));
  return joined(whole, await after(sources, whole));
}

function joined(facts: GatheredFacts, found: Found | null): GatheredFacts {
  if (found === null) return facts;
  return {
    samples: [...facts.samples, ...found.samples],
    cycles: [...facts.cycles, ...found.cycles],
    lost: [...facts.lost, ...found.lost],
    voids: facts.voids,
    silent: new Set([...facts.silent, ...found.silent]),
  };
}

/** Series with their last reading before the LOOKBACK of a period, where there is none within that. */
export async function quietSeries(
  store: Store,
  { meter, from, asOf, resourceIds, projectIds }: Omit<FactsQuery, 'to'>,
  heard: ReadonlySet<string>,
): Promise<readonly Edge[]> {
  const [first, last] = [from - LOOKBACK - LONGEST_SILENCE, from - LOOKBACK];
  const narrowed = {
    ...(resourceIds === undefined ? {} : { resourceIds }),
    ...(projectIds == null ? {} : { projectIds }),
  };
  return store.edges({ meter, side: 'newest', from: first, to: last, except: heard, asOf, ...narrowed });
}

/**
 * As `quietSeries`, only those whose agent does not show in the period's own time that they are gone: what `FactsQuery.quiet`
 * needs for any of these resources.
 */
export async function openSeries(store: Store, ledger: LedgerBook, query: FactsQuery): Promise<readonly Edge[]> {
  const { meter, from, to, asOf, resourceIds, projectIds } = query;
  const narrowed = {
    ...(resourceIds === undefined ? {} : { resourceIds }),
    ...(projectIds == null ? {} : { projectIds }),
  };
  const around = { meter, side: 'newest', from: from - LOOKBACK, to: from + 1, asOf, ...narrowed } as const;
  const heard = new Set((await store.edges(around)).map(({ series }) => seriesKey(series)));
  const edges = await quietSeries(store, query, heard);
  if (edges.length === 0) return [];
  const { cycles, lost } = await ledger.tried(from - LOOKBACK, to + LOOKAHEAD, asOf);
  const watches = new Watches(ofMeter(cycles, meter), lost);
  return edges.filter((edge) => sendersOf(edge).some((one) => !isEnded(one, watches, from)));
}

/** Series that silences longer than LOOKBACK concern when the period begins. */
async function before({ store, ledger, query }: Sources, near: GatheredFacts): Promise<Found | null> {
  const { meter, from, asOf } = query;
  const edges = query.quiet ?? (await quietSeries(store, query, heardBefore(near, from)));
  const watches = new Watches(near.cycles, near.lost);
  const open = edges.flatMap(sendersOf).filter((one) => !isEnded(one, watches, from));
  if (open.length === 0) return null;
  const last = from - LOOKBACK;
  const [cycles, lost, left]: [AgentCycle[], LostSpan[], OpenSeries[]] = [[], [], []];
  for (const [agentId, own] of grouped(open, ({ agentId: id }) => id)) {
    const tried = (since: Micros) => ledger.triedBy(agentId, { from: since, to: last, asOf, kept: last });
    const isOpen = (found: Awaited<ReturnType<typeof tried>>) => {
      const all = new Watches(
        [...near.cycles, ...ofMeter(found.cycles, meter)].filter((cycle) => cycle.agentId === agentId),
        [...near.lost, ...found.lost],
      );
      return own.filter((one) => !isEnded(one, all, from));
    };
    // Most ended in the last day that the agent was heard; the ticks since the first of the others are needed.
    let first = Math.max(...times(own)) - DAY;
    let found = await tried(first);
    let unknown = isOpen(found);
    const needed = Math.min(...times(unknown)) - DAY;
    if (needed < first) {
      first = needed;
      found = await tried(first);
      unknown = isOpen(found);
    }
    if (unknown.length === 0) continue;
    for (const cycle of ofMeter(found.cycles, meter)) cycles.push(cycle);
    for (const span of found.lost) lost.push(span);
    left.push(...unknown);
  }
  if (left.length === 0) return null;
  const samples: UsageSample[] = [];
  for (const [day, own] of grouped(left, ({ timestamp }) => Math.floor(timestamp / DAY) * DAY)) {
    for (const sample of await readingsOf(store, query, resourcesOf(own), day - DAY, last)) samples.push(sample);
  }
  const conflicts = await readConflicts(store, { meter, first: Math.min(...times(left)), last, asOf });
  return { samples, cycles, lost: [...lost, ...conflicts], silent: left.map(({ series }) => seriesKey(series)) };
}

/** Series that are silent when what is known behind the period ends. */
async function after({ store, ledger, query }: Sources, facts: GatheredFacts): Promise<Found | null> {
  const { meter, to, asOf } = query;
  const end = to + LOOKAHEAD;
  const isKnown = asOf >= end;
  if (!isKnown && query.marksSilent !== true) return null;
  const open = openBehind(facts, query);
  if (open.length === 0) return null;
  const silent = open.map(({ series }) => seriesKey(series));
  if (!isKnown) return { samples: [], cycles: [], lost: [], silent };
  const edges = await store.edges({
    meter,
    side: 'oldest',
    from: end,
    to: asOf + DAY,
    resourceIds: resourcesOf(open),
    asOf,
  });
  const next = new Map(edges.map(({ series, timestamp }) => [seriesKey(series), timestamp]));
  const conflicts = await readConflicts(store, { meter, first: end, last: asOf + DAY, asOf });
  const found = { samples: [] as UsageSample[], cycles: [] as AgentCycle[], lost: conflicts };
  for (const [agentId, own] of grouped(open, ({ agentId: id }) => id)) {
    const kept = query.from - LOOKBACK;
    const tried = await ledger.triedBy(agentId, { from: end, to: asOf + DAY, asOf, kept });
    const cycles = ofMeter(tried.cycles, meter);
    const lost = [...facts.lost, ...tried.lost, ...conflicts];
    // Readings that were voided say that the resource was there: they are known when the stretch has been read.
    let [upTo, samples]: [Micros, UsageSample[]] = [end, []];
    for (;;) {
      const { watches } = prepareFacts({ samples, cycles, lost, voids: facts.voids }, asOf);
      const ends = own.map((one) => wordAfter(one, end, watches, next.get(seriesKey(one.series))));
      const needed = Math.min(Math.max(...ends), asOf + DAY);
      if (needed <= upTo) break;
      upTo = needed;
      samples = await readingsOf(store, query, resourcesOf(own), end, upTo + 1);
    }
    for (const sample of samples) found.samples.push(sample);
    for (const cycle of cycles) if (cycle.report.scheduled <= upTo) found.cycles.push(cycle);
    for (const span of tried.lost) if (span.from <= upTo) found.lost.push(span);
  }
  return { ...found, silent };
}

/** When it was read again, or seen absent, at or behind an instant. */
function wordAfter(one: OpenSeries, at: Micros, watches: Watches, next = Infinity): Micros {
  return Math.min(next, tickThatEnds(one, Math.max(at - 1, one.timestamp), watches)?.finished ?? Infinity);
}

/** Those whose last reading lies before the end of the period, and that no tick up to the end of the facts shows absent. */
function openBehind(facts: GatheredFacts, { to, asOf }: FactsQuery): OpenSeries[] {
  const settled = settledAgents(facts, to);
  const concerned = new Set<string>();
  for (const { resourceId, to: last } of facts.lost) if (resourceId !== null && last >= to) concerned.add(resourceId);
  for (const sample of facts.samples) {
    const isOpen = sample.agentId !== null && !settled.has(sample.agentId);
    const isAside = sample.timestamp >= to && facts.voids.some((one) => voidsSample(one, sample));
    if (isOpen || isAside) concerned.add(sample.resourceId);
  }
  if (concerned.size === 0) return [];
  const samples = facts.samples.filter(({ resourceId }) => concerned.has(resourceId));
  const { all, watches } = prepareFacts({ ...facts, samples }, asOf);
  return all.flatMap((one) => openAt(one, watches, to));
}

/** Agents of which every polling source told, after an instant, all that was there. */
function settledAgents({ cycles, lost }: GatheredFacts, after: Micros): Set<string> {
  const sources = new Map<string, Set<string>>();
  const told = new Map<string, Set<string>>();
  const trusted = lost.filter(({ reason, resourceId }) => reason !== 'quarantined' && resourceId === null);
  for (const { agentId, report } of cycles) {
    add(sources, agentId, report.source);
    const isWhole = report.outcome === 'ran' && report.discovery_complete && report.pollsters.every(isWell);
    if (report.scheduled <= after || !isWhole) continue;
    const isLost = trusted.some(
      (span) => (span.agentId ?? agentId) === agentId && span.from <= report.finished && span.to >= report.scheduled,
    );
    if (!isLost) add(told, agentId, report.source);
  }
  return new Set([...sources].flatMap(([id, all]) => (all.size === told.get(id)?.size ? [id] : [])));
}

function isWell({ error, failed }: AgentCycle['report']['pollsters'][number]): boolean {
  return error === null && failed.length === 0;
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([value]));
  else known.add(value);
}

/** Series with a reading that counts in the LOOKBACK before an instant, or at it. */
function heardBefore({ samples, voids }: GatheredFacts, at: Micros): Set<string> {
  const heard = new Set<string>();
  const byResource = new Map<string, Series[]>();
  for (const sample of samples) {
    if (sample.timestamp > at || sample.timestamp < at - LOOKBACK) continue;
    const known = byResource.get(sample.resourceId);
    if (known?.some((series) => isOf(series, sample)) === true) continue;
    if (voids.some((one) => voidsSample(one, sample))) continue;
    if (known === undefined) byResource.set(sample.resourceId, [sample]);
    else known.push(sample);
    heard.add(seriesKey(sample));
  }
  return heard;
}

function isOf({ source, type, unit }: Series, sample: UsageSample): boolean {
  return source === sample.source && type === sample.type && unit === sample.unit;
}

function sendersOf({ series, timestamp, agentIds }: Edge): OpenSeries[] {
  return agentIds.flatMap((agentId) => (agentId === null ? [] : [{ series, agentId, timestamp }]));
}

/** Of some resources, of senders all, voided ones too, in [from, to): outside the period, as far as retention has kept them. */
async function readingsOf(
  store: Store,
  { meter, from: start, asOf }: FactsQuery,
  resourceIds: readonly string[],
  from: Micros,
  to: Micros,
): Promise<UsageSample[]> {
  const samples: UsageSample[] = [];
  const stretch = { meter, from: start, to: start, before: start - from, after: to - start, asOf };
  for (let at = 0; at < resourceIds.length; at += MOST_NAMED) {
    const named = resourceIds.slice(at, at + MOST_NAMED);
    for await (const page of store.readings({ ...stretch, resourceIds: named })) {
      for (const sample of page) samples.push(sample);
    }
  }
  return samples;
}

function resourcesOf(open: readonly OpenSeries[]): string[] {
  return [...new Set(open.map(({ series }) => series.resourceId))];
}

function times(open: readonly OpenSeries[]): Micros[] {
  return open.map(({ timestamp }) => timestamp);
}

function ofMeter(cycles: readonly AgentCycle[], meter: string): AgentCycle[] {
  return cycles.filter(({ report }) => report.meters.includes(meter));
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const known = groups.get(keyOf(item));
    if (known === undefined) groups.set(keyOf(item), [item]);
    else known.push(item);
  }
  return groups;
}
