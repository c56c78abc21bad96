import type { Micros, SpoolStats } from '@nephometer/core';
import type { Standing } from './spool-note.ts';
import type { SpoolEntry } from './spool-record.ts';

/** A batch without its receipt. */
export interface Waiting extends SpoolEntry {
  readonly confirmedAt: Micros | null;
}

/** What a batch costs beyond its body: its entry, and pages that are not filled. */
export const OVERHEAD_BYTES = 4096 + 512;

/** Which batches of a spool wait, and for what; in memory only. */
export class SpoolQueue {
  /** By digest. In order of age: those never confirmed; in order of confirmation: the others. */
  readonly #fresh = new Map<string, Waiting>();
  readonly #confirmed = new Map<string, Waiting>();
  #bytes = 0;
  #samples = 0;

  /** Of all that wait, with what each costs beyond its body. */
  get bytes(): number {
    return this.#bytes;
  }

  find(digest: string): Waiting | undefined {
    return this.#fresh.get(digest) ?? this.#confirmed.get(digest);
  }

  add(entry: SpoolEntry): void {
    this.#fresh.set(entry.digest, { ...entry, confirmedAt: null });
    this.#bytes += entry.bytes + OVERHEAD_BYTES;
    this.#samples += entry.samples;
  }

  confirm(digest: string, at: Micros): void {
    const one = this.find(digest);
    if (one === undefined) return;
    this.#fresh.delete(digest);
    this.#confirmed.delete(digest);
    this.#confirmed.set(digest, { ...one, confirmedAt: at });
  }

  remove({ digest, bytes, samples }: Waiting): void {
    if (!this.#fresh.delete(digest) && !this.#confirmed.delete(digest)) return;
    this.#bytes -= bytes + OVERHEAD_BYTES;
    this.#samples -= samples;
  }

  /** Those to send: confirmed before an instant and still without receipt, or never confirmed; oldest first. */
  due(resendBefore: Micros, limit: number): Waiting[] {
    const chosen: Waiting[] = [];
    for (const one of this.#confirmed.values()) {
      if ((one.confirmedAt ?? 0) >= resendBefore || chosen.length >= limit) break;
      chosen.push(one);
    }
    for (const one of this.#fresh.values()) {
      if (chosen.length >= limit) break;
      chosen.push(one);
    }
    return chosen.sort(byAge);
  }

  /** The oldest batches that together free `bytes`. */
  oldest(bytes: number): Waiting[] {
    if (bytes <= 0) return [];
    const victims: Waiting[] = [];
    let freed = 0;
    for (const one of [...this.#all()].sort(byAge)) {
      if (freed >= bytes) break;
      victims.push(one);
      freed += one.bytes + OVERHEAD_BYTES;
    }
    return victims;
  }

  /** What waits now, in a few numbers. @param last the ordinal given last */
  standing(last: number): Standing {
    let floor = last + 1;
    let from: Micros | null = null;
    let to: Micros | null = null;
    for (const one of this.#all()) {
      floor = Math.min(floor, one.ordinal);
      if (one.from !== null) from = Math.min(from ?? one.from, one.from);
      if (one.to !== null) to = Math.max(to ?? one.to, one.to);
    }
    return { floor, last, samples: this.#samples, from, to };
  }

  stats(): Omit<SpoolStats, 'passed'> {
    let oldest: Micros | null = null;
    for (const { created } of this.#all()) oldest = oldest === null ? created : Math.min(oldest, created);
    const batches = this.#fresh.size + this.#confirmed.size;
    return { batches, samples: this.#samples, bytes: this.#bytes, oldest };
  }

  *#all(): Iterable<Waiting> {
    yield* this.#confirmed.values();
    yield* this.#fresh.values();
  }
}

function byAge(a: Waiting, b: Waiting): number {
  return a.ordinal - b.ordinal;
}
