import { DAY, headerDigest, HOUR, merkleRoot, MINUTE, SECOND, sha256, signHeader } from '@nephometer/core';
import type { BatchHeader, BatchRecord, Micros, NewEntry, ReceivedSample } from '@nephometer/core';
import { makeHeaderless, makeSample } from '../conformance/fixtures.ts';
import type { Reading } from '../conformance/fixtures.ts';
import { at } from './month.ts';

const SECRET = new TextEncoder().encode('a world of trouble');
export const WORLD_FROM = at('2026-02-20');
export const WORLD_METERS = ['vcpus', 'bytes.out', 'calls'] as const;

/** Numbers that come the same from the same seed (mulberry32). */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * n);
  }
  chance(p: number): boolean {
    return this.below(1_000_000) < p * 1_000_000;
  }
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('Nothing to pick from.');
    return item;
  }
}

/** Something that comes to the store at a moment. */
export type WorldEvent = { readonly at: Micros } & (
  { readonly batch: BatchRecord } | { readonly entry: (now: Micros) => NewEntry }
);

interface Resource {
  readonly id: string;
  agent: string;
  project: string | null;
  value: number;
  boot: number;
  isThere: boolean;
}

const MAKE: readonly ((resource: Resource) => Pick<Reading, 'meter' | 'type' | 'unit' | 'volume'>)[] = [
  ({ value }) => ({ meter: 'vcpus', type: 'gauge', unit: 'vcpu', volume: `${1 + (value % 8)}.${value % 10}` }),
  ({ value }) => ({ meter: 'bytes.out', type: 'cumulative', unit: 'B', volume: `${value}` }),
  ({ value }) => ({ meter: 'calls', type: 'delta', unit: 'call', volume: `${value % 13}` }),
];

export interface WorldOptions {
  readonly days: number;
  readonly interval: Micros;
  /** Now and then an agent falls silent for so long at most, or its pollster fails for so long; whole resources too. */
  readonly longest?: Micros;
}

/**
 * Weeks of a small cloud in which everything goes wrong that may: agents that fall silent, batches that come late or never,
 * ticks that fail, resources that come, go, move and restart, a clone of an agent, second witnesses, senders without
 * headers, spools that overflow, refused messages, conflicts and their resolutions, voids. In order of arrival.
 */
