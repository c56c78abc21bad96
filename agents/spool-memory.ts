import { SpoolFull } from '@nephometer/core';
import type { Lane, Micros, NewSpooledBatch, Spool, SpooledBatch, SpoolLoss, SpoolStats } from '@nephometer/core';

export interface SpoolLimits {
  /** Room for the bodies of the batches. */
  readonly maxBytes: number;
  readonly whenFull: 'refuse-new' | 'drop-oldest';
}

/** A spool that forgets everything at the end of the process. For tests and one-shot commands. */
export function openMemorySpool(limits: SpoolLimits): Promise<Spool> {
  return Promise.resolve(new MemorySpool(limits));
}

type Held = SpooledBatch & Pick<NewSpooledBatch, 'slots'> & { readonly lane: Lane | null };

class MemorySpool implements Spool {
  readonly #limits: SpoolLimits;
  readonly #batches = new Map<string, Held>();
  #losses: SpoolLoss[] = [];
  #ordinal = 0;
  #bytes = 0;
  readonly #passed: Record<Lane, Micros | null> = { fresh: null, backlog: null };

  constructor(limits: SpoolLimits) {
    this.#limits = limits;
  }

  async append(batch: NewSpooledBatch): Promise<void> {
    if (this.#batches.has(batch.digest)) return;
    const { maxBytes, whenFull } = this.#limits;
    const size = batch.body.byteLength;
    if (size > maxBytes || (whenFull === 'refuse-new' && this.#bytes + size > maxBytes)) {
      throw spoolFull(this.#bytes, maxBytes);
    }
    for (const old of this.#batches.values()) {
      if (this.#bytes + size <= maxBytes) break;
      this.#remove(old);
      const { samples, created, slots = { from: created, to: created } } = old;
      this.#losses.push({ reason: 'spool-full', samples, ...slots });
    }
    this.#batches.set(batch.digest, { ...batch, ordinal: ++this.#ordinal, confirmedAt: null, lane: null });
    this.#bytes += size;
  }

  async due(resendBefore: Readonly<Record<Lane, Micros>>, limit: number): Promise<readonly SpooledBatch[]> {
    const isDue = ({ confirmedAt, lane }: Held): boolean =>
      confirmedAt === null || lane === null || confirmedAt < resendBefore[lane];
    return [...this.#batches.values()].filter(isDue).slice(0, limit);
  }

  async markConfirmed(digests: readonly string[], at: Micros, lane: Lane): Promise<void> {
    for (const digest of digests) {
      const batch = this.#batches.get(digest);
      if (batch !== undefined) this.#batches.set(digest, { ...batch, confirmedAt: at, lane });
    }
  }

  awaited(lane: Lane): Micros | null {
    const waiting = [...this.#batches.values()].filter((one) => one.lane === lane);
    return waiting.length === 0 ? null : Math.min(...waiting.map(({ confirmedAt }) => confirmedAt ?? Infinity));
  }

  async release(digests: readonly string[]): Promise<void> {
    for (const digest of digests) {
      const batch = this.#batches.get(digest);
      if (batch === undefined) continue;
      const { lane, confirmedAt } = batch;
      if (lane !== null && confirmedAt !== null) {
        this.#passed[lane] = Math.max(this.#passed[lane] ?? confirmedAt, confirmedAt);
      }
      this.#remove(batch);
    }
  }

  takeLosses(): readonly SpoolLoss[] {
    const losses = this.#losses;
    this.#losses = [];
    return losses;
  }

  lossesTold(): void {
    // Nothing of it outlives the process.
  }

  stats(): SpoolStats {
    const batches = [...this.#batches.values()];
    return {
      batches: batches.length,
      samples: batches.reduce((sum, { samples }) => sum + samples, 0),
      bytes: this.#bytes,
      oldest: batches[0]?.created ?? null,
      passed: { ...this.#passed },
    };
  }

  async close(): Promise<void> {}

  #remove(batch: SpooledBatch): void {
    this.#batches.delete(batch.digest);
    this.#bytes -= batch.body.byteLength;
  }
}

export function spoolFull(bytes: number, maxBytes: number): SpoolFull {
  return new SpoolFull(
    `The spool holds ${bytes} of ${maxBytes} bytes and takes no more. Check that the broker is reachable and that a ` +
      'collector sends receipts; agent.spool.max_size gives it more room.',
  );
}
