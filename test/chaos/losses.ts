import { readMessage, readMeteringEnvelope } from '@nephometer/core';
import { issuedKey, keyOf } from './issued.ts';
import type { AgentEvidence, Evidence, Expectation } from './judge-types.ts';
import type { Issued } from './values.ts';

export interface Lost {
  /** Readings that are neither in the store nor set aside, and that no kill explains. */
  readonly samples: number;
  /** Readings of polls that were under way when the process was killed: never spooled, so never promised. */
  readonly underWay: number;
  /** Told in cycle reports, by reason. */
  readonly told: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
}

/** Polls that a SIGKILL may take: the one under way, and the one that is sealed meanwhile. */
const POLLS_UNDER_WAY = 2;

/** What an agent issued and the store has not, against what the agent itself says that it lost. */
export function lostOf(agent: AgentEvidence, evidence: Evidence, expected: Expectation): Lost {
  const { samples, conflicts, ledger, tapped } = evidence;
  const there = new Set(samples.map(keyOf));
  for (const version of conflicts.flatMap(({ versions }) => versions)) there.add(keyOf(version));
  const absent = agent.issued.filter((line) => !there.has(issuedKey(line)));
  const excused = underWayIssues(agent);
  const spooled = spooledKeys(agent, tapped);
  const unexplained = absent.filter((line) => !excused.has(line.issue) || spooled.has(issuedKey(line)));
  const told = toldLosses(agent.id, { ledger });
  const failed = failedReadings(agent.id, { ledger }, agent.issued);
  const refused = refusedSamples(agent.id, evidence, expected);
  const sum = [...told.values()].reduce((a, b) => a + b, 0);
  const silent = unexplained.length - sum - failed - refused;
  const problems =
    silent > 0
      ? [
          `agent ${agent.id}: ${silent} readings of ${agent.issued.length} are lost and no report tells of them: ` +
            `polls ${pollsOf(unexplained)}`,
        ]
      : [];
  return { samples: unexplained.length, underWay: absent.length - unexplained.length, told, problems };
}

/** Samples that cycle reports say were dropped, by reason. Each report counts once, whatever batch brought it. */
export function toldLosses(agentId: string, { ledger }: Pick<Evidence, 'ledger'>): Map<string, number> {
  const told = new Map<string, number>();
  for (const { agent_id, header } of ledger) {
    if (agent_id !== agentId || header === null) continue;
    for (const { reason, samples } of header.cycles.flatMap(({ dropped }) => dropped)) {
      told.set(reason, (told.get(reason) ?? 0) + samples);
    }
  }
  return told;
}

/** Samples of the agent's own batches that a case had refused; a forged message that names the agent explains nothing. */
function refusedSamples(agentId: string, { quarantine }: Evidence, { refusedBatches }: Expectation): number {
  if (refusedBatches === undefined) return 0;
  return quarantine.filter(({ agent_id }) => agent_id === agentId).reduce((sum, { samples }) => sum + samples, 0);
}

/** Readings that a pollster gave too late: the oracle has them, and the cycle's own report says that the run failed. */
function failedReadings(agentId: string, { ledger }: Pick<Evidence, 'ledger'>, issued: readonly Issued[]): number {
  const failed = ledger
    .filter(({ agent_id }) => agent_id === agentId)
    .flatMap(({ header }) => header?.cycles ?? [])
    .filter(({ pollsters }) => pollsters.some(({ error }) => error !== null && error !== ''));
  if (failed.length === 0) return 0;
  const perPoll = Math.max(0, ...countByIssue(issued).values());
  return failed.reduce(
    (sum, { pollsters }) => sum + perPoll - pollsters.reduce((n, { readings }) => n + readings, 0),
    0,
  );
}

/** Readings that are known to have been on the agent's disk: they were published, or lay in the spool when it was looked at. */
function spooledKeys({ id, leftovers }: AgentEvidence, tapped: Evidence['tapped']): Set<string> {
  const bodies = [...leftovers.values(), ...tapped.values()].map(({ body }) => readMeteringEnvelope(body));
  const own = bodies.filter((one) => one.kind === 'batch' && one.header.agent_id === id);
  return new Set(own.flatMap(({ texts }) => texts.map((text) => textKey(text))));
}

function textKey(text: string): string {
  const { sample } = readMessage(text);
  const issue = sample.metadata.get('issue');
  return issuedKey({ issue: typeof issue === 'string' ? issue : '', resource: sample.resourceId, meter: sample.meter });
}

/** The last polls of each run of the pollster that ended by SIGKILL. */
function underWayIssues({ lives, issued }: AgentEvidence): Set<string> {
  const excused = new Set<string>();
  const runs = new Map<string, string[]>();
  for (const { issue } of issued) {
    const [run = ''] = issue.split('.');
    const polls = runs.get(run) ?? [];
    if (polls.at(-1) !== issue) polls.push(issue);
    runs.set(run, polls);
  }
  const last = new Map(issued.map((line) => [line.issue, line.at]));
  for (const { ended, how } of lives) {
    if (how !== 'killed' || ended === null) continue;
    // The run whose last poll stands nearest before the kill.
    const polls = [...runs.values()]
      .filter((one) => (last.get(one.at(-1) ?? '') ?? 0) <= ended)
      .toSorted((a, b) => (last.get(b.at(-1) ?? '') ?? 0) - (last.get(a.at(-1) ?? '') ?? 0))[0];
    for (const issue of polls?.slice(-POLLS_UNDER_WAY) ?? []) {
      if (ended - (last.get(issue) ?? 0) < 5_000) excused.add(issue);
    }
  }
  return excused;
}

function countByIssue(issued: readonly Issued[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { issue } of issued) counts.set(issue, (counts.get(issue) ?? 0) + 1);
  return counts;
}

function pollsOf(lines: readonly Issued[]): string {
  const polls = [...countByIssue(lines)].map(([issue, count]) => `${issue} (${count})`);
  return polls.slice(0, 5).join(', ') + (polls.length > 5 ? `, ... ${polls.length} in all` : '');
}
