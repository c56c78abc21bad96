import { SpoolFull } from '@nephometer/core';
import type { Lane, Micros, NewSpooledBatch, Spool, SpooledBatch, SpoolLoss, SpoolStats } from '@nephometer/core';
import { entryFor, OVERHEAD_BYTES, spooledBatch, SpoolQueue } from './spool-queue.ts';

export interface SpoolLimits {
  /** Room for the bodies of the batches, with what each costs beyond. */
  readonly maxBytes: number;
  readonly whenFull: 'refuse-new' | 'drop-oldest';
}

/** A spool that forgets everything at the end of the process. For tests and one-shot commands. */
export function openMemorySpool(limits: SpoolLimits): Promise<Spool> {
  return Promise.resolve(new MemorySpool(limits));
}

class MemorySpool implements Spool {
  readonly #limits: SpoolLimits;
  readonly #queue = new SpoolQueue();
  readonly #bodies = new Map<string, Uint8Array>();
  #losses: SpoolLoss[] = [];
  #lastOrdinal = 0;

  constructor(limits: SpoolLimits) {
    this.#limits = limits;
  }

  async append(batch: NewSpooledBatch): Promise<void> {
    if (this.#bodies.has(batch.digest)) return;
    const { maxBytes, whenFull } = this.#limits;
    const size = batch.body.byteLength + OVERHEAD_BYTES;
    if (size > maxBytes || (whenFull === 'refuse-new' && this.#queue.bytes + size > maxBytes)) {
      throw spoolFull(this.#queue.bytes, maxBytes);
    }
    for (const old of this.#queue.oldest(this.#queue.bytes + size - maxBytes)) {
      this.#bodies.delete(old.digest);
      this.#queue.remove(old);
      this.#losses.push({ reason: 'spool-full', samples: old.samples, from: old.from, to: old.to });
    }
    this.#bodies.set(batch.digest, batch.body);
    this.#queue.add(entryFor(batch, ++this.#lastOrdinal));
  }

  async due(resendBefore: Readonly<Record<Lane, Micros>>, limit: number): Promise<readonly SpooledBatch[]> {
    return this.#queue.due(resendBefore, limit).flatMap((one) => {
      const body = this.#bodies.get(one.digest);
      return body === undefined ? [] : [spooledBatch(one, body)];
    });
  }

  async markConfirmed(digests: readonly string[], at: Micros, lane: Lane): Promise<void> {
    for (const digest of digests) this.#queue.confirm(digest, at, lane);
  }

  awaited(lane: Lane): Micros | null {
    return this.#queue.awaited(lane);
  }

  async release(digests: readonly string[]): Promise<void> {
    for (const one of digests.flatMap((digest) => this.#queue.find(digest) ?? [])) {
      this.#bodies.delete(one.digest);
      this.#queue.release(one);
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
    return this.#queue.stats();
  }

  async close(): Promise<void> {}
}

export function spoolFull(bytes: number, maxBytes: number): SpoolFull {
  return new SpoolFull(
    `The spool holds ${bytes} of ${maxBytes} bytes and takes no more. Check that the broker is reachable and that a ` +
      'collector sends receipts; agent.spool.max_size gives it more room.',
  );
}
