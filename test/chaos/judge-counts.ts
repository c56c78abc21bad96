import { lostOf } from './losses.ts';
import type { Evidence, Expectation, Finding } from './judge-types.ts';

/** F: losses as the reports tell them, refusals as the quarantine has them, duplicates as the collectors count them. */
export function judgeCounts(evidence: Evidence, expected: Expectation): Finding {
  const losses = evidence.agents.map((agent) => ({ agent, ...lostOf(agent, evidence, expected) }));
  const problems: string[] = [];
  for (const { agent, samples, told } of losses) {
    const sum = [...told.values()].reduce((a, b) => a + b, 0);
    if (samples > 0 && expected.mayLose !== true && told.size === 0) continue; // A says so already
    if (sum > 0 && expected.mayLose !== true) problems.push(`agent ${agent.id} tells of ${sum} lost samples`);
    // What was recorded and lost before its receipt came is told as lost: the agent cannot know better.
    if (sum > samples + recordedBefore(agent.id, evidence, expected)) {
      problems.push(`agent ${agent.id} tells of ${sum} lost samples, ${samples} are missing`);
    }
    const { droppedCounter: counted } = agent;
    if (counted !== null && counted !== sum) problems.push(`agent ${agent.id} counted ${counted} dropped, told ${sum}`);
  }
  problems.push(...refusalProblems(evidence, expected), ...duplicateProblems(evidence, expected));
  const conflicts = expected.conflicts ?? 0;
  if (evidence.conflicts.length !== conflicts)
    problems.push(`${evidence.conflicts.length} conflicts, made were ${conflicts}`);
  const lost = losses.reduce((sum, { samples }) => sum + samples, 0);
  const underWay = losses.reduce((sum, one) => sum + one.underWay, 0);
  const seen =
    `${lost} lost and told, ${underWay} never spooled, ${evidence.duplicates} duplicate batches, ` +
    `${evidence.quarantine.length} refused, ${evidence.conflicts.length} conflicts`;
  return { letter: 'F', problems, seen };
}

/** Samples of destroyed batches that are in the ledger all the same. */
function recordedBefore(agentId: string, { ledger }: Evidence, { mayMiss }: Expectation): number {
  return ledger
    .filter(({ agent_id, digest }) => agent_id === agentId && mayMiss?.has(digest) === true)
    .reduce((sum, { samples }) => sum + samples, 0);
}

function refusalProblems({ quarantine }: Evidence, { refused = {}, refusedAtLeast = {} }: Expectation): string[] {
  const found = new Map<string, number>();
  for (const { reason } of quarantine) found.set(reason, (found.get(reason) ?? 0) + 1);
  const reasons = new Set([...found.keys(), ...Object.keys(refused), ...Object.keys(refusedAtLeast)]);
  return [...reasons].flatMap((reason) => {
    const count = found.get(reason) ?? 0;
    const least = refusedAtLeast[reason];
    if (least !== undefined)
      return count >= least ? [] : [`${count} refused for ${reason}, made were at least ${least}`];
    const made = refused[reason] ?? 0;
    return count === made ? [] : [`${count} refused for ${reason}, made were ${made}`];
  });
}

function duplicateProblems({ duplicates, collectorKills }: Evidence, expected: Expectation): string[] {
  const made = expected.duplicates;
  if (made === undefined) return [];
  const atLeast = expected.duplicatesAtLeast === true;
  if (collectorKills > 0) return []; // what a killed process counted is gone with it
  if (atLeast ? duplicates >= made : duplicates === made) return [];
  return [`${duplicates} duplicate batches counted, sent were ${atLeast ? 'at least ' : ''}${made}`];
}
