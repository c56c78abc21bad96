import { createHash } from 'node:crypto';
import { SECOND } from '@nephometer/core';
import type { Clock, Micros, Timer } from '@nephometer/core';
import { CRON_LOOKAHEAD } from './cron.ts';
import type { CronTimes } from './cron.ts';

/**
 * When the polling sources are due.
 *
 * A **slot** is the scheduled time of a tick: a multiple of the interval since 1970 in UTC, or a time that the cron
 * expression names. The first tick runs at once, for the slot that the clock is in; the next ones at their slot plus
 * the agent's own delay (`spreadOf`), so that a thousand agents do not ask at the same moment.
 *
 * The cadence is kept on the steady clock; the wall clock only labels. Within an epoch slots strictly increase:
 *
 * | the wall clock                         | what the next tick does                                                  |
 * |----------------------------------------|--------------------------------------------------------------------------|
 * | agrees                                 | last slot + interval                                                     |
 * | is off by less than half an interval   | the same; the cadence leans towards the wall by at most a tenth a tick   |
 * | was set ahead                          | the slot nearest to the wall's time; the slots between never were due    |
 * | was set back                           | the same, in a new epoch: slots of the repeated time are not told twice  |
 *
 * A cron source follows the wall clock alone: set ahead over several times it ticks once, for the last of them; set
 * back it waits until the wall has passed its last slot.
 *
 * When the process slept through whole intervals (a stopped process, a blocked event loop), the missed slots are told
 * as `missed`, and the tick runs for the latest.
 */
export interface SlotTimer {
  start(): void;
  stop(): void;
}

export interface SlotEvents {
  /** A slot is due. `newEpoch`: the clock was set back, and slots begin anew. Must not throw. */
  tick(slot: Micros, newEpoch: boolean): void;
  /** This slot passed without a tick. */
  missed(slot: Micros): void;
}

/** Most slots told as missed at once; a process that slept for a week need not write a report for each minute. */
const MOST_MISSED = 1000;
const LONGEST_SPREAD: Micros = 5 * SECOND;

/** The fixed delay of one agent: spread over `spread`, the same at every start. */
export function spreadOf(agentId: string, interval: Micros, spread: Micros | undefined): Micros {
  const range = Math.min(spread ?? Math.min(interval / 10, LONGEST_SPREAD), interval / 2);
  const fraction = createHash('sha256').update(agentId).digest().readUInt32BE(0) / 2 ** 32;
  return Math.floor(range * fraction);
}

/** Ticks of one interval. */
export class IntervalTimer implements SlotTimer {
  readonly #clock: Clock;
  readonly #interval: Micros;
  readonly #delay: Micros;
  readonly #events: SlotEvents;
  #timer: Timer | null = null;
  #slot: Micros = 0;
  /** When the next tick is due on the steady clock. */
  #due: Micros = 0;

  constructor(clock: Clock, interval: Micros, delay: Micros, events: SlotEvents) {
    this.#clock = clock;
    this.#interval = interval;
    this.#delay = delay;
    this.#events = events;
  }

  start(): void {
    const now = this.#clock.now();
    this.#slot = Math.floor(now / this.#interval) * this.#interval;
    this.#due = this.#clock.monotonic() + (this.#slot + this.#interval + this.#delay - now);
    this.#arm();
    this.#events.tick(this.#slot, false);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#clock.after(Math.max(0, this.#due - this.#clock.monotonic()), () => this.#fire());
  }

  #fire(): void {
    const steady = this.#clock.monotonic();
    // Whole intervals that passed beyond the one that was due.
    const late = Math.max(0, Math.floor((steady - this.#due) / this.#interval));
    const expected = this.#slot + (late + 1) * this.#interval;
    const intoSlot = steady - (this.#due + late * this.#interval) + this.#delay;
    const off = this.#clock.now() - (expected + intoSlot);
    const jumped = Math.abs(off) >= this.#interval / 2;
    const slot = jumped ? expected + Math.round(off / this.#interval) * this.#interval : expected;
    if (!jumped) this.#tellMissed(expected, late);
    const newEpoch = slot <= this.#slot;
    const rest = jumped ? off - (slot - expected) : off;
    this.#slot = slot;
    this.#due += (late + 1) * this.#interval - clamp(rest, this.#interval / 10);
    this.#arm();
    this.#events.tick(slot, newEpoch);
  }

  #tellMissed(expected: Micros, late: number): void {
    for (let n = Math.min(late, MOST_MISSED); n > 0; n -= 1) this.#events.missed(expected - n * this.#interval);
  }
}

function clamp(value: number, most: number): number {
  return Math.trunc(Math.max(-most, Math.min(most, value)));
}

/** Ticks of one cron expression. */
export class CronTimer implements SlotTimer {
  readonly #clock: Clock;
  readonly #times: CronTimes;
  readonly #delay: Micros;
  readonly #events: SlotEvents;
  #timer: Timer | null = null;
  #slot: Micros = 0;

  constructor(clock: Clock, times: CronTimes, delay: Micros, events: SlotEvents) {
    this.#clock = clock;
    this.#times = times;
    this.#delay = delay;
    this.#events = events;
  }

  start(): void {
    this.#slot = this.#clock.now();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Looks at the wall clock at least once a minute, so that a clock that was set is noticed. */
  #arm(): void {
    const now = this.#clock.now() - this.#delay;
    const from = Math.max(this.#slot, now - CRON_LOOKAHEAD);
    const next = this.#times.next(from, Math.max(from, now) + CRON_LOOKAHEAD);
    const wait = Math.min(60 * SECOND, next === null ? Infinity : Math.max(0, next - now));
    this.#timer = this.#clock.after(wait, () => {
      if (next !== null && next <= this.#clock.now() - this.#delay) this.#tick(next);
      this.#arm();
    });
  }

  #tick(due: Micros): void {
    let slot = due;
    const now = this.#clock.now() - this.#delay;
    for (;;) {
      const later = this.#times.next(slot, now);
      if (later === null) break;
      slot = later;
    }
    this.#slot = slot;
    this.#events.tick(slot, false);
  }
}
