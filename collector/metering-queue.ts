import { messageOf, SECOND } from '@nephometer/core';
import type { Bus, Clock, Consumer, Delivery, Logger, Micros, Timer } from '@nephometer/core';
import { atMost, pause } from './wait.ts';

export interface MeteringQueueOptions {
  readonly bus: Bus;
  readonly queue: string;
  readonly prefetch: number;
  /** Most deliveries handled in one go, and the longest wait for that many. */
  readonly batch: number;
  readonly linger: Micros;
  readonly clock: Clock;
  readonly log: Logger;
  /** Settles the deliveries of one group. When it throws, all of them go back to the queue. */
  readonly handle: (deliveries: readonly Delivery[]) => Promise<void>;
  /** Resolves when handling may be tried again. */
  readonly check: () => Promise<void>;
  readonly onPause: () => void;
}

const FIRST_BACKOFF: Micros = SECOND / 4;
/** Short enough that fresh samples flow again within ten seconds of the end of an outage. */
const LONGEST_BACKOFF: Micros = SECOND;
const LONGEST_DRAIN: Micros = 10 * SECOND;

/**
 * One queue's deliveries in groups, one group at a time.
 *
 *     consuming --handle throws--> paused --check answers--> consuming
 *
 * While paused nothing is held: the broker has the messages. The wait before each check grows until a group was handled.
 */
export class MeteringQueue {
  readonly #options: MeteringQueueOptions;
  #pending: Delivery[] = [];
  #consumer: Promise<Consumer> | null = null;
  #working: Promise<void> | null = null;
  #timer: Timer | null = null;
  #state: 'consuming' | 'paused' | 'stopping' = 'consuming';
  #backoff = FIRST_BACKOFF;
  readonly #stopped = new AbortController();

  constructor(options: MeteringQueueOptions) {
    this.#options = options;
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  async start(): Promise<void> {
    const { bus, queue, prefetch } = this.#options;
    this.#consumer = bus.consume(queue, { prefetch }, (delivery) => this.#take(delivery));
    await this.#consumer;
  }

  /** Finishes the group in hand (for a bounded time); what is not acknowledged goes back to the queue. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    this.#timer?.cancel();
    this.#pending = [];
    this.#stopped.abort();
    if (this.#working !== null) await atMost(this.#options.clock, LONGEST_DRAIN, this.#working);
    await (await this.#consumer)?.cancel();
  }

  #take(delivery: Delivery): void {
    if (this.#state !== 'consuming') return;
    this.#pending.push(delivery);
    if (this.#pending.length >= this.#options.batch) this.#work();
    else this.#timer ??= this.#options.clock.after(this.#options.linger, () => this.#work());
  }

  #work(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#working ??= this.#handleAll().finally(() => {
      this.#working = null;
      if (this.#pending.length > 0) this.#work();
    });
  }

  async #handleAll(): Promise<void> {
    while (this.#state === 'consuming' && this.#pending.length > 0) {
      const group = this.#pending.splice(0, this.#options.batch);
      try {
        await this.#options.handle(group);
        this.#backoff = FIRST_BACKOFF;
      } catch (cause) {
        await this.#waitOut(cause);
      }
    }
  }

  async #waitOut(cause: unknown): Promise<void> {
    if (this.#state !== 'consuming') return;
    this.#state = 'paused';
    this.#pending = [];
    this.#options.onPause();
    const { queue, log } = this.#options;
    log.warn(
      { queue, cause: messageOf(cause) },
      'The store is away; consumption is paused, the broker keeps the messages.',
    );
    await this.#eachTry(async () => (await this.#consumer)?.pause(), 'The consumer could not be paused.');
    while (this.isPaused) {
      await pause(this.#options.clock, this.#nextWait(), this.#stopped.signal);
      if (this.isPaused && (await this.#answers())) break;
    }
    if (!this.isPaused) return;
    this.#state = 'consuming';
    await this.#eachTry(async () => (await this.#consumer)?.resume(), 'The consumer could not be resumed.');
    log.info({ queue }, 'The store answers; consumption goes on.');
  }

  /** Full jitter, so that collectors do not all come back at once. */
  #nextWait(): Micros {
    const wait = this.#backoff * (0.5 + Math.random() / 2);
    this.#backoff = Math.min(this.#backoff * 2, LONGEST_BACKOFF);
    return wait;
  }

  async #answers(): Promise<boolean> {
    try {
      await this.#options.check();
      return true;
    } catch {
      return false;
    }
  }

  async #eachTry(act: () => Promise<void> | undefined, sentence: string): Promise<void> {
    try {
      await act();
    } catch (cause) {
      this.#options.log.error({ queue: this.#options.queue, cause: messageOf(cause) }, sentence);
    }
  }
}
