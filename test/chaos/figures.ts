import { keyOf } from './issued.ts';
import type { Evidence, Expectation } from './judge-types.ts';
import { lostOf } from './losses.ts';

/** One case in numbers, of samples but where it says otherwise. */
export interface Figures {
  /** Readings that the pollsters gave, by their own word. */
  readonly issued: number;
  /** Different readings in the store. */
  readonly recorded: number;
  /** Samples in the store of a reading that is there already. */
  readonly twice: number;
  /** Not in the store, and a cycle report says so. */
  readonly told: number;
  /** Of polls that were under way when their agent was killed. */
  readonly neverSpooled: number;
  /** Batches that came again and were known. */
  readonly repeats: number;
  /** Whether a collector was killed, so that what it had counted is gone. */
  readonly repeatsAtLeast: boolean;
  /** Messages in quarantine. */
  readonly refused: number;
  /** message_ids set aside. */
  readonly conflicts: number;
}

export function figuresOf(evidence: Evidence, expected: Expectation): Figures {
  const { agents, samples, quarantine, conflicts, duplicates, collectorKills } = evidence;
  const losses = agents.map((agent) => lostOf(agent, evidence, expected));
  const readings = new Set(samples.map((sample) => `${sample.agent_id} ${keyOf(sample)}`));
  return {
    issued: agents.reduce((sum, { issued }) => sum + issued.length, 0),
    recorded: readings.size,
    twice: samples.length - readings.size,
    told: losses.reduce((sum, { told }) => sum + [...told.values()].reduce((a, b) => a + b, 0), 0),
    neverSpooled: losses.reduce((sum, { underWay }) => sum + underWay, 0),
    repeats: duplicates,
    repeatsAtLeast: collectorKills > 0,
    refused: quarantine.length,
    conflicts: conflicts.length,
  };
}
