import { parseDecimal } from '../../decimal.ts';
import { fromPlain } from '../../json.ts';
import type { JsonObject } from '../../json.ts';
import { MINUTE, parseTimestamp, SECOND } from '../../time.ts';
import type { Micros } from '../../time.ts';
import type { SampleType } from '../sample.ts';
import type { AgentCycle, UsageSample } from './types.ts';

/** What tests say of a sample; the rest is usual. */
export interface SampleSketch {
  readonly at: Micros;
  readonly volume: string;
  readonly id?: string;
  readonly agent?: string | null;
  readonly slot?: Micros | null;
  readonly meter?: string;
  readonly type?: SampleType;
  readonly unit?: string | null;
  readonly resource?: string;
  readonly project?: string | null;
  readonly user?: string | null;
  readonly source?: string;
  readonly recorded?: Micros;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** For tests: a sample of agent `a`, polled at the moment of its timestamp, recorded a second later. */
export function sketchSample(sketch: SampleSketch): UsageSample {
  const { at, volume, agent = 'a', meter = 'm', resource = 'r', type = 'gauge', recorded = at + SECOND } = sketch;
  return {
    messageId: sketch.id ?? `${agent ?? '-'} ${meter} ${resource} ${at}`,
    source: sketch.source ?? 'openstack',
    meter,
    type,
    unit: sketch.unit === undefined ? 'GiB' : sketch.unit,
    volume: parseDecimal(volume),
    resourceId: resource,
    projectId: sketch.project === undefined ? 'p' : sketch.project,
    userId: sketch.user ?? null,
    timestamp: at,
    metadata: fromPlain(sketch.metadata ?? {}) as JsonObject,
    slot: sketch.slot === undefined ? (agent === null ? null : at) : sketch.slot,
    agentId: agent,
    recordedAt: recorded,
  };
}

/** What tests say of a tick. */
export interface CycleSketch {
  readonly at: Micros;
  readonly agent?: string;
  readonly interval?: Micros | null;
  readonly meters?: readonly string[];
  readonly skipped?: boolean;
  readonly complete?: boolean;
  readonly failed?: readonly string[];
  /** Meters of the pollster that failed. */
  readonly failedMeters?: readonly string[];
  readonly error?: string | null;
  readonly dropped?: AgentCycle['report']['dropped'];
  readonly recorded?: Micros;
}

/** For tests: a tick that succeeded, of meter `m`, every minute. */
export function sketchCycle(sketch: CycleSketch): AgentCycle {
  const { at, agent = 'a', interval = MINUTE, failed = [], error = null } = sketch;
  return {
    agentId: agent,
    recordedAt: sketch.recorded ?? at + SECOND,
    report: {
      source: 'all',
      interval,
      scheduled: at,
      started: at,
      finished: at,
      outcome: sketch.skipped === true ? 'skipped' : 'ran',
      meters: [...(sketch.meters ?? ['m'])],
      discovery_complete: sketch.complete ?? true,
      pollsters: [
        {
          name: 'test',
          asked: 1,
          answered: failed.length > 0 ? 0 : 1,
          readings: 1,
          failed: failed.map((resource_id) => ({ resource_id, reason: 'no answer' })),
          error,
          ...(sketch.failedMeters === undefined ? {} : { meters: [...sketch.failedMeters] }),
        },
      ],
      dropped: [...(sketch.dropped ?? [])],
    },
  };
}

/** Samples every `every` from `from` up to `to`, and the ticks that took them; `volume` by index, null for no reading. */
export function sketchSeries(
  period: { readonly from: Micros; readonly to: Micros; readonly every: Micros },
  volume: (i: number, at: Micros) => string | null,
  sample: Omit<SampleSketch, 'at' | 'volume'> = {},
  cycle: Omit<CycleSketch, 'at'> = {},
): { samples: UsageSample[]; cycles: AgentCycle[] } {
  const samples: UsageSample[] = [];
  const cycles: AgentCycle[] = [];
  for (let at = period.from, i = 0; at < period.to; at += period.every, i++) {
    const value = volume(i, at);
    if (value !== null) samples.push(sketchSample({ ...sample, at, volume: value }));
    const agent = sample.agent ?? 'a';
    cycles.push(sketchCycle({ interval: period.every, meters: [sample.meter ?? 'm'], agent, ...cycle, at }));
  }
  return { samples, cycles };
}

/** Numbers that come the same from the same seed (mulberry32). */
export function seeded(seed: number): { below(n: number): number; chance(p: number): boolean } {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { below: (n) => Math.floor(next() * n), chance: (p) => next() < p };
}

export function utc(text: string): Micros {
  return parseTimestamp(text.length === 10 ? `${text}T00:00:00Z` : text);
}
