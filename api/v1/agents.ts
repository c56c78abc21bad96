import { countOf, formatInstant, SECOND } from '@nephometer/core';
import type { AgentStatus, Micros } from '@nephometer/core';
import type { ApiOptions, Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { readParameters } from './request.ts';
import { AgentsQuery } from './requests.ts';

/** Ranges of missing sequence numbers that are listed of one epoch; all are counted. */
const MOST_RANGES = 100;

/** GET /v1/agents: what the ledger says of every agent, and of those expected. */
export function listAgents({ agents }: ApiOptions): Handler {
  return async (ctx) => {
    const { state } = readParameters(ctx, AgentsQuery);
    const all = await agents.list();
    const wanted = all.filter((agent) => state === undefined || agent.state === state);
    sendJson(ctx, JSON.stringify({ agents: wanted.map(agentShape) }));
  };
}

/** `AgentsAnswer`. */
function agentShape({ agentId, state, isExpected, quarantined, history }: AgentStatus): Record<string, unknown> {
  const newest = history?.newest ?? null;
  const epochs = history?.epochs() ?? [];
  return {
    agent_id: agentId,
    state,
    expected: isExpected,
    last_batch:
      newest === null
        ? null
        : { recorded_at: formatInstant(newest.recordedAt), epoch: newest.epoch, seq: newest.seq, key_id: newest.keyId },
    interval: seconds(history?.interval ?? null),
    lag: seconds(history?.lag ?? null),
    clock_skew: seconds(history?.clockSkew ?? null),
    batches: history?.batches ?? 0,
    samples: history?.samples ?? 0,
    missing: history?.missing ?? 0,
    quarantined,
    cloned_at: instant(history?.clonedAt ?? null),
    epochs: epochs.map((epoch) => ({
      epoch: epoch.epoch,
      first_recorded_at: formatInstant(epoch.firstRecordedAt),
      last_recorded_at: formatInstant(epoch.lastRecordedAt),
      last_created: formatInstant(epoch.lastCreated),
      last_seq: epoch.lastSeq,
      missing: countOf(epoch.missing),
      missing_seqs: epoch.missing.slice(0, MOST_RANGES),
    })),
  };
}

function seconds(span: Micros | null): number | null {
  return span === null ? null : span / SECOND;
}

function instant(at: Micros | null): string | null {
  return at === null ? null : formatInstant(at);
}
