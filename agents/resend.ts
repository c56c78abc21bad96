import { SECOND } from '@nephometer/core';
import type { Bus, Clock, Micros, Spool } from '@nephometer/core';

export interface ResendOptions {
  readonly bus: Bus;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly resendAfter: Micros;
}

/** How many times `resend_after` a batch waits when nothing tells that it is lost. */
const PATIENCE = 6;
/** Looking costs a walk over the spool. */
const LOOK_EVERY: Micros = SECOND;

/**
 * Which batches without receipt are sent again. One that the broker confirmed and nobody recorded yet is either still in
 * its queue, or lost with it. After `resend_after` it is taken for lost when
 *
 * - a batch that was confirmed later has its receipt: the collectors went past it; or
 * - a connection was made since: the broker may have lost what it had; or
 * - six times as long went by.
 *
 * So while the collectors or their store are away, the queue does not fill with repetitions.
 */
export class ResendWatch {
  readonly #options: ResendOptions;
  #connections = 0;
  #renewedAt: Micros = -Infinity;
  #passed: Micros = -Infinity;
  #lookedAt: Micros = -Infinity;

  constructor(options: ResendOptions) {
    this.#options = options;
  }

  /** Batches that were confirmed before this are due again. */
  before(): Micros {
    const { clock, resendAfter } = this.#options;
    const now = clock.now();
    this.#look(now);
    const lost = Math.max(this.#passed, this.#renewedAt, now - PATIENCE * resendAfter);
    return Math.min(now - resendAfter, lost);
  }

  #look(now: Micros): void {
    const { bus, spool, clock } = this.#options;
    if (clock.monotonic() - this.#lookedAt < LOOK_EVERY) return;
    this.#lookedAt = clock.monotonic();
    this.#passed = spool.stats().passed ?? this.#passed;
    const { connections = this.#connections } = bus.status();
    // What was confirmed between the connection and this look is sent once too often.
    if (connections !== this.#connections) this.#renewedAt = now;
    this.#connections = connections;
  }
}
