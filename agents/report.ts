import type { CycleReport, DroppedSamples, PollsterOutcome } from '@nephometer/core';
import { jsonBytes } from './draft.ts';

/** Losses of one reason become one entry: the sum, from the first slot to the last. */
export function mergeDropped(all: readonly DroppedSamples[]): DroppedSamples[] {
  const merged = new Map<string, DroppedSamples>();
  for (const one of all) {
    const known = merged.get(one.reason);
    merged.set(one.reason, known === undefined ? { ...one } : joined(known, one));
  }
  return [...merged.values()];
}

function joined(a: DroppedSamples, b: DroppedSamples): DroppedSamples {
  const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);
  const from = known([a.from, b.from]);
  const to = known([a.to, b.to]);
  return {
    reason: a.reason,
    samples: a.samples + b.samples,
    from: from.length === 0 ? null : Math.min(...from),
    to: to.length === 0 ? null : Math.max(...to),
  };
}

/**
 * A report that fits into a message. When ten thousand resources fail, the first are named; that there were more shows
 * in asked and answered, and the pollster's error says so.
 */
export function fitReport(report: CycleReport, maxBytes: number): CycleReport {
  let fitted = report;
  for (let most = 1024; jsonBytes(fitted) > maxBytes && most > 0; most = Math.floor(most / 4)) {
    fitted = { ...report, pollsters: report.pollsters.map((outcome) => cutFailed(outcome, most)) };
  }
  // Names are cut last: without its name in the report, a meter's absence proves nothing.
  for (let most = report.meters.length; jsonBytes(fitted) > maxBytes && most > 0;) {
    most = Math.floor(most / 2);
    const pollsters = fitted.pollsters.map(withoutMeters);
    fitted = { ...fitted, meters: report.meters.slice(0, most), pollsters, discovery_complete: false };
  }
  return fitted;
}

function cutFailed(outcome: PollsterOutcome, most: number): PollsterOutcome {
  const more = outcome.failed.length - most;
  if (more <= 0) return outcome;
  const note = `${more} more resources failed`;
  const error = outcome.error === null ? note : `${outcome.error.slice(0, 440)}; ${note}`;
  return { ...outcome, failed: outcome.failed.slice(0, most), error };
}

function withoutMeters({ name, asked, answered, readings, failed, error }: PollsterOutcome): PollsterOutcome {
  return { name, asked, answered, readings, failed, error };
}
