import type { Clock } from '../ports/clock.ts';
import type { Micros } from '../time.ts';

/**
 * Gives the `recorded_at` of ledger rows and entries where one process writes: each later than every one before, and
 * later than every moment that was already answered `as_of`, even when the clock stands still or is set back. So an
 * answer of the past stays as it was given.
 */
export class RecordedAtClock {
  readonly #clock: Clock;
  #last: Micros;

  /** @param last the newest that is stored; -Infinity for an empty store */
  constructor(clock: Clock, last: Micros) {
    this.#clock = clock;
    this.#last = last;
  }

  next(): Micros {
    this.#last = Math.max(this.#clock.now(), this.#last + 1);
    return this.#last;
  }

  /** A question as of that moment is answered now. Moments that the clock has not reached yet promise nothing. */
  answered(asOf: Micros | undefined): void {
    if (asOf !== undefined) this.#last = Math.max(this.#last, Math.min(asOf, this.#clock.now()));
  }
}
