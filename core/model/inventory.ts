import { z } from 'zod';
import type { Entry } from '../ports/store.ts';
import type { Micros } from '../time.ts';

/** The list that `expected_agents` of the configuration makes. */
export const CONFIGURED_LIST = 'expected_agents';

/**
 * What an operator says was there at a moment, beside what agents find: as the entry of kind `inventory` holds it (JSON body).
 * The entry's id is the name of the list. A later list of the same name does not change what an earlier one said of its
 * moment, except when both are of the same moment: then the one recorded last counts.
 */
export const InventoryRecord = z.strictObject({
  /** When it was true, microseconds. */
  at: z.int(),
  /** Agents that must be heard from then on, up to the next list of this name; null: the list is not of agents. */
  agents: z.array(z.string()).nullable(),
  /** Resources, each with its owner; null: the list is not of resources. */
  resources: z.array(z.tuple([z.string(), z.string().nullable()])).nullable(),
  /** The meters that each of the resources has samples of. */
  meters: z.array(z.string()),
  /** The source that the samples are of; null: any. */
  source: z.string().nullable(),
  /** Whether a resource that the list does not name was not there. */
  complete: z.boolean(),
  who: z.string(),
  /** Name of the token that was used. */
  by: z.string(),
});
export type InventoryRecord = z.infer<typeof InventoryRecord>;

/** A list as it was recorded. */
export interface InventoryList extends InventoryRecord {
  readonly name: string;
  readonly recordedAt: Micros;
}

/** What an entry of kind `inventory` says; null when it is none. */
export function inventoryOf({ id, body, recordedAt }: Entry): InventoryList | null {
  try {
    return { ...InventoryRecord.parse(JSON.parse(body)), name: id, recordedAt };
  } catch {
    return null;
  }
}

/** The lists as they were known at a moment, by name and then in order of what they are of. */
export function listsAsOf(lists: Iterable<InventoryList>, asOf: Micros): InventoryList[] {
  const newest = new Map<string, InventoryList>();
  for (const list of lists) {
    if (list.recordedAt > asOf) continue;
    const key = JSON.stringify([list.name, list.at]);
    const known = newest.get(key);
    if (known === undefined || known.recordedAt < list.recordedAt) newest.set(key, list);
  }
  return [...newest.values()].sort((a, b) => (a.name === b.name ? a.at - b.at : a.name < b.name ? -1 : 1));
}

/** From when to when an agent was expected, within a period. */
export interface Expected {
  readonly from: Micros;
  readonly to: Micros;
}

/**
 * The agents that had to be heard in [from, to). A list of agents holds from its moment to that of the next one of its name; the
 * first one of a name holds for the time before it, too.
 */
export function expectedAgents(lists: readonly InventoryList[], from: Micros, to: Micros): Map<string, Expected> {
  const expected = new Map<string, Expected>();
  const ofAgents = lists.filter(({ agents }) => agents !== null);
  ofAgents.forEach((list, i) => {
    const start = ofAgents[i - 1]?.name === list.name ? Math.max(from, list.at) : from;
    const next = ofAgents[i + 1];
    const end = next?.name === list.name ? Math.min(to, next.at) : to;
    if (start >= end) return;
    for (const agentId of list.agents ?? []) {
      const known = expected.get(agentId) ?? { from: start, to: end };
      expected.set(agentId, { from: Math.min(known.from, start), to: Math.max(known.to, end) });
    }
  });
  return expected;
}