export function worldOf(seed: number, { days, interval, longest }: WorldOptions): WorldEvent[] {
  const dice = new Dice(seed);
  const most = longest === undefined ? 400 : Math.floor(longest / interval);
  const events: WorldEvent[] = [];
  const to = WORLD_FROM + days * DAY;
  const agents = ['node-a', 'node-b'];
  const resources: Resource[] = ['r1', 'r2', 'r3', 'r4'].map((id, i) => ({
    id,
    agent: dice.pick(agents),
    project: ['p', 'q', null][i % 3] ?? null,
    value: dice.below(100),
    boot: 0,
    isThere: dice.chance(0.8),
  }));
  const sent: ReceivedSample[] = [];
  const seen = dice.chance(0.5) ? 'r1' : 'none';
  for (const agent of agents) {
    const state = {
      epoch: dice.below(1_000_000),
      seq: 0,
      previous: null as string | null,
      silent: 0,
      failing: 0,
      lost: 0,
    };
    let open: { slot: Micros; samples: ReceivedSample[]; cycle: BatchHeader['cycles'][number] }[] = [];
    const first = WORLD_FROM + dice.below(10) * MINUTE;
    for (let slot = first; slot < to; slot += interval) {
      if (dice.chance(0.004)) state.silent = dice.below(dice.chance(0.2) ? most : 20);
      if (dice.chance(0.01)) state.failing = dice.below(longest !== undefined && dice.chance(0.05) ? most : 8);
      if (state.silent > 0 && --state.silent === 0) {
        Object.assign(state, { epoch: state.epoch + 1, seq: 0, previous: null });
      }
      const samples: ReceivedSample[] = [];
      const failed: string[] = [];
      const isSkipped = dice.chance(0.01);
      for (const resource of resources) {
        if (resource.agent !== agent && resource.id !== seen) continue;
        // Nobody sees whose it is while nobody reads it.
        change(resource, dice, agents, state.silent + state.failing > 0 ? 0.05 : 0.003);
        if (!resource.isThere || state.silent > 0 || isSkipped) continue;
        if (state.failing > 0 && dice.chance(0.7)) failed.push(resource.id);
        else samples.push(...readingsOf(resource, slot, agent, dice));
      }
      state.failing = Math.max(0, state.failing - 1);
      if (state.silent > 0) {
        open = [];
        continue;
      }
      open.push({ slot, samples, cycle: cycleOf(slot, interval, failed, isSkipped, dice) });
      if (open.length < 4 && slot + interval < to && !dice.chance(0.1)) continue;
      const batch = sealed(agent, open, state);
      open = [];
      state.previous = batch.digest;
      const end = slot + 2 * SECOND;
      if (dice.chance(0.02)) state.lost = dice.below(6);
      if (state.lost > 0) {
        state.lost -= 1;
        if (dice.chance(0.5)) events.push(refusal(agent, batch, end));
        if (dice.chance(0.4)) continue;
        events.push({ at: end + HOUR + dice.below(dice.chance(0.3) ? 9 * 24 : 30) * HOUR, batch });
      } else events.push({ at: end + (dice.chance(0.05) ? dice.below(120) * MINUTE : 0), batch });
      sent.push(...batch.samples);
      if (dice.chance(0.01)) events.push(...conflict(dice.pick(sent), end, dice));
    }
  }
  for (let slot = WORLD_FROM; slot < to; slot += 3 * interval) {
    if (dice.chance(0.3)) continue;
    const reading = { resource: dice.pick(['r1', 'f1']), project: 'q', at: slot + dice.below(60) * SECOND };
    const made = dice.pick(MAKE)({ value: dice.below(50), ...NOBODY });
    const isLate = dice.chance(0.03);
    events.push({
      at: reading.at + SECOND + (isLate ? dice.below(12 * 24) * HOUR : 0),
      batch: makeHeaderless({ ...made, ...reading }),
    });
  }
  for (let i = 0; i < days / 3; i++) events.push(anyVoid(dice, to));
  return events.sort((a, b) => a.at - b.at);
}

const NOBODY = { id: '', agent: '', project: null, boot: 0, isThere: true };

function change(resource: Resource, dice: Dice, agents: readonly string[], moves: number): void {
  if (dice.chance(resource.isThere ? 0.004 : 0.02)) resource.isThere = !resource.isThere;
  if (dice.chance(moves)) resource.project = dice.pick([null, 'p', 'q', 's']);
  if (dice.chance(0.002)) resource.agent = dice.pick(agents);
  if (dice.chance(0.004)) [resource.value, resource.boot] = [0, resource.boot + 1];
  resource.value += dice.below(50);
}

function readingsOf(resource: Resource, slot: Micros, agent: string, dice: Dice): ReceivedSample[] {
  const metadata = {
    flavor_name: `f${resource.boot % 2}`,
    ...(dice.chance(0.3) ? { boot_id: `b${resource.boot}` } : {}),
    ...(dice.chance(0.002) ? { status: 'deleted' } : {}),
  };
  const late = dice.below(3) * SECOND;
  return MAKE.filter(() => !dice.chance(0.01)).map((make) =>
    makeSample({
      ...make(resource),
      resource: resource.id,
      project: resource.project,
      at: slot + late,
      slot,
      metadata,
      id: sha256(`${agent} ${resource.id} ${slot} ${make(resource).meter}`).slice(0, 32),
    }),
  );
}

