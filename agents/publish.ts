import { BusRefused, BusTopologyError, BusUnavailable, messageOf, MessageTooLarge, SECOND } from '@nephometer/core';
import type { Bus, BusNames, Clock, DroppedSamples, Lane, Logger, Micros, Spool, SpooledBatch } from '@nephometer/core';
import { waitUntil } from './deadline.ts';
import { ResendWatch } from './resend.ts';
import type { SealedBatch } from './seal.ts';

export interface PublisherOptions {
  readonly bus: Bus;
  readonly names: BusNames;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly log: Logger;
  readonly resendAfter: Micros;
  readonly onPublished: (result: 'confirmed' | 'unavailable' | 'refused') => void;
  readonly onDropped: (dropped: DroppedSamples) => void;
  /** What no retry heals. */
  readonly onFatal: (cause: Error) => void;
}

type Publishable = Pick<SpooledBatch, 'digest' | 'body' | 'samples' | 'created'>;

/** Batches of the backlog that are under way at a time: the bus's window holds more, for those just taken. */
const ROUND = 64;
/** Batches just sealed that overtake the backlog, so that a fresh sample is seen while an hour of them drains. */
const MOST_OVERTAKING = 32;
/** A batch older than this is backlog. */
const FRESH_FOR: Micros = 10 * SECOND;
/** Without a receipt for so long, collectors are behind, and what comes now does not go into their queue of fresh ones. */
const LONGEST_UNRECEIPTED: Micros = 5 * SECOND;
const OTHER: Readonly<Record<Lane, Lane>> = { fresh: 'backlog', backlog: 'fresh' };
/** Batches of one lane between two that only look whether the other lane lost any. */
const BETWEEN_PROBES = 5;
const FIRST_WAIT: Micros = SECOND / 2;
const LONGEST_WAIT: Micros = 5 * SECOND;
/** How often batches without receipt are looked for. */
const RESEND_CHECK: Micros = 10 * SECOND;

