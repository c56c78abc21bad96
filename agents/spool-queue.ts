import type { Lane, Micros, NewSpooledBatch, SpooledBatch, SpoolStats } from '@nephometer/core';
import type { Standing } from './spool-note.ts';
import type { SpoolEntry } from './spool-record.ts';

/** A batch without its receipt. */
export interface Waiting extends SpoolEntry {
  readonly confirmedAt: Micros | null;
  /** Its first confirm: all that a receipt proves, since it may be for the first copy. */
  readonly first: { readonly lane: Lane; readonly at: Micros } | null;
}

/** What a spool knows of a batch that comes. */
export function entryFor({ body, slots, ...batch }: NewSpooledBatch, ordinal: number): SpoolEntry {
  return { ...batch, ...(slots ?? { from: batch.created, to: batch.created }), ordinal, bytes: body.byteLength };
}

/** A batch as who publishes it wants it. */
export function spooledBatch(one: Waiting, body: Uint8Array): SpooledBatch {
  const { ordinal, digest, epoch, seq, samples, created, confirmedAt } = one;
  return { ordinal, digest, epoch, seq, samples, created, body, confirmedAt };
}

/** What a batch costs beyond its body: its entry, and pages that are not filled. */
export const OVERHEAD_BYTES = 4096 + 512;

/** Which batches of a spool wait, and for what; in memory only. */
export class SpoolQueue {
  /** By digest. In order of age: those never confirmed; in order of confirmation: the others, by lane. */
  readonly #unsent = new Map<string, Waiting>();
  readonly #confirmed = { fresh: new Map<string, Waiting>(), backlog: new Map<string, Waiting>() };
  readonly #passed: Record<Lane, Micros | null> = { fresh: null, backlog: null };
  #bytes = 0;
  #samples = 0;

  /** Of all that wait, with what each costs beyond its body. */
  get bytes(): number {
    return this.#bytes;
  }

  find(digest: string): Waiting | undefined {
    const { fresh, backlog } = this.#confirmed;
    return this.#unsent.get(digest) ?? fresh.get(digest) ?? backlog.get(digest);
  }

  add(entry: SpoolEntry): void {
    this.#unsent.set(entry.digest, { ...entry, confirmedAt: null, first: null });
    this.#bytes += entry.bytes + OVERHEAD_BYTES;
    this.#samples += entry.samples;
  }

  confirm(digest: string, at: Micros, lane: Lane): void {
    const one = this.find(digest);
    if (one === undefined) return;
    this.#take(one);
    this.#confirmed[lane].set(digest, { ...one, confirmedAt: at, first: one.first ?? { lane, at } });
  }

  /** When the oldest of a lane was confirmed. */
  awaited(lane: Lane): Micros | null {
    const [oldest] = this.#confirmed[lane].values();
    return oldest?.confirmedAt ?? null;
  }

  /** It has its receipt. */
  release(one: Waiting): void {
    const { first } = one;
    if (first !== null) this.#passed[first.lane] = Math.max(this.#passed[first.lane] ?? first.at, first.at);
    this.remove(one);
  }

  remove(one: Waiting): void {
    const { bytes, samples } = one;
    if (!this.#take(one)) return;
    this.#bytes -= bytes + OVERHEAD_BYTES;
    this.#samples -= samples;
  }

  /** Those to send: confirmed before their lane's instant and still without receipt, or never confirmed; oldest first. */
  due(resendBefore: Readonly<Record<Lane, Micros>>, limit: number): Waiting[] {
    const again = (lane: Lane): Waiting[] => {
      const isDue = ({ confirmedAt }: Waiting): boolean => (confirmedAt ?? 0) < resendBefore[lane];
      return beginning(this.#confirmed[lane].values(), limit, isDue);
    };
    const all = [...again('fresh'), ...again('backlog'), ...beginning(this.#unsent.values(), limit)];
    return all.sort(byAge).slice(0, limit);
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

  stats(): SpoolStats {
    let oldest: Micros | null = null;
    for (const { created } of this.#all()) oldest = oldest === null ? created : Math.min(oldest, created);
    const { fresh, backlog } = this.#confirmed;
    const batches = this.#unsent.size + fresh.size + backlog.size;
    return { batches, samples: this.#samples, bytes: this.#bytes, oldest, passed: { ...this.#passed } };
  }

  /** Whether it was there. */
  #take({ digest }: Waiting): boolean {
    const { fresh, backlog } = this.#confirmed;
    return this.#unsent.delete(digest) || fresh.delete(digest) || backlog.delete(digest);
  }

  *#all(): Iterable<Waiting> {
    yield* this.#confirmed.fresh.values();
    yield* this.#confirmed.backlog.values();
    yield* this.#unsent.values();
  }
}

/** The first ones, while they are wanted. */
function beginning<T>(all: Iterable<T>, limit: number, isWanted: (one: T) => boolean = () => true): T[] {
  const first: T[] = [];
  for (const one of all) {
    if (first.length >= limit || !isWanted(one)) break;
    first.push(one);
  }
  return first;
}

function byAge(a: Waiting, b: Waiting): number {
  return a.ordinal - b.ordinal;
}
