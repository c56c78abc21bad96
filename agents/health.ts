import { SECOND } from '@nephometer/core';
import type { Bus, Clock, Micros, ProcessStatus, Readiness, Spool, Timer } from '@nephometer/core';

const LOOK_EVERY: Micros = 5 * SECOND;
/** A broker may restart without the agent calling itself unwell. */
const AWAY_LONG: Micros = 60 * SECOND;
const NEARLY_FULL = 0.8;

export interface HealthOptions {
  readonly bus: Bus;
  readonly spool: Spool;
  readonly spoolBytes: number;
  readonly clock: Clock;
  readonly status: ProcessStatus;
}

/** Watches bus and spool, and says on /readyz what an operator should know. */
export class Health {
  readonly #options: HealthOptions;
  #timer: Timer | null = null;
  #awaySince: Micros | null = null;
  #fatal: string | null = null;

  constructor(options: HealthOptions) {
    this.#options = options;
    options.status.addCheck('agent bus', () => this.#bus());
    options.status.addCheck('agent spool', () => this.#spool());
  }

  start(): void {
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Nothing but a human heals this. */
  fail(reason: string): void {
    this.#fatal = reason;
  }

  #look(): void {
    const { bus, clock } = this.#options;
    const { state } = bus.status();
    if (state === 'connected') this.#awaySince = null;
    else this.#awaySince ??= clock.monotonic();
    this.#timer = clock.after(LOOK_EVERY, () => this.#look());
  }

  #bus(): Readiness {
    if (this.#fatal !== null) return { ready: false, detail: this.#fatal };
    const { state, detail } = this.#options.bus.status();
    if (state === 'connected') return { ready: true, detail: null };
    const away = this.#awaySince === null ? 0 : this.#options.clock.monotonic() - this.#awaySince;
    const sentence = `The bus is ${state} for ${Math.round(away / SECOND)} s${detail === null ? '' : `: ${detail}`}.`;
    return { ready: state !== 'blocked' && away < AWAY_LONG, detail: sentence };
  }

  #spool(): Readiness {
    const { spool, spoolBytes } = this.#options;
    const { bytes, batches } = spool.stats();
    const full = Math.round((100 * bytes) / spoolBytes);
    if (bytes < NEARLY_FULL * spoolBytes) return { ready: true, detail: null };
    return {
      ready: false,
      detail: `The spool is ${full} % full: ${batches} batches wait for the broker or a receipt.`,
    };
  }
}
