import { DAY, HOUR, MINUTE } from '@nephometer/core';
import type { Micros } from '@nephometer/core';

/** Nothing that is stamped earlier than this before now can still show up: twice the commit horizon. */
const SETTLED_AFTER: Micros = MINUTE;

interface Recorded {
  readonly recordedAt: Micros;
}

/** Reads what was recorded in [from, to). */
type Load<T> = (from: Micros, to: Micros) => Promise<T[]>;

/**
 * What was recorded, by time of recording. The lists that it comes from are append-only, so past days and hours are read
 * once; only what is younger is asked for each time.
 */
export class RecordedChunks<T extends Recorded> {
  readonly #load: Load<T>;
  readonly #first: () => Promise<Micros>;
  readonly #now: () => Micros;
  readonly #most: number;
  readonly #chunks = new Map<string, Promise<T[]>>();
  #items = 0;

  /**
   * @param first from when on there may be much: what is earlier is read in one go
   * @param most items that are kept at hand
   */
  constructor(load: Load<T>, first: () => Promise<Micros>, now: () => Micros, most: number) {
    this.#load = load;
    this.#first = first;
    this.#now = now;
    this.#most = most;
  }

  /** Recorded in [from, upTo], in order of chunks. */
  async within(from: Micros, upTo: Micros): Promise<T[]> {
    const settled = this.#now() - SETTLED_AFTER;
    const parts: T[][] = [];
    let start = Math.floor(from / DAY) * DAY;
    const busy = Math.floor(Math.min(await this.#first(), upTo) / DAY) * DAY;
    if (start < busy) {
      parts.push(await this.#load(start, busy));
      start = busy;
    }
    while (start <= upTo) {
      const span = [DAY, HOUR].find((size) => start % size === 0 && start + size <= settled);
      const end = span === undefined ? upTo + 1 : start + span;
      parts.push(await (span === undefined ? this.#load(start, end) : this.#kept(start, end)));
      start = end;
    }
    return parts.flat().filter(({ recordedAt }) => recordedAt >= from && recordedAt <= upTo);
  }

  async #kept(from: Micros, to: Micros): Promise<T[]> {
    const key = `${from} ${to}`;
    const known = this.#chunks.get(key);
    if (known !== undefined) return known;
    const loading = this.#load(from, to);
    this.#chunks.set(key, loading);
    try {
      const items = await loading;
      this.#items += items.length;
      if (this.#items > this.#most) this.#forget();
      return items;
    } catch (cause) {
      this.#chunks.delete(key);
      throw cause;
    }
  }

  #forget(): void {
    this.#chunks.clear();
    this.#items = 0;
  }
}
