import { sameContent, StoreRefused } from '@nephometer/core';
import type { BatchRecord, Micros, ReceivedSample, RecordOutcome, Sample } from '@nephometer/core';
import { keyOf } from './keys.ts';

/** A version of a message_id that the table has. */
export interface StoredVersion {
  readonly rowId: bigint;
  readonly sample: Sample;
  readonly conflictSince: number | null;
}

/** A sample to append. */
export interface PlannedSample {
  readonly sample: ReceivedSample;
  readonly batchId: number;
  readonly batchIndex: number;
  readonly key: bigint;
  readonly isLate: boolean;
  conflictSince: number | null;
}

/** A ledger row to append, when its samples are. */
export interface PlannedBatch {
  readonly id: number;
  readonly batch: BatchRecord;
  readonly outcome: RecordOutcome;
}

/** What is known before: batches by digest, versions by message_id, horizons by meter. */
export interface Known {
  readonly digests: ReadonlyMap<string, Micros>;
  readonly versions: ReadonlyMap<string, readonly StoredVersion[]>;
  readonly horizons: ReadonlyMap<string, Micros>;
}

/** What one transaction writes. */
export interface Plan {
  readonly outcomes: RecordOutcome[];
  readonly batches: PlannedBatch[];
  readonly samples: PlannedSample[];
  /** Rows of the table that come into conflict: batch id by row. */
  readonly conflicts: Map<bigint, number>;
}

interface Stamps {
  nextId(): number;
  nextRecordedAt(): Micros;
}

/** Decides which batches are new, which samples are copies and which are in conflict. */
export function planRecording(batches: readonly BatchRecord[], known: Known, stamps: Stamps): Plan {
  const plan: Plan = { outcomes: [], batches: [], samples: [], conflicts: new Map() };
  const digests = new Map(known.digests);
  const planned = new Map<string, PlannedSample[]>();
  for (const batch of batches) {
    const { digest } = batch;
    const recordedBefore = digests.get(digest);
    if (recordedBefore !== undefined) {
      const recordedAt = recordedBefore;
      plan.outcomes.push({ digest, outcome: 'duplicate', recordedAt, duplicates: [], conflicts: [] });
      continue;
    }
    const outcome = planBatch(plan, batch, known, planned, stamps);
    digests.set(digest, outcome.recordedAt);
    plan.outcomes.push(outcome);
  }
  return plan;
}

function planBatch(
  plan: Plan,
  batch: BatchRecord,
  known: Known,
  planned: Map<string, PlannedSample[]>,
  stamps: Stamps,
): RecordOutcome {
  const id = stamps.nextId();
  const duplicates: string[] = [];
  const conflicts: string[] = [];
  batch.samples.forEach((sample, batchIndex) => {
    const { messageId } = sample;
    const stored = known.versions.get(messageId) ?? [];
    const before = planned.get(messageId) ?? [];
    if ([...stored, ...before].some((version) => sameContent(version.sample, sample))) {
      duplicates.push(messageId);
      return;
    }
    const isLate = sample.timestamp < (known.horizons.get(sample.meter) ?? -Infinity);
    const key = keyOf(messageId);
    const fresh: PlannedSample = { sample, batchId: id, batchIndex, key, isLate, conflictSince: null };
    plan.samples.push(fresh);
    planned.set(messageId, [...before, fresh]);
    if (stored.length + before.length === 0) return;
    conflicts.push(messageId);
    for (const version of [...before, fresh]) version.conflictSince ??= id;
    for (const { rowId, conflictSince } of stored) {
      if (conflictSince === null && !plan.conflicts.has(rowId)) plan.conflicts.set(rowId, id);
    }
  });
  const recordedAt = stamps.nextRecordedAt();
  const outcome = { digest: batch.digest, outcome: 'recorded', recordedAt, duplicates, conflicts } as const;
  plan.batches.push({ id, batch, outcome });
  return outcome;
}

/**
 * Half of a surrogate pair cannot be written as UTF-8: two different names would become one.
 * @throws StoreRefused
 */
export function assertStorable(batch: BatchRecord): void {
  for (const { meter, resourceId, source, unit, projectId, userId, messageId, text } of batch.samples) {
    const names = [meter, resourceId, source, unit, projectId, userId, messageId, text];
    if (!names.some((name) => name !== null && LONE_SURROGATE.test(name))) continue;
    throw new StoreRefused(
      `Sample ${JSON.stringify(messageId)} of batch ${batch.digest} has half of a surrogate pair in its names, ` +
        'which is no text; whole characters would be right.',
    );
  }
}

const LONE_SURROGATE = /\p{Surrogate}/u;
