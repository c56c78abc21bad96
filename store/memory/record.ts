import { sameContent } from '@nephometer/core';
import type { BatchRecord, LedgerRow, Micros, ReceivedSample, RecordOutcome, StoredSample } from '@nephometer/core';

import type { Resolved } from './resolutions.ts';

/** One stored content of a message_id. */
export interface Version {
  readonly sample: StoredSample;
  /** When the second version of its message_id was recorded; null while there is none. */
  conflictSince: Micros | null;
}

export interface Memory {
  /** By message_id, in the order in which they were recorded. */
  readonly versions: Map<string, Version[]>;
  readonly ledger: LedgerRow[];
  readonly byDigest: Map<string, LedgerRow>;
  /** What operators decided, by message_id, in order. */
  readonly resolutions: Map<string, Resolved[]>;
}

/** Records one batch: its samples, then its ledger row. */
export function recordBatch(memory: Memory, batch: BatchRecord, nextRecordedAt: () => Micros): RecordOutcome {
  const { digest } = batch;
  const known = memory.byDigest.get(digest);
  if (known !== undefined) {
    return { digest, outcome: 'duplicate', recordedAt: known.recordedAt, duplicates: [], conflicts: [] };
  }
  const recordedAt = nextRecordedAt();
  const duplicates: string[] = [];
  const conflicts: string[] = [];
  batch.samples.forEach((sample, index) => {
    const versions = memory.versions.get(sample.messageId) ?? [];
    if (versions.some((version) => sameContent(version.sample, sample))) {
      duplicates.push(sample.messageId);
      return;
    }
    versions.push({ sample: stored(sample, batch, index, recordedAt), conflictSince: null });
    memory.versions.set(sample.messageId, versions);
    if (versions.length === 1) return;
    conflicts.push(sample.messageId);
    for (const version of versions) version.conflictSince ??= recordedAt;
  });
  const row = ledgerRow(batch, recordedAt, duplicates.length);
  memory.ledger.push(row);
  memory.byDigest.set(digest, row);
  return { digest, outcome: 'recorded', recordedAt, duplicates, conflicts };
}

function stored(sample: ReceivedSample, batch: BatchRecord, batchIndex: number, recordedAt: Micros): StoredSample {
  return { ...sample, ...origin(batch), recordedAt, batchDigest: batch.digest, batchIndex };
}

function ledgerRow(batch: BatchRecord, recordedAt: Micros, duplicates: number): LedgerRow {
  const { digest, transport, headerText } = batch;
  const samples = batch.samples.length - duplicates;
  return { digest, recordedAt, ...origin(batch), transport, samples, duplicates, headerText };
}

function origin({ header, keyId }: BatchRecord): Pick<LedgerRow, 'agentId' | 'epoch' | 'seq' | 'keyId'> {
  return { agentId: header?.agent_id ?? null, epoch: header?.epoch ?? null, seq: header?.seq ?? null, keyId };
}