function cycleOf(
  slot: Micros,
  interval: Micros,
  failed: readonly string[],
  isSkipped: boolean,
  dice: Dice,
): BatchHeader['cycles'][number] {
  const dropped = dice.chance(0.004)
    ? [{ samples: 5, from: slot - dice.below(200) * HOUR, to: slot, reason: 'spool-full' as const }]
    : [];
  return {
    source: 'all',
    interval,
    scheduled: slot,
    started: slot,
    finished: slot + dice.below(20) * SECOND,
    outcome: isSkipped ? 'skipped' : 'ran',
    meters: dice.chance(0.99) ? [...WORLD_METERS] : ['vcpus'],
    discovery_complete: !dice.chance(0.01),
    pollsters: [
      {
        name: 'synthetic',
        asked: failed.length,
        answered: 0,
        readings: 0,
        failed: failed.map((resource_id) => ({ resource_id, reason: 'no answer' })),
        error: dice.chance(0.01) ? 'threw' : null,
      },
    ],
    dropped,
  };
}

function sealed(
  agent: string,
  ticks: readonly { slot: Micros; samples: ReceivedSample[]; cycle: BatchHeader['cycles'][number] }[],
  state: { epoch: number; seq: number; previous: string | null },
): BatchRecord {
  const samples = ticks.flatMap((tick) => tick.samples);
  const header = signHeader(
    {
      version: 1,
      agent_id: agent,
      epoch: state.epoch.toString(16).padStart(16, '0'),
      seq: ++state.seq,
      created: (ticks.at(-1)?.slot ?? 0) + SECOND,
      samples: samples.length,
      merkle_root: merkleRoot(samples.map(({ text }) => text)),
      previous: state.previous,
      runs: ticks.map((tick) => ({ source: 'all', slot: tick.slot, samples: tick.samples.length })),
      cycles: ticks.map(({ cycle }) => cycle),
      key_id: 'shared',
    },
    SECRET,
  );
  const headerText = JSON.stringify(header);
  return { digest: headerDigest(header), header, headerText, keyId: 'shared', transport: 'bus', samples };
}

function refusal(agent: string, { samples }: BatchRecord, received: Micros): WorldEvent {
  const times = samples.map(({ timestamp }) => timestamp);
  const body = {
    reason: 'signature',
    detail: 'a test',
    transport: 'bus',
    sender: 'test',
    agent_id: agent,
    message_id: null,
    from: times.length === 0 ? null : Math.min(...times),
    to: times.length === 0 ? null : Math.max(...times),
    samples: samples.length,
    received,
    size: 1,
    bytes: '',
    state: 'refused',
  };
  const id = sha256(`${agent} ${received}`);
  return { at: received, entry: () => ({ kind: 'quarantine', id, body: JSON.stringify(body) }) };
}

/** Another content for a message id, mostly resolved some days later. */
function conflict(sample: ReceivedSample, end: Micros, dice: Dice): WorldEvent[] {
  const other = makeHeaderless({
    id: sample.messageId,
    meter: sample.meter,
    type: sample.type,
    unit: sample.unit,
    volume: '77',
    resource: dice.pick([sample.resourceId, 'r2']),
    project: 'p',
    at: sample.timestamp + dice.below(2) * HOUR,
  });
  const at = end + HOUR + dice.below(9 * 24) * HOUR;
  const events: WorldEvent[] = [{ at, batch: other }];
  if (dice.chance(0.6)) {
    const resolved = at + dice.below(72) * HOUR;
    const keep = dice.pick([other.digest, null]);
    const body = (now: Micros): string => JSON.stringify({ keep, by: 'test', why: 'a test', at: now });
    events.push({ at: resolved, entry: (now) => ({ kind: 'resolution', id: sample.messageId, body: body(now) }) });
  }
  return events;
}

function anyVoid(dice: Dice, to: Micros): WorldEvent {
  const at = WORLD_FROM + dice.below((to - WORLD_FROM) / HOUR) * HOUR;
  const from = at - dice.below(12 * 24) * HOUR;
  const selector = {
    resource_id: dice.pick(['r1', 'r2', 'r3', 'f1']),
    ...(dice.chance(0.5) ? { meter: dice.pick(WORLD_METERS) } : {}),
    ...(dice.chance(0.9) ? { from, to: from + 1 + dice.below(30) * HOUR } : {}),
  };
  const body = (now: Micros): string => JSON.stringify({ selector, who: 'test', by: 'test', why: 'a test', at: now });
  return { at, entry: (now) => ({ kind: 'void', id: `void ${now}`, body: body(now) }) };
}
