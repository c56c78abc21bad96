import { decimal, SharedSecretKeyring, silentLogger, systemClock, toText } from '@nephometer/core';
import type { Counter, CycleReport, Micros, Spool } from '@nephometer/core';
import { newEpoch, openMemorySpool, Sealer } from 'nephometer-agent';
import type { SealedBatch } from 'nephometer-agent';

export const SECRET = Buffer.from('the secret of a bench');
export const keyring = new SharedSecretKeyring(SECRET);
export const AGENT_ID = 'bench-node';
export const SAMPLES_A_BATCH = 100;

const METADATA: Counter['metadata'] = new Map([
  ['display_name', 'web-1'],
  ['host', 'compute-17.example.net'],
  ['image_ref', '5c2e3b1a-7d7c-4c05-9f1e-3e8a7c9d0b12'],
  ['instance_type', 'm1.small'],
  ['state', 'running'],
  ['vcpus', '2'],
]);

/** A reading of each of so many instances, as a pollster of CPU time gives them. */
function countersAt(timestamp: Micros, instances: number): Counter[] {
  return Array.from({ length: instances }, (_, i) => {
    const exact = decimal(BigInt(timestamp) * 700n + BigInt(i));
    return {
      meter: 'cpu',
      type: 'cumulative',
      unit: 'ns',
      volume: { ...exact, literal: toText(exact) },
      resourceId: `instance-${i}`,
      projectId: `project-${i % 7}`,
      userId: `user-${i % 11}`,
      timestamp,
      metadata: METADATA,
      monotonicTime: null,
    };
  });
}

function reportAt(scheduled: Micros, readings: number): CycleReport {
  return {
    source: 'bench',
    interval: 60_000_000,
    scheduled,
    started: scheduled,
    finished: scheduled + 1000,
    outcome: 'ran',
    meters: ['cpu'],
    discovery_complete: true,
    pollsters: [{ name: 'bench', asked: readings, answered: readings, readings, failed: [], error: null }],
    dropped: [],
  };
}

/** An agent's sealer, with a tick of `SAMPLES_A_BATCH` instances at each call. Each tick becomes one batch. */
export function benchAgent(spool: Spool): { tick(): Promise<SealedBatch> } {
  const appended: SealedBatch[] = [];
  const sealer = new Sealer({
    agentId: AGENT_ID,
    sampleSource: 'openstack',
    keyring,
    spool,
    clock: systemClock,
    log: silentLogger,
    maxSamples: SAMPLES_A_BATCH,
    maxMessage: 2 ** 20,
    onAppended: (batch) => void appended.push(batch),
    onDropped: ({ reason, samples }) => {
      throw new Error(`${samples} samples were dropped: ${reason}.`);
    },
  });
  const epoch = newEpoch();
  // A tick a millisecond, behind the clock by more than all of them will need.
  let slot = systemClock.now() - 3_600_000_000;
  return {
    async tick() {
      slot += 1000;
      const counters = countersAt(slot, SAMPLES_A_BATCH);
      await sealer.seal({ epoch, slot, counters, report: reportAt(slot, counters.length) });
      const batch = appended.pop();
      if (batch === undefined || batch.samples !== SAMPLES_A_BATCH) throw new Error('The tick made no whole batch.');
      return batch;
    },
  };
}

/** Batches as agents send them, made by an agent's own sealer: never the same twice. */
export async function makeBatches(count: number): Promise<SealedBatch[]> {
  const spool = await openMemorySpool({ maxBytes: 2 ** 24, whenFull: 'refuse-new' });
  const agent = benchAgent(spool);
  const batches: SealedBatch[] = [];
  for (let i = 0; i < count; i++) {
    const batch = await agent.tick();
    await spool.release([batch.digest]);
    batches.push(batch);
  }
  return batches;
}

/** How many of something at a scale, at least one. */
export function scaled(usual: number, scale: number): number {
  return Math.max(1, Math.round(usual * scale));
}
