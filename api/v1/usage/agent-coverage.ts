import type { AgentCycle, GapReason, LostSpan, Micros, UsageGap } from '@nephometer/core';
import { decimal, divide, toText } from '@nephometer/core';

interface WatchPeriod {
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
  /** Time from then to the first tick is a gap. Null: an agent that nobody expected, which was not there before its first tick. */
  readonly expectedFrom: Micros | null;
}

/** What one polling source of an agent was at work in a period. */
export interface AgentWatched {
  readonly measured: Micros;
  readonly total: Micros;
  readonly gaps: readonly UsageGap[];
}

/** A tick answers for the time up to the next one, where that comes within an interval and a half; else for an interval. */
const LATE = 1.5;

/**
 * | stretch                                   | is                                                    |
 * |-------------------------------------------|-------------------------------------------------------|
 * | of a tick that ran and succeeded           | measured                                              |
 * | of a tick that was not run                 | `overrun`                                             |
 * | of a tick with a failed pollster or discovery | `pollster-failed`                                  |
 * | between ticks                             | `not-yet-arrived`, `spool-overflow`, `quarantined` where such a loss is known, else `agent-silent` |
 * | after the moment asked as of               | `not-yet-arrived`                                     |
 */
export function watchOf(
  ticks: readonly AgentCycle[],
  lost: readonly LostSpan[],
  { from, to, asOf, expectedFrom }: WatchPeriod,
): AgentWatched {
  const inOrder = ticks.toSorted((a, b) => a.report.scheduled - b.report.scheduled);
  const now = Math.min(to, Math.max(from, asOf));
  const first = inOrder[0]?.report.scheduled ?? to;
  const start = Math.max(from, Math.min(first, to, expectedFrom ?? Infinity));
  const gaps: UsageGap[] = [];
  const gap = (since: Micros, until: Micros, reason: GapReason): void => {
    const [a, b] = [Math.max(since, start), Math.min(until, to)];
    if (a < b) join(gaps, { from: a, to: b, reason });
  };
  let known = start;
  for (const [i, { report }] of inOrder.entries()) {
    const { scheduled, interval, outcome } = report;
    silence(known, scheduled, lost, gap);
    const next = inOrder[i + 1]?.report.scheduled ?? Infinity;
    const end = interval === null || next - scheduled <= LATE * interval ? next : scheduled + interval;
    const until = Math.min(end, now);
    if (outcome === 'skipped') gap(scheduled, until, 'overrun');
    else if (hasFailed(report)) gap(scheduled, until, 'pollster-failed');
    known = Math.max(known, until);
  }
  silence(known, now, lost, gap);
  gap(now, to, 'not-yet-arrived');
  const total = to - start;
  return { measured: total - gaps.reduce((sum, one) => sum + one.to - one.from, 0), total, gaps };
}

function hasFailed({ discovery_complete: isComplete, pollsters }: AgentCycle['report']): boolean {
  return !isComplete || pollsters.some(({ error }) => error !== null);
}

/** What is known to be lost says why; the rest is silence. */
function silence(
  from: Micros,
  to: Micros,
  lost: readonly LostSpan[],
  gap: (from: Micros, to: Micros, reason: GapReason) => void,
): void {
  if (from >= to) return;
  const spans = lost.filter((span) => span.from < to && span.to > from).sort((a, b) => a.from - b.from || a.to - b.to);
  let at = from;
  for (const span of spans) {
    gap(at, Math.min(span.from, to), 'agent-silent');
    gap(Math.max(at, span.from), Math.min(span.to, to), span.reason);
    at = Math.max(at, Math.min(span.to, to));
  }
  gap(at, to, 'agent-silent');
}

function join(gaps: UsageGap[], gap: UsageGap): void {
  const last = gaps.at(-1);
  if (last?.to === gap.from && last.reason === gap.reason) gaps[gaps.length - 1] = { ...last, to: gap.to };
  else gaps.push(gap);
}

/** 0 to 1, over all of them. */
export function shareOf(watches: readonly AgentWatched[]): string | null {
  const total = watches.reduce((sum, one) => sum + one.total, 0);
  if (total === 0) return null;
  const measured = watches.reduce((sum, one) => sum + one.measured, 0);
  // Cut, not rounded: only a full one is 1.
  const share = Math.floor((measured / total) * 1_000_000);
  return toText(divide(decimal(measured === total ? 1_000_000 : Math.min(share, 999_999)), decimal(1_000_000), 6));
}
