import type { Micros } from '../time.ts';

export interface Timer {
  cancel(): void;
}

/** Time, turned by hand in tests. */
export interface Clock {
  /** Wall clock, UTC. */
  now(): Micros;
  /** Microseconds of a steady clock; only differences mean something. */
  monotonic(): Micros;
  /** Calls once after `delay` of the steady clock. Delays over 2^31 ms are split, never fired early. */
  after(delay: Micros, call: () => void): Timer;
}

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** What has to be added to the steady clock to give the wall clock, microseconds. */
let offset = Date.now() * 1000 - steady();

function steady(): Micros {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * The wall clock in microseconds. The system gives whole milliseconds; between them the steady clock counts on, and is
 * taken up again wherever the wall clock was corrected.
 */
function wallClock(): Micros {
  const wall = Date.now() * 1000;
  const counted = steady() + offset;
  if (counted < wall) offset += wall - counted;
  else if (counted >= wall + 1000) offset -= counted - (wall + 999);
  return steady() + offset;
}

export const systemClock: Clock = {
  now: wallClock,
  monotonic: steady,
  after(delay, call) {
    const due = steady() + Math.max(0, delay);
    let timer: NodeJS.Timeout;
    // Node's timers may fire up to a millisecond early and take no delay beyond 2^31 ms: look again, and wait the rest.
    const look = (): void => {
      const rest = due - steady();
      if (rest <= 0) call();
      else timer = setTimeout(look, Math.min(Math.ceil(rest / 1000), LONGEST_TIMEOUT_MS));
    };
    timer = setTimeout(look, Math.min(Math.ceil(Math.max(0, delay) / 1000), LONGEST_TIMEOUT_MS));
    return { cancel: () => clearTimeout(timer) };
  },
};

/** A clock that stands still until a test turns it. Calls that fall due run in order of their time. */
export class ManualClock implements Clock {
  #now: Micros;
  #steady = 0;
  #order = 0;
  readonly #due: { at: Micros; order: number; call: () => void }[] = [];

  constructor(start: Micros = 1_767_225_600_000_000) {
    this.#now = start;
  }

  now(): Micros {
    return this.#now;
  }

  monotonic(): Micros {
    return this.#steady;
  }

  after(delay: Micros, call: () => void): Timer {
    // Whole microseconds, as a real clock shows them.
    const entry = { at: this.#steady + Math.max(0, Math.ceil(delay)), order: this.#order++, call };
    this.#due.push(entry);
    return { cancel: () => void (this.#due.includes(entry) && this.#due.splice(this.#due.indexOf(entry), 1)) };
  }

  /** Moves both clocks on, running what falls due; awaits pending work between calls. */
  async advance(by: Micros): Promise<void> {
    const end = this.#steady + by;
    for (;;) {
      await settle();
      this.#due.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#due[0];
      if (next === undefined || next.at > end) break;
      this.#due.shift();
      this.#move(next.at - this.#steady);
      next.call();
    }
    this.#move(end - this.#steady);
    await settle();
  }

  /** Sets the wall clock without moving the steady one: a clock that somebody corrected. */
  jump(by: Micros): void {
    this.#now += by;
  }

  #move(by: Micros): void {
    this.#steady += by;
    this.#now += by;
  }
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
