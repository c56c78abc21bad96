import type { RefusalReason } from '../model/refusal.ts';

/** What became of one metering message that was posted. */
export interface IngestResult {
  /** Null when the message could not be read that far. */
  readonly message_id: string | null;
  readonly outcome: 'accepted' | 'duplicate' | 'refused';
  /** Only when refused. */
  readonly reason?: RefusalReason;
  /** What was found and what would be right; only when refused. */
  readonly detail?: string;
}

/** The door for metering messages that do not come by the bus. */
export interface MessageIngest {
  /**
   * Verifies and records the metering messages in `body` (array, object or envelope); they are stored and readable when
   * it resolves. One result a message, in order. @throws Refusal when the body as a whole cannot be read (it is in
   * quarantine then), StoreUnavailable when nothing could be recorded now
   */
  ingest(body: Uint8Array, sender: string): Promise<readonly IngestResult[]>;
}
