import { compareText, HOUR, LOOKAHEAD, LOOKBACK } from '@nephometer/core';
import type { AgentCycle, LedgerRow, Micros, SignedHeader, Store, UsageSample } from '@nephometer/core';
import type { Ground } from './gather.ts';

/** Batches recorded this much before a period begins may hold its first ticks: an agent's clock may be ahead. */
const AHEAD: Micros = HOUR;

export function headerOf(text: string | null): SignedHeader {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- verified before it came into the ledger
  return JSON.parse(text ?? '') as SignedHeader;
}

/**
 * The batches of the agents that measured: those with samples that are carried, and in each epoch all between the first
 * and the last that bear on the time, with one more on either side, so that what is missing between them shows.
 */
export async function batchesOf(
  store: Store,
  ground: Ground,
  samples: readonly UsageSample[],
  cycles: readonly AgentCycle[],
): Promise<LedgerRow[]> {
  const agents = new Set(samples.flatMap(({ agentId }) => (agentId === null ? [] : [agentId])));
  const recorded = new Set(samples.map(({ recordedAt }) => recordedAt));
  const kept: LedgerRow[] = [];
  for (const agentId of [...agents].sort(compareText)) {
    const epochs = new Map<string, LedgerRow[]>();
    const [first, last] = ticksOf(cycles, agentId, ground);
    const after = Math.min(first - AHEAD, ...earliest(samples, agentId)) - 1;
    for await (const row of store.ledger({ agentId, after, upTo: ground.asOf })) {
      if (row.headerText === null || row.epoch === null) continue;
      const known = epochs.get(row.epoch);
      if (known === undefined) epochs.set(row.epoch, [row]);
      else known.push(row);
    }
    for (const rows of epochs.values()) {
      const inOrder = rows.toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
      const bears = inOrder.map(
        (row) => recorded.has(row.recordedAt) || isWithin(headerOf(row.headerText), first, last),
      );
      const [from, to] = [bears.indexOf(true), bears.lastIndexOf(true)];
      if (from >= 0) kept.push(...inOrder.slice(Math.max(0, from - 1), to + 2));
    }
  }
  return kept;
}

/** Half-open: around the period, and to the first and the last tick of an agent that silences need. */
function ticksOf(cycles: readonly AgentCycle[], agentId: string, { from, to }: Ground): [Micros, Micros] {
  let [first, last] = [from - LOOKBACK, to + LOOKAHEAD];
  for (const cycle of cycles) {
    if (cycle.agentId !== agentId) continue;
    first = Math.min(first, cycle.report.scheduled);
    last = Math.max(last, cycle.report.scheduled + 1);
  }
  return [first, last];
}

function earliest(samples: readonly UsageSample[], agentId: string): Micros[] {
  let found = Infinity;
  for (const sample of samples) if (sample.agentId === agentId) found = Math.min(found, sample.recordedAt);
  return [found];
}

function isWithin({ created, runs, cycles }: SignedHeader, first: Micros, last: Micros): boolean {
  const times = [created, ...runs.flatMap(({ slot }) => slot ?? []), ...cycles.map(({ scheduled }) => scheduled)];
  return times.some((at) => at >= first && at < last);
}
