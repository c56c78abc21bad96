import type { Micros } from '../time.ts';

/**
 * The way a batch goes over the bus. While collectors are behind, what is new goes into the queue of the backlog, so that the
 * queue of fresh batches stays short and a sample of now is in the store while an hour of others drains.
 */
export type Lane = 'fresh' | 'backlog';

/** A sealed batch on the agent's disk. */
export interface SpooledBatch {
  /** Order over all epochs, oldest first. */
  readonly ordinal: number;
  readonly digest: string;
  readonly epoch: string;
  readonly seq: number;
  readonly samples: number;
  /** When it was sealed. */
  readonly created: Micros;
  /** The body to publish, the same bytes on every attempt. */
  readonly body: Uint8Array;
  /** When the broker last confirmed it, by the steady clock of this process; null when not in its time. */
  readonly confirmedAt: Micros | null;
}

export interface SpoolStats {
  readonly batches: number;
  readonly samples: number;
  readonly bytes: number;
  readonly oldest: Micros | null;
  /** By lane, the latest first confirm among batches released since: what was confirmed before, the ledger should have. */
  readonly passed: Readonly<Record<Lane, Micros | null>>;
}

/** What was lost, to be told in the next cycle report. */
export interface SpoolLoss {
  readonly reason: 'spool-full' | 'spool-corrupt';
  readonly samples: number;
  readonly from: Micros | null;
  readonly to: Micros | null;
}

/** A batch on its way to the disk. */
export type NewSpooledBatch = Omit<SpooledBatch, 'ordinal' | 'confirmedAt'> & {
  /** First and last slot that its samples and reports are of: what is a gap if it is lost. Default: when it was sealed. */
  readonly slots?: { readonly from: Micros; readonly to: Micros };
};

/** Batches on disk between signing and the ledger's receipt. */
export interface Spool {
  /** Durable when it resolves. @throws SpoolFull when the policy is `refuse-new` and there is no room */
  append(batch: NewSpooledBatch): Promise<void>;
  /** Batches to publish, oldest first: never confirmed, or before `resendBefore` of their lane and still without receipt. */
  due(resendBefore: Readonly<Record<Lane, Micros>>, limit: number): Promise<readonly SpooledBatch[]>;
  /** @param at by the steady clock, as all times of confirms */
  markConfirmed(digests: readonly string[], at: Micros, lane: Lane): Promise<void>;
  /** When the batch that waits longest for its receipt in a lane was confirmed; null when none waits. */
  awaited(lane: Lane): Micros | null;
  /** Frees the batches that a receipt names; unknown digests are ignored. Works on a full disk. */
  release(digests: readonly string[]): Promise<void>;
  /** Losses that were not taken yet, to be put into a report. */
  takeLosses(): readonly SpoolLoss[];
  /** The losses taken so far are in reports that were appended; until then they are told again after a restart. */
  lossesTold(): void;
  stats(): SpoolStats;
  close(): Promise<void>;
}
