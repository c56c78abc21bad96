import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { compareText } from '../order.ts';
import type { QuarantinedMessage } from '../quarantine.ts';
import type { LedgerRow } from '../../ports/store.ts';
import type { Micros } from '../../time.ts';
import { SignedHeader } from '../batch.ts';
import type { AgentCycle, LostSpan, UsageSample } from './types.ts';

/** What the ledger says beside the samples: what was tried when, and which batches are missing. */
export interface LedgerFacts {
  readonly cycles: readonly AgentCycle[];
  readonly lost: readonly LostSpan[];
  /** Digests of rows whose header cannot be read, with the cause: nothing is known of their ticks. */
  readonly unreadable: readonly { readonly digest: string; readonly cause: string }[];
}

/** @param rows in any order; rows without a header say nothing */
export function ledgerFacts(rows: Iterable<Pick<LedgerRow, 'digest' | 'recordedAt' | 'headerText'>>): LedgerFacts {
  const headers: SealedBatch[] = [];
  const unreadable: { digest: string; cause: string }[] = [];
  for (const { digest, recordedAt, headerText } of rows) {
    if (headerText === null) continue;
    try {
      headers.push({ recordedAt, header: SignedHeader.parse(JSON.parse(headerText)) });
    } catch (cause) {
      unreadable.push({ digest, cause: cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause) });
    }
  }
  const cycles = headers.flatMap(({ header, recordedAt }) =>
    header.cycles.map((report) => ({ agentId: header.agent_id, recordedAt, report })),
  );
  return { cycles, lost: missingBatches(headers), unreadable };
}

interface SealedBatch {
  readonly recordedAt: Micros;
  readonly header: SignedHeader;
}

/** Where numbers are missing within an epoch, samples of the time between the batches around them may be in those. */
function missingBatches(headers: readonly SealedBatch[]): LostSpan[] {
  const inOrder = headers.toSorted(
    (a, b) =>
      compareText(a.header.agent_id, b.header.agent_id) ||
      compareText(a.header.epoch, b.header.epoch) ||
      a.header.seq - b.header.seq,
  );
  return inOrder.flatMap((batch, i): LostSpan[] => {
    const before = inOrder[i - 1];
    const isNext = before?.header.epoch === batch.header.epoch && before.header.agent_id === batch.header.agent_id;
    // Without the batch before in sight, nothing shows that one is missing: the ledger may have been asked for a period only.
    if (!isNext || before.header.seq + 1 >= batch.header.seq) return [];
    const { agent_id: agentId } = batch.header;
    const [from, to] = [endOf(before.header), startOf(batch.header)];
    return [{ ...ANY, reason: 'not-yet-arrived', agentId, from, to: Math.max(from, to), recordedAt: batch.recordedAt }];
  });
}

const ANY = { source: null, meter: null, resourceId: null };

/** The batch after may hold the rest of the tick whose first samples are missing: what counts is its earliest slot. */
function startOf({ created, runs, cycles }: SignedHeader): Micros {
  return Math.min(created, ...slotsOf(runs), ...cycles.map(({ scheduled }) => scheduled));
}

function endOf({ created, runs, cycles }: SignedHeader): Micros {
  const slots = [...slotsOf(runs), ...cycles.map(({ scheduled }) => scheduled)];
  return slots.length === 0 ? created : Math.max(...slots);
}

function slotsOf(runs: SignedHeader['runs']): Micros[] {
  return runs.flatMap(({ slot }) => (slot === null ? [] : [slot]));
}

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
