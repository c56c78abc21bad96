import { DAY, HOUR } from '../../time.ts';
import type { Micros } from '../../time.ts';
import type { Series } from '../sample.ts';
import type { AgentCycle, LostSpan } from './types.ts';

/** How long a reading goes on without news, where no interval is known. */
export const DEFAULT_HOLD: Micros = HOUR;
/**
 * How far readings know each other, whoever sent them. Behind it a silence goes on only where an agent can end it: see
 * LONGEST_SILENCE.
 */
export const REACH: Micros = 7 * DAY;
/**
 * What an agent read, and has not seen absent since, is unknown for so long, be the agent silent or its ticks failing; where
 * it reads it again within this, the readings are joined. Behind it nothing is said, neither usage nor gap.
 */
export const LONGEST_SILENCE: Micros = 400 * DAY;
/** How far before and after a period samples, cycles and losses bear on it; of silences longer than REACH more is needed (silence.ts). */
export const LOOKBACK: Micros = REACH + DAY;
export const LOOKAHEAD: Micros = REACH;

/** One tick that should have read a meter. */
export interface Cycle {
  readonly source: string;
  readonly scheduled: Micros;
  readonly finished: Micros;
  readonly interval: Micros | null;
  readonly ran: boolean;
  /** Discovery and every pollster of the meter succeeded, and nothing of this tick was lost: what it does not show was not there. */
  readonly provesAbsence: boolean;
  /** The same, whatever was refused: a refused message is not known to be the agent's word, so it cannot keep a silence open. */
  readonly isComplete: boolean;
  readonly hasFailed: boolean;
  readonly failed: readonly string[];
  readonly recordedAt: Micros;
}

/** What one agent tried for one meter, and what of it was lost. */
export interface Watch {
  /** Ascending by scheduled time. */
  readonly cycles: readonly Cycle[];
  readonly lost: readonly LostSpan[];
}

/** Watches by agent and meter; made once for all series of a meter. */
export class Watches {
  readonly #cycles = new Map<string, AgentCycle[]>();
  readonly #lost: LostSpan[];
  readonly #made = new Map<string, Watch>();

  constructor(cycles: Iterable<AgentCycle>, lost: Iterable<LostSpan>) {
    this.#lost = [...lost];
    for (const cycle of cycles) {
      const known = this.#cycles.get(cycle.agentId);
      if (known === undefined) this.#cycles.set(cycle.agentId, [cycle]);
      else known.push(cycle);
      this.#lost.push(...droppedSpans(cycle));
    }
  }

  /** Of spans that name a source or a resource, only those of the series. */
  of(agentId: string | null, series: Series): Watch {
    const shared = this.#shared(agentId, series.meter);
    const isOurs = (span: LostSpan): boolean =>
      (span.source ?? series.source) === series.source && (span.resourceId ?? series.resourceId) === series.resourceId;
    return { cycles: shared.cycles, lost: shared.lost.filter(isOurs) };
  }

  #shared(agentId: string | null, meter: string): Watch {
    const key = JSON.stringify([agentId, meter]);
    let watch = this.#made.get(key);
    if (watch === undefined) {
      const bears = (span: LostSpan): boolean =>
        (span.agentId === null ? span.resourceId !== null || agentId === null : span.agentId === agentId) &&
        (span.meter ?? meter) === meter;
      const lost = this.#lost.filter(bears).sort((a, b) => a.from - b.from || a.to - b.to);
      const covering = (agentId === null ? [] : (this.#cycles.get(agentId) ?? [])).filter(({ report }) =>
        report.meters.includes(meter),
      );
      const ofAll = lost.filter((span) => span.resourceId === null);
      watch = { cycles: readCycles(meter, covering, ofAll), lost };
      this.#made.set(key, watch);
    }
    return watch;
  }
}

