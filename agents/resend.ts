import { SECOND } from '@nephometer/core';
import type { Bus, Clock, Lane, Micros, Spool } from '@nephometer/core';

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
 * - a batch that was confirmed later has its receipt: the collectors went past it (not that of a fresh one past a
 *   backlog, which it overtakes); or
 * - a connection was made since: the broker may have lost what it had; or
 * - six times as long went by.
 *
 * So while the collectors or their store are away, the queue does not fill with repetitions.
 */
export class ResendWatch {
  readonly #options: ResendOptions;
  #connections = 0;
  #renewedAt: Micros = -Infinity;
  #passed: Readonly<Record<Lane, Micros | null>> = { fresh: null, backlog: null };
  #lookedAt: Micros = -Infinity;

  constructor(options: ResendOptions) {
    this.#options = options;
  }

  /** Batches that were confirmed before this in their lane are due again. */
  before(): Readonly<Record<Lane, Micros>> {
    const { clock, resendAfter } = this.#options;
    const now = clock.monotonic();
    this.#look(now);
    const lost = Math.max(this.#renewedAt, now - PATIENCE * resendAfter);
    const { fresh, backlog } = this.#passed;
    const before = (...passed: readonly (Micros | null)[]): Micros =>
      Math.min(now - resendAfter, Math.max(lost, ...passed.map((one) => one ?? lost)));
    return { fresh: before(fresh, backlog), backlog: before(backlog) };
  }

  #look(now: Micros): void {
    const { bus, spool } = this.#options;
    if (now - this.#lookedAt < LOOK_EVERY) return;
    this.#lookedAt = now;
    this.#passed = spool.stats().passed;
    const { connections = this.#connections } = bus.status();
    // What was confirmed between the connection and this look is sent once too often.
    if (connections !== this.#connections) this.#renewedAt = now;
    this.#connections = connections;
  }
}
