import { compareText } from '../order.ts';
import type { QuarantinedMessage } from '../quarantine.ts';
import type { Micros } from '../../time.ts';
import { SignedHeader } from '../batch.ts';
import type { LedgerRow } from '../../ports/store.ts';
import type { AgentCycle, LostSpan, UsageSample } from './types.ts';
import { REACH } from './watch.ts';

/** The place of a batch in its epoch, and the slots that it can hold: from its earliest tick or sealing to its last. */
export interface SealedBatch {
  readonly recordedAt: Micros;
  readonly agentId: string;
  readonly epoch: string;
  readonly seq: number;
  readonly first: Micros;
  readonly last: Micros;
}

/** The batch after a missing one may hold the rest of the tick whose first samples are missing: its earliest slot counts. */
export function sealedBatch(header: SignedHeader, recordedAt: Micros): SealedBatch {
  const { agent_id: agentId, epoch, seq, created } = header;
  const slots = header.runs.flatMap(({ slot }) => (slot === null ? [] : [slot]));
  slots.push(...header.cycles.map(({ scheduled }) => scheduled));
  const last = slots.length === 0 ? created : Math.max(...slots);
  return { recordedAt, agentId, epoch, seq, first: Math.min(created, ...slots), last };
}

/** What ledger rows say beside the samples: what was tried when, and which batches are missing. @throws ZodError for no header */
export function ledgerFacts(rows: Iterable<Pick<LedgerRow, 'recordedAt' | 'headerText'>>): LedgerFacts {
  const cycles: AgentCycle[] = [];
  const batches: SealedBatch[] = [];
  for (const { headerText, recordedAt } of rows) {
    if (headerText === null) continue;
    const header = SignedHeader.parse(JSON.parse(headerText));
    batches.push(sealedBatch(header, recordedAt));
    for (const report of header.cycles) cycles.push({ agentId: header.agent_id, recordedAt, report });
  }
  return { cycles, lost: missingBatches(batches) };
}

export interface LedgerFacts {
  readonly cycles: readonly AgentCycle[];
  readonly lost: readonly LostSpan[];
}

/** Where numbers are missing within an epoch, samples of the time between the batches around them may be in those. */
export function missingBatches(batches: readonly SealedBatch[]): LostSpan[] {
  const inOrder = batches.toSorted(
    (a, b) => compareText(a.agentId, b.agentId) || compareText(a.epoch, b.epoch) || a.seq - b.seq,
  );
  return inOrder.flatMap((batch, i): LostSpan[] => {
    const before = inOrder[i - 1];
    const isNext = before !== undefined && before.agentId === batch.agentId && before.epoch === batch.epoch;
    // Without the batch before in sight, nothing shows that one is missing: the ledger may have been asked for a period only.
    if (!isNext || before.seq + 1 >= batch.seq) return [];
    const { agentId, recordedAt, first } = batch;
    const span = { from: before.last, to: Math.max(before.last, first) };
    // Further apart than readings are joined: whether it is seen would depend on where the question starts.
    if (before.recordedAt < span.to - REACH) return [];
    return [{ ...ANY, reason: 'not-yet-arrived', agentId, ...span, recordedAt }];
  });
}

const ANY = { source: null, meter: null, resourceId: null };

/** A refused message as the store's entry of kind `quarantine` has it; null when its time could not be read, or it was replayed. */
export function quarantinedSpan(message: QuarantinedMessage, recordedAt: Micros): LostSpan | null {
  const { from, to, agent_id: agentId } = message;
  if (from === null || message.state === 'replayed') return null;
  return { ...ANY, reason: 'quarantined', agentId, from, to: Math.max(from, to ?? from), recordedAt };
}

/** A version of a sample that is in conflict. */
export function conflictSpan({
  timestamp,
  slot,
  agentId,
  source,
  meter,
  resourceId,
  recordedAt,
}: UsageSample): LostSpan {
  const at = slot === null ? timestamp : Math.min(slot, timestamp);
  return { reason: 'conflict', from: at, to: timestamp, agentId, source, meter, resourceId, recordedAt };
}
