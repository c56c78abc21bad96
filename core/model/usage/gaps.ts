import type { Micros } from '../../time.ts';
import type { Reading } from './hold.ts';
import { failedFor, firstAfter, REACH } from './watch.ts';
import type { Cycle, Watch } from './watch.ts';
import type { GapReason, LostSpan, UsageGap } from './types.ts';

/** A gap with the newest recorded_at of what explains it. */
export interface ExplainedGap extends UsageGap {
  readonly revision: Micros;
}

/**
 * Why nothing is known of a stretch between two readings. Where several reasons meet, the first of this list counts:
 * conflict, voided, quarantined, spool-overflow, not-yet-arrived, overrun, pollster-failed, agent-silent.
 */
export function explainGap(from: Micros, to: Micros, near: Reading, watch: Watch): ExplainedGap[] {
  if (from >= to) return [];
  const causes = [...lostCauses(from, to, near, watch), ...cycleCauses(from, to, near, watch)];
  if (causes.length === 0) return [{ from, to, reason: silence(near), revision: 0 }];
  const edges = new Set([from, to]);
  for (const cause of causes) for (const edge of [cause.from, cause.to]) if (edge > from && edge < to) edges.add(edge);
  const cuts = [...edges].sort((a, b) => a - b);
  const gaps: ExplainedGap[] = [];
  let next = 0;
  let open: Cause[] = [];
  causes.sort((a, b) => a.from - b.from);
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [start, end] = [cuts[i] ?? from, cuts[i + 1] ?? to];
    for (let cause = causes[next]; cause !== undefined && cause.from <= start; cause = causes[++next]) open.push(cause);
    open = open.filter((cause) => cause.to > start);
    const best = open.reduce<Cause | null>((a, b) => (a !== null && a.rank <= b.rank ? a : b), null);
    const gap = { reason: best?.reason ?? silence(near), revision: best?.revision ?? 0 };
    append(gaps, { from: start, to: end, ...gap });
  }
  return gaps;
}

interface Cause extends ExplainedGap {
  readonly rank: number;
}

const RANKS: readonly GapReason[] = [
  'conflict',
  'voided',
  'quarantined',
  'spool-overflow',
  'not-yet-arrived',
  'overrun',
  'pollster-failed',
  'agent-silent',
];

function silence(near: Reading): GapReason {
  return near.tick === null && near.cadence === null ? 'no-cadence' : 'agent-silent';
}

function append(gaps: ExplainedGap[], gap: ExplainedGap): void {
  const last = gaps.at(-1);
  const goesOn = last?.to === gap.from && last.reason === gap.reason && last.revision === gap.revision;
  if (goesOn) gaps[gaps.length - 1] = { ...last, to: gap.to };
  else gaps.push(gap);
}

/** A lost reading would have held for an interval; one of this very series up to the next reading. */
function lostCauses(from: Micros, to: Micros, near: Reading, watch: Watch): Cause[] {
  const causes: Cause[] = [];
  const { timestamp } = near.sample;
  const since = timestamp <= from ? timestamp : to - REACH;
  for (const span of watch.lost) {
    // One of this very series would have held up to the reading before the gap, and no further.
    if (span.resourceId !== null && span.to < since) continue;
    const end = holdsTo(span, near, to);
    if (span.from < to && end > from) causes.push(cause(span.from, end, span.reason, span.recordedAt));
  }
  return causes;
}

function holdsTo(span: LostSpan, near: Reading, to: Micros): Micros {
  if (span.resourceId !== null) return Math.max(to, span.to);
  return span.to + (near.tick?.interval ?? near.hold / 2);
}

/** A tick answers for the time up to the next one, at most for an interval and a half. */
function cycleCauses(from: Micros, to: Micros, near: Reading, watch: Watch): Cause[] {
  const causes: Cause[] = [];
  const { cycles } = watch;
  for (let i = Math.max(0, firstAfter(cycles, from) - 1); i < cycles.length; i++) {
    const cycle = cycles[i];
    if (cycle === undefined || cycle.scheduled >= to) break;
    const next = cycles[i + 1]?.scheduled ?? Infinity;
    const end = Math.min(next, cycle.scheduled + 1.5 * (cycle.interval ?? near.hold));
    if (end > from) causes.push(cause(cycle.scheduled, end, failure(cycle, near), cycle.recordedAt));
  }
  return causes;
}

function failure(cycle: Cycle, near: Reading): GapReason {
  if (!cycle.ran) return 'overrun';
  return cycle.hasFailed || failedFor(cycle, near.sample.resourceId) ? 'pollster-failed' : 'agent-silent';
}

function cause(from: Micros, to: Micros, reason: GapReason, revision: Micros): Cause {
  return { from, to, reason, revision, rank: RANKS.indexOf(reason) };
}
