import { expectedAgents, LOOKAHEAD, namesNear, sealedBatch, SignedHeader } from '@nephometer/core';
import type { AgentBook, Expected, Identity, InventoryList, Micros, Store } from '@nephometer/core';
import { visibleTo } from '../../auth.ts';
import { findingsOf, listsWithin } from './findings.ts';
import type { InventoryBook } from './inventory-book.ts';
import type { UsageQuestion } from './question.ts';

/**
 * What no line can show: what should have been measured, and never was. `agents` and `resources` say how many; which agents only
 * admins see, which resources `GET /v1/findings`.
 */
export interface UsageWarning {
  readonly warning: 'unknown-meter' | 'agent-not-heard' | 'never-sampled' | 'not-sampled-then' | 'unknown-resource';
  readonly meter?: string;
  readonly near?: readonly string[];
  readonly agents?: number;
  readonly agent_ids?: readonly string[];
  readonly resources?: number;
}

export interface WarningSources {
  readonly store: Store;
  readonly agents: AgentBook;
  readonly inventory: InventoryBook;
}

export const OF_RESOURCES = ['never-sampled', 'not-sampled-then', 'unknown-resource'] as const;

/** As of a moment, for one question; in a fixed order. @throws StoreUnavailable */
export async function warningsOf(
  sources: WarningSources,
  { meter, query }: UsageQuestion,
  identity: Identity,
  asOf: Micros,
): Promise<UsageWarning[]> {
  const lists = await sources.inventory.lists(asOf);
  const { from, to } = query;
  const warnings: UsageWarning[] = [];
  const unheard = await unheardAgents(sources, lists, { from, to, asOf });
  if (unheard.length > 0) {
    const names = identity.role === 'admin' ? { agent_ids: unheard } : {};
    warnings.push({ warning: 'agent-not-heard', agents: unheard.length, ...names });
  }
  const projectIds = query.filter.get('project_id');
  const asked = { from, to, asOf, ...(projectIds === undefined ? {} : { projectIds }) };
  const found = await findingsOf(sources.store, listsWithin(lists, asked), asked, meter);
  const resourceIds = query.filter.get('resource_id');
  for (const warning of OF_RESOURCES) {
    const ids = found
      .filter(({ finding, resourceId }) => finding === warning && (resourceIds?.includes(resourceId) ?? true))
      .map(({ resourceId }) => resourceId);
    if (ids.length > 0) warnings.push({ warning, resources: new Set(ids).size });
  }
  return warnings;
}

const MOST_NEAR = 3;

/** Why an answer may have no lines: nobody ever measured that. Of meters that this identity may see. @throws StoreUnavailable */
export async function unknownMeter(
  store: Store,
  meter: string,
  identity: Identity,
  asOf: Micros,
): Promise<UsageWarning[]> {
  const visible = { ...visibleTo(identity), asOf };
  for await (const _sample of store.samples({ ...visible, meter, limit: 1 })) return [];
  const names = new Set((await store.meters(visible)).map((row) => row.meter));
  return [{ warning: 'unknown-meter', meter, near: namesNear(meter, names).slice(0, MOST_NEAR) }];
}

/** Those that had to be heard in the period, and of whose time nothing at all came; in order. @throws StoreUnavailable */
export async function unheardAgents(
  { store, agents }: WarningSources,
  lists: readonly InventoryList[],
  { from, to, asOf }: { readonly from: Micros; readonly to: Micros; readonly asOf: Micros },
): Promise<string[]> {
  const expected = expectedAgents(lists, from, Math.min(to, asOf));
  if (expected.size === 0) return [];
  const histories = new Map((await agents.list()).map(({ agentId, history }) => [agentId, history]));
  const unheard: string[] = [];
  for (const [agentId, span] of expected) {
    const epochs = histories.get(agentId)?.epochs() ?? [];
    const isWithin = (at: Micros): boolean => at >= span.from && at < span.to && at <= asOf;
    const isHeard = epochs.some(({ firstRecordedAt, lastRecordedAt }) =>
      [firstRecordedAt, lastRecordedAt].some(isWithin),
    );
    if (!isHeard && !(await hasBatch(store, agentId, span, asOf))) unheard.push(agentId);
  }
  return unheard.sort();
}

/** In the ledger, recorded in its time; or later, with what is of that time. */
async function hasBatch(store: Store, agentId: string, { from, to }: Expected, asOf: Micros): Promise<boolean> {
  const upTo = Math.min(to - 1, asOf);
  for await (const _row of store.ledger({ agentId, after: from - 1, upTo, limit: 1 })) return true;
  for await (const row of store.ledger({ agentId, after: upTo, upTo: Math.min(to + LOOKAHEAD, asOf), limit: 1 })) {
    if (row.headerText === null) return false;
    return sealedBatch(SignedHeader.parse(JSON.parse(row.headerText)), row.recordedAt).first < to;
  }
  return false;
}
