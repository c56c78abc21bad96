import type { Config, IngestResult, Keyring, Logger, Refusal, Store } from '@nephometer/core';
import type { OpenOptions } from './open.ts';
import { openAll, recordsOf } from './open.ts';
import type { Inbound } from './open.ts';
import type { Quarantine } from './quarantine.ts';
import type { ReceiptWord } from './receipts.ts';
import { recordBatch } from './record.ts';
import { settleOne } from './settle.ts';
import { allDone } from './turns.ts';

/** What became of one body. */
export interface Consumed {
  /** One a metering message, in order; none when the body cannot be read. */
  readonly results: readonly IngestResult[];
  /** Why the body as a whole cannot be read. */
  readonly unreadable: Refusal | null;
  /** What its agent is to be told, if anything. */
  readonly receipt: ReceiptWord | null;
  /** False when it is neither in the ledger nor in quarantine: it must not be acknowledged. */
  readonly settled: boolean;
}

export interface ConsumeOptions extends OpenOptions {
  readonly config: Config;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly log: Logger;
  readonly quarantine: Quarantine;
}

/**
 * Takes bodies from reading to the ledger, in this order: read and verify each; record all good ones together; put the bad
 * ones into quarantine. Whoever calls acknowledges afterwards, so that whatever happens in between, a body is
 * recorded, in quarantine, or delivered again.
 * @returns one for each body, in order
 * @throws StoreUnavailable nothing may be acknowledged; the same bodies again make nothing twice
 */
export async function consumeBatch(inbound: readonly Inbound[], options: ConsumeOptions): Promise<readonly Consumed[]> {
  // Revocations hold from now on, and only the store knows them: without it nothing is judged.
  await options.keyring.refresh();
  const opened = await openAll(inbound, options);
  const { store, clock, metrics, config } = options;
  const maxAttempts = config.collector.max_attempts;
  const recorded = await recordBatch(recordsOf(opened), { store, clock, metrics, maxAttempts });
  const told = new Set<string>();
  // Each says what it is told before it waits for anything, so of equal ones the first is told that it is the first.
  return allDone(opened.map((one) => settleOne(one, { ...options, recorded, told })));
}