/** What a report says the spool had to drop. */
export function droppedSpans({ agentId, recordedAt, report }: AgentCycle): LostSpan[] {
  return report.dropped
    .filter(({ samples }) => samples > 0)
    .map(({ from, to }) => ({
      reason: 'spool-overflow',
      // What is not known to be older was lost in the interval before the report.
      from: from ?? report.scheduled - (report.interval ?? DEFAULT_HOLD),
      to: to ?? report.scheduled,
      agentId,
      source: null,
      meter: null,
      resourceId: null,
      recordedAt,
    }));
}

function readCycles(meter: string, covering: readonly AgentCycle[], lost: readonly LostSpan[]): Cycle[] {
  const bySlot = new Map<string, AgentCycle>();
  for (const cycle of covering) {
    const key = `${cycle.report.scheduled} ${cycle.report.source}`;
    const known = bySlot.get(key);
    if (known === undefined || isBetter(cycle, known)) bySlot.set(key, cycle);
  }
  return [...bySlot.values()]
    .map((cycle) => readCycle(meter, cycle, lost))
    .sort((a, b) => a.scheduled - b.scheduled || (a.source < b.source ? -1 : 1));
}

/** Of two reports of one tick (an agent that started twice within it) the one that ran; then the one recorded first. */
function isBetter(a: AgentCycle, b: AgentCycle): boolean {
  if (a.report.outcome !== b.report.outcome) return a.report.outcome === 'ran';
  return a.recordedAt - b.recordedAt < 0 || (a.recordedAt === b.recordedAt && a.report.started < b.report.started);
}

function readCycle(meter: string, { report, recordedAt }: AgentCycle, lost: readonly LostSpan[]): Cycle {
  const pollsters = report.pollsters.filter(({ meters }) => meters === undefined || meters.includes(meter));
  const hasFailed = pollsters.some(({ error }) => error !== null) || !report.discovery_complete;
  const ran = report.outcome === 'ran';
  const over = lost.filter(({ from, to }) => from <= report.finished && to >= report.scheduled);
  const isWhole = ran && !hasFailed;
  return {
    source: report.source,
    scheduled: report.scheduled,
    finished: Math.max(report.finished, report.scheduled),
    interval: report.interval,
    ran,
    provesAbsence: isWhole && over.length === 0,
    isComplete: isWhole && over.every(({ reason }) => reason === 'quarantined'),
    hasFailed,
    failed: pollsters.flatMap(({ failed }) => failed.map(({ resource_id }) => resource_id)),
    recordedAt,
  };
}

/** Whether the tick shows that the resource was not there, given that it gave no reading of it. */
export function showsAbsence(cycle: Cycle, resourceId: string, lost: readonly LostSpan[]): boolean {
  const isAside = ({ from, to, resourceId: id }: LostSpan): boolean =>
    id !== null && from <= cycle.finished && to >= cycle.scheduled;
  return cycle.provesAbsence && !failedFor(cycle, resourceId) && !lost.some(isAside);
}

/** As `showsAbsence`, of a silence longer than REACH: what was refused does not count. */
export function endsSilence(cycle: Cycle, resourceId: string, lost: readonly LostSpan[]): boolean {
  const isAside = ({ from, to, reason, resourceId: id }: LostSpan): boolean =>
    id !== null && reason !== 'quarantined' && from <= cycle.finished && to >= cycle.scheduled;
  return cycle.isComplete && !failedFor(cycle, resourceId) && !lost.some(isAside);
}

/** A device's id starts with the id of the resource that it was read from: `<instance>-vda`. */
export function failedFor(cycle: Cycle, resourceId: string): boolean {
  return cycle.failed.some(
    (id) => id === resourceId || (resourceId.startsWith(id) && /^[^0-9A-Za-z]/.test(resourceId.slice(id.length))),
  );
}

/** Index of the first cycle scheduled after the instant. */
export function firstAfter(cycles: readonly Cycle[], at: Micros): number {
  let [low, high] = [0, cycles.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cycles[middle]?.scheduled ?? Infinity) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The tick that a reading came from: the one of its slot, else the last that was due within a day before it. */
export function cycleBefore(next: number, due: Micros, cycles: readonly Cycle[]): Cycle | null {
  const last = cycles[next - 1];
  return last !== undefined && due - last.scheduled <= DAY ? last : null;
}
