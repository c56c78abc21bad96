import { z } from 'zod';

/**
 * What one tick of one polling source tried: signed with the batch, so that a missing sample can be told from a
 * resource that was not there. Times are microseconds since the epoch, UTC.
 */
export const FailedResource = z.strictObject({
  resource_id: z.string(),
  reason: z.string().max(500),
});

export const PollsterOutcome = z.strictObject({
  name: z.string(),
  /** Resources handed to the pollster. */
  asked: z.int().nonnegative(),
  /** Resources that gave at least one reading, and did not fail. */
  answered: z.int().nonnegative(),
  /** Readings taken, before the pipeline. */
  readings: z.int().nonnegative(),
  failed: z.array(FailedResource),
  /**
   * Where something failed: final names of the meters that this pollster gives, so that the readings of the others stand.
   * Absent: not known, so any meter of the source may be among them.
   */
  meters: z.array(z.string()).optional(),
  /** Set when the whole run failed: `timeout`, `threw: ...`, `flood`, `busy` (the previous run still goes on). */
  error: z.string().max(500).nullable(),
});

/** Samples that were taken but cannot be delivered any more, and why. */
export const DroppedSamples = z.strictObject({
  reason: z.enum(['spool-full', 'spool-corrupt', 'oversized', 'invalid']),
  samples: z.int().nonnegative(),
  /** Slots that the dropped samples were of, first and last; null when not known. */
  from: z.int().nullable(),
  to: z.int().nullable(),
});

export const CycleReport = z.strictObject({
  /** Name of the polling source. */
  source: z.string(),
  /** Scheduled time between two ticks; null where a cron expression drives the source. */
  interval: z.int().positive().nullable(),
  scheduled: z.int(),
  started: z.int(),
  finished: z.int(),
  /** `skipped`: the tick fell due while the one before still ran, and was not run. */
  outcome: z.enum(['ran', 'skipped']),
  /** Final meter names that this source gives, after the pipeline. */
  meters: z.array(z.string()),
  /** False when a discovery failed and the last good set was used: then absence proves nothing. */
  discovery_complete: z.boolean(),
  pollsters: z.array(PollsterOutcome),
  dropped: z.array(DroppedSamples),
});

export type CycleReport = z.infer<typeof CycleReport>;
export type PollsterOutcome = z.infer<typeof PollsterOutcome>;
export type FailedResource = z.infer<typeof FailedResource>;
export type DroppedSamples = z.infer<typeof DroppedSamples>;