/**
 * Sends spooled batches: the backlog oldest first, and beside it those just sealed. A batch is confirmed by the
 * broker, refused, or its outcome is unknown; only the first is marked, the others are sent again with the same bytes.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #resend: ResendWatch;
  readonly #underWay = new Set<string>();
  #overtaking = 0;
  /** By lane, when a batch was sent there last, and how many went the other way since. */
  readonly #sent: Record<Lane, { at: Micros; elsewhere: number }> = {
    fresh: { at: -Infinity, elsewhere: 0 },
    backlog: { at: -Infinity, elsewhere: 0 },
  };
  #failures = 0;
  #started = false;
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;
  #woken = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#resend = new ResendWatch(options);
  }

  /** To be called when the exchange is declared; calling again does nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#loop = this.#run();
  }

  /** A batch was just spooled: sent at once while all goes well, by the backlog's loop otherwise. */
  offer(batch: SealedBatch): void {
    if (this.#stopping || !this.#started) return;
    if (this.#failures > 0 || this.#overtaking >= MOST_OVERTAKING) return this.#wakeUp();
    this.#overtaking += 1;
    void this.#send([batch]).finally(() => {
      this.#overtaking -= 1;
      this.#wakeUp();
    });
  }

  /** Sends what is due once more while `until` has not passed and the bus takes it, then ends. */
  async drain(until: Micros): Promise<void> {
    const { clock } = this.#options;
    this.#stopping = true;
    this.#wakeUp();
    await waitUntil(clock, Math.max(0, until - clock.monotonic()), this.#loop);
    while (this.#started && clock.monotonic() < until) {
      const batches = await this.#due();
      if (batches.length === 0 || !(await this.#sendBefore(batches, until))) return;
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const batches = await this.#due();
      if (batches.length > 0 && (await this.#send(batches))) continue;
      if (this.#stopping) return;
      if (batches.length > 0) await this.#wait(this.#backOff(), false);
      else await this.#wait(RESEND_CHECK, true);
    }
  }

  async #due(): Promise<readonly SpooledBatch[]> {
    const { spool, log } = this.#options;
    try {
      const batches = await spool.due(this.#resend.before(), ROUND);
      return batches.filter(({ digest }) => !this.#underWay.has(digest));
    } catch (cause) {
      log.error({ cause: messageOf(cause) }, 'The spool cannot be read.');
      return [];
    }
  }

  /** Whether all were confirmed. */
  async #send(batches: readonly Publishable[]): Promise<boolean> {
    const { spool, clock } = this.#options;
    for (const { digest } of batches) this.#underWay.add(digest);
    const sent = await Promise.all(
      batches.map(async (batch) => {
        const lane = this.#laneOf(batch);
        return (await this.#publish(batch, lane)) ? [{ digest: batch.digest, lane }] : [];
      }),
    );
    const confirmed = sent.flat();
    for (const lane of ['fresh', 'backlog'] as const) {
      const digests = confirmed.filter((one) => one.lane === lane).map(({ digest }) => digest);
      if (digests.length > 0) await spool.markConfirmed(digests, clock.monotonic(), lane);
    }
    for (const { digest } of batches) this.#underWay.delete(digest);
    const all = confirmed.length === batches.length;
    this.#failures = all ? 0 : this.#failures + 1;
    return all;
  }

  async #sendBefore(batches: readonly Publishable[], until: Micros): Promise<boolean> {
    const { clock } = this.#options;
    const sending = this.#send(batches);
    const ended = await waitUntil(clock, Math.max(0, until - clock.monotonic()), sending);
    return ended && (await sending);
  }

  #laneOf({ created }: Publishable): Lane {
    const { clock, spool } = this.#options;
    const age = clock.now() - created;
    // What was sealed before the clock was set back is old as well.
    const isFresh = age >= 0 && age <= FRESH_FOR;
    const now = clock.monotonic();
    const isBehind = now - (spool.awaited('fresh') ?? now) > LONGEST_UNRECEIPTED;
    const usual = isFresh && !isBehind ? 'fresh' : 'backlog';
    const lane = isFresh && this.#wantsProbe(OTHER[usual], now) ? OTHER[usual] : usual;
    this.#sent[lane] = { at: now, elsewhere: 0 };
    this.#sent[OTHER[lane]].elsewhere += 1;
    return lane;
  }

  /**
   * A later batch with a receipt is what tells that those before it are lost. So where some wait, and none was sent for long, one
   * follows them; not for an agent that sends so seldom that they are sent again before.
   */
  #wantsProbe(lane: Lane, now: Micros): boolean {
    const awaited = this.#options.spool.awaited(lane);
    const { at, elsewhere } = this.#sent[lane];
    return awaited !== null && elsewhere >= BETWEEN_PROBES && now - Math.max(awaited, at) > this.#options.resendAfter;
  }

  async #publish(batch: Publishable, lane: Lane): Promise<boolean> {
    try {
      await publishBatch(batch, lane, this.#options);
      this.#options.onPublished('confirmed');
      return true;
    } catch (cause) {
      await this.#failed(batch, cause);
      return false;
    }
  }

  async #failed({ digest, body, samples }: Publishable, cause: unknown): Promise<void> {
    const { log, spool, onPublished, onDropped } = this.#options;
    if (cause instanceof MessageTooLarge) {
      log.error(
        { batch: digest, bytes: body.byteLength, cause: messageOf(cause) },
        'A batch is too large for the bus.',
      );
      try {
        await spool.release([digest]);
        onDropped({ reason: 'oversized', samples, from: null, to: null });
      } catch (failure) {
        // It is tried again, and told as lost once it is gone.
        log.error({ batch: digest, cause: messageOf(failure) }, 'The spool cannot let go of a batch.');
      }
      return;
    }
    if (cause instanceof BusTopologyError) this.#options.onFatal(cause);
    const refused = cause instanceof BusRefused;
    onPublished(refused ? 'refused' : 'unavailable');
    if (this.#failures > 0 && (refused || cause instanceof BusUnavailable)) return;
    const sentence = refused
      ? 'No queue took a batch; it stays in the spool.'
      : 'The broker cannot be reached; batches stay in the spool.';
    log.warn({ batch: digest, cause: messageOf(cause) }, sentence);
  }

  #backOff(): Micros {
    const cap = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(10, Math.max(0, this.#failures - 1)));
    return cap / 2 + (cap / 2) * Math.random();
  }

  /** A new batch ends the wait, but for one after a failure. */
  async #wait(span: Micros, isIdle: boolean): Promise<void> {
    const endsEarly = (): boolean => isIdle || this.#failures === 0 || this.#stopping;
    if (this.#woken && endsEarly()) {
      this.#woken = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(span, resolve);
      this.#wake = () => {
        if (!endsEarly()) return;
        timer.cancel();
        resolve();
      };
    });
    this.#wake = null;
    this.#woken = false;
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake?.();
  }
}

/** Resolves when a queue holds it. @throws BusUnavailable, BusRefused, MessageTooLarge */
async function publishBatch(
  { digest, body }: Pick<Publishable, 'digest' | 'body'>,
  lane: Lane,
  { bus, names }: Pick<PublisherOptions, 'bus' | 'names'>,
): Promise<void> {
  await bus.publish({
    exchange: names.exchange,
    routingKey: lane === 'fresh' ? names.sampleKey : names.backlogKey,
    body,
    messageId: digest,
    contentType: 'application/json',
  });
}
