import { DAY } from '@nephometer/core';
import type { Clock, Micros } from '@nephometer/core';

export interface AllowanceOptions {
  readonly clock: Clock;
  /** Bytes that may be kept in one UTC day, of one origin and of all. */
  readonly perOrigin: number;
  readonly perDay: number;
}

/** What may still be put into quarantine today. A new UTC day brings a new allowance. */
export class Allowance {
  readonly #options: AllowanceOptions;
  readonly #taken = new Map<string, number>();
  #all = 0;
  #day: Micros = -Infinity;

  constructor(options: AllowanceOptions) {
    this.#options = options;
  }

  /** The UTC day that counts now, by its beginning. */
  today(): Micros {
    const { clock } = this.#options;
    const day = Math.floor(clock.now() / DAY) * DAY;
    if (day === this.#day) return day;
    this.#day = day;
    this.#all = 0;
    this.#taken.clear();
    return day;
  }

  /** Takes room for so many bytes; false when there is none. A smaller message may still find some. */
  take(origin: string, bytes: number): boolean {
    this.today();
    const taken = (this.#taken.get(origin) ?? 0) + bytes;
    if (taken > this.#options.perOrigin || this.#all + bytes > this.#options.perDay) return false;
    this.#taken.set(origin, taken);
    this.#all += bytes;
    return true;
  }
}
