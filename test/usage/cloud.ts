import { HOUR, headerDigest, merkleRoot, SECOND, signHeader } from '@nephometer/core';
import type { BatchHeader, BatchRecord, ManualClock, Micros, ReceivedSample, Store } from '@nephometer/core';
import { makeSample } from '../conformance/fixtures.ts';
import type { Reading } from '../conformance/fixtures.ts';

const SECRET = new TextEncoder().encode('a synthetic cloud');

/** One agent of a synthetic cloud: what it would find at each slot, and when it was down or failed. */
export interface AgentPlan {
  readonly id: string;
  readonly meters: readonly string[];
  /** What is there to be read at a slot. */
  readonly readings: (slot: Micros) => readonly Reading[];
  /** Killed: no tick is run, and nothing is reported. Half-open. */
  readonly down?: readonly (readonly [from: Micros, to: Micros])[];
  /** The pollsters fail: ticks are reported, readings are not there. */
  readonly failing?: readonly (readonly [from: Micros, to: Micros])[];
}

export interface CloudPlan {
  readonly from: Micros;
  readonly to: Micros;
  readonly interval: Micros;
  /** A batch holds the ticks of so much time. */
  readonly batchEvery?: Micros;
  readonly agents: readonly AgentPlan[];
}

/** A batch, and when it arrives. */
export interface Arrival {
  readonly at: Micros;
  readonly batch: BatchRecord;
}

const within = (spans: AgentPlan['down'], at: Micros): boolean =>
  (spans ?? []).some(([from, to]) => at >= from && at < to);

/** Everything that the agents of a cloud send, in order of arrival: batches are recorded 2 s after their last tick. */
export function arrivalsOf(plan: CloudPlan): Arrival[] {
  return plan.agents.flatMap((agent) => arrivalsFrom(agent, plan)).sort((a, b) => a.at - b.at);
}

function arrivalsFrom(agent: AgentPlan, { from, to, interval, batchEvery = HOUR }: CloudPlan): Arrival[] {
  const arrivals: Arrival[] = [];
  let epoch = 0;
  let seq = 0;
  let previous: string | null = null;
  for (let start = from; start < to; start += batchEvery) {
    const slots: Micros[] = [];
    let wasDown = false;
    for (let slot = start; slot < Math.min(start + batchEvery, to); slot += interval) {
      if (within(agent.down, slot)) wasDown = true;
      else slots.push(slot);
    }
    if (slots.length > 0) {
      const batch = sealed(agent, slots, interval, { epoch, seq: ++seq, previous });
      arrivals.push({ at: (slots.at(-1) ?? start) + 2 * SECOND, batch });
      previous = batch.digest;
    }
    // A new start is a new epoch.
    if (wasDown) [epoch, seq, previous] = [epoch + 1, 0, null];
  }
  return arrivals;
}

interface Place {
  readonly epoch: number;
  readonly seq: number;
  readonly previous: string | null;
}

function sealed(agent: AgentPlan, slots: readonly Micros[], interval: Micros, place: Place): BatchRecord {
  const samples: ReceivedSample[] = [];
  const runs: BatchHeader['runs'] = [];
  const cycles: BatchHeader['cycles'] = [];
  for (const slot of slots) {
    const isFailing = within(agent.failing, slot);
    const taken = isFailing ? [] : agent.readings(slot).map((reading) => makeSample({ at: slot, slot, ...reading }));
    samples.push(...taken);
    runs.push({ source: 'all', slot, samples: taken.length });
    cycles.push(cycleOf(agent, slot, interval, isFailing, taken.length));
  }
  const header = signHeader(
    {
      version: 1,
      agent_id: agent.id,
      epoch: place.epoch.toString(16).padStart(16, '0'),
      seq: place.seq,
      created: (slots.at(-1) ?? 0) + SECOND,
      samples: samples.length,
      merkle_root: merkleRoot(samples.map(({ text }) => text)),
      previous: place.previous,
      runs,
      cycles,
      key_id: 'shared',
    },
    SECRET,
  );
  const headerText = JSON.stringify(header);
  return { digest: headerDigest(header), header, headerText, keyId: 'shared', transport: 'bus', samples };
}

function cycleOf(
  { meters }: AgentPlan,
  slot: Micros,
  interval: Micros,
  isFailing: boolean,
  readings: number,
): BatchHeader['cycles'][number] {
  const error = isFailing ? 'threw: the hypervisor does not answer' : null;
  return {
    source: 'all',
    interval,
    scheduled: slot,
    started: slot,
    finished: slot + SECOND / 2,
    outcome: 'ran',
    meters: [...meters],
    discovery_complete: true,
    pollsters: [{ name: 'synthetic', asked: readings, answered: readings, readings, failed: [], error }],
    dropped: [],
  };
}

/** Records what arrives up to a moment, each at its time by the store's clock. */
export async function recordArrivals(store: Store, clock: ManualClock, arrivals: readonly Arrival[]): Promise<void> {
  for (const { at, batch } of arrivals) {
    clock.jump(Math.max(0, at - clock.now()));
    await store.record([batch]);
  }
}
