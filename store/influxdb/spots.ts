import type { Micros } from '@nephometer/core';
import type { Place } from './line.ts';

/** Some minutes of a thousand nodes. */
const MOST_SPOTS = 300_000;

/**
 * Which places a process took under its name, at each resource and microsecond, while it has the name. Points that another
 * process recorded under this name before are not later than `before`; so at all later times these are all.
 */
export class Spots {
  /** All points at later times are known. */
  #knownAfter: Micros;
  #newest: Micros;
  readonly #next = new Map<string, Place>();

  /** @param before time of the newest sample that was recorded under the name; -Infinity: none was */
  constructor(before: Micros) {
    this.#knownAfter = before;
    this.#newest = before;
  }

  /** Time of the newest sample that was placed under the name, by this process or one before it. */
  get newest(): Micros {
    return this.#newest;
  }

  isKnown(at: Micros): boolean {
    return at > this.#knownAfter;
  }

  /** The first place from which on all are free. */
  next(key: string): Place {
    return this.#next.get(key) ?? 0;
  }

  /** To be told before the point is written: what may be there counts as taken. */
  take(key: string, at: Micros, place: Place): void {
    this.#newest = Math.max(this.#newest, at);
    if (!this.isKnown(at)) return;
    this.#next.set(key, Math.max(this.next(key), place + 1));
  }

  /** Keeps memory bounded; to be called between two pieces of writing, since less is known afterwards. */
  trim(): void {
    if (this.#next.size <= MOST_SPOTS) return;
    for (const key of this.#next.keys()) {
      if (this.#next.size <= MOST_SPOTS / 2) return;
      this.#next.delete(key);
      // A key begins with its time; see `spotKey`.
      this.#knownAfter = Math.max(this.#knownAfter, Number.parseInt(key, 10));
    }
  }
}
