import { messageOf, MeteringError, Refusal } from '@nephometer/core';
import type { BatchRecord, Clock, RecordOutcome, Store } from '@nephometer/core';
import type { CollectorMetrics } from './metrics.ts';
import { pause } from './wait.ts';

export interface RecordOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: CollectorMetrics;
  /** A batch that fails this often, alone, is poison. */
  readonly maxAttempts: number;
}

/** What became of one batch: its ledger row, or why it cannot have one. */
export type Recorded =
  | { readonly outcome: RecordOutcome; readonly poison?: undefined }
  | { readonly poison: Refusal; readonly outcome?: undefined };

/** Most batches in one call of the store; headerless messages are a batch each. */
const LARGEST_GROUP = 1000;
const FIRST_RETRY = 10_000;

/**
 * Records batches, each digest once, in as few calls as possible. When the store refuses a group, it is halved until the
 * bad ones stand alone; the others are recorded.
 * @returns by digest
 * @throws StoreUnavailable some may be recorded; the same batches again make no second row
 */
export async function recordBatch(
  records: readonly BatchRecord[],
  options: RecordOptions,
): Promise<ReadonlyMap<string, Recorded>> {
  const once = [...new Map(records.map((record) => [record.digest, record])).values()];
  const recorded = new Map<string, Recorded>();
  for (let at = 0; at < once.length; at += LARGEST_GROUP) {
    const started = options.clock.monotonic();
    await recordGroup(once.slice(at, at + LARGEST_GROUP), recorded, options);
    options.metrics.recordSeconds.observe((options.clock.monotonic() - started) / 1e6);
  }
  return recorded;
}

async function recordGroup(
  group: readonly BatchRecord[],
  recorded: Map<string, Recorded>,
  options: RecordOptions,
): Promise<void> {
  try {
    for (const outcome of await options.store.record(group)) recorded.set(outcome.digest, { outcome });
  } catch (cause) {
    if (isRetryable(cause)) throw cause;
    const [only] = group;
    if (only === undefined) throw cause;
    if (group.length === 1) {
      recorded.set(only.digest, await recordAlone(only, cause, options));
      return;
    }
    const middle = group.length >> 1;
    await recordGroup(group.slice(0, middle), recorded, options);
    await recordGroup(group.slice(middle), recorded, options);
  }
}

/** Tries a batch that failed alone until it is recorded or has failed `maxAttempts` times. */
async function recordAlone(record: BatchRecord, first: unknown, options: RecordOptions): Promise<Recorded> {
  let last = first;
  for (let attempt = 1; attempt < options.maxAttempts; attempt++) {
    await pause(options.clock, FIRST_RETRY * 2 ** Math.min(attempt - 1, 6));
    try {
      const [outcome] = await options.store.record([record]);
      if (outcome !== undefined) return { outcome };
    } catch (cause) {
      if (isRetryable(cause)) throw cause;
      last = cause;
    }
  }
  const detail = `The store refused it ${options.maxAttempts} times, at last with: ${messageOf(last)}`;
  return { poison: new Refusal('poison', detail) };
}

function isRetryable(cause: unknown): boolean {
  return cause instanceof MeteringError && cause.retryable;
}
