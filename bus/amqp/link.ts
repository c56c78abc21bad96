import type { ChannelModel } from 'amqplib';
import { BusTopologyError, BusUnavailable, ConfigError, messageOf } from '@nephometer/core';
import type { Clock, Logger, Micros } from '@nephometer/core';
import { fullJitter, STABLE } from './backoff.ts';
import { hangUp } from './channel.ts';
import { AccessDenied } from './dial.ts';
import { watchSilence } from './silence.ts';
import { deferred, sleep, unlessAborted } from './wait.ts';

/** What lives on a connection; `ended` asks for another setup on the same connection. */
export interface Session {
  readonly ended: Promise<Error>;
}

export interface LinkOptions {
  readonly role: 'publish' | 'consume';
  readonly dial: () => Promise<ChannelModel>;
  /** Declares and opens on a connection that is new or has lost its session. */
  readonly setup: (model: ChannelModel) => Promise<Session>;
  readonly onDown: (reason: Error) => void;
  readonly onBlocked: (reason: string | null) => void;
  readonly onReconnect: () => void;
  /** A permanent failure after the first connection; before it, `start` rejects. */
  readonly onFatal: (cause: Error) => void;
  readonly reconnectMax: Micros;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * One connection, kept. A loop, not a state machine:
 *
 *   dial -> setup -> up, until the connection closes (again from dial, with back-off) or the session ends (again from setup)
 *
 * A permanent failure (wrong topology; at the first connection also access denied) ends the loop for good. Recovery is driven by the
 * connection's `close` alone: a broker that is shut down emits no `error`.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  readonly #first = deferred<void>();
  #running: Promise<void> | null = null;
  #up = deferred<ChannelModel>();
  #model: ChannelModel | null = null;
  #wasUp = false;
  #connections = 0;
  #upSince: Micros | null = null;
  #detail = 'Not connected yet.';
  #failure: Error | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get started(): boolean {
    return this.#running !== null;
  }

  get isUp(): boolean {
    return this.#model !== null;
  }

  /** Connections that were made so far. */
  get connections(): number {
    return this.#connections;
  }

  /** The connection while it is up. */
  get model(): ChannelModel | null {
    return this.#model;
  }

  /** Why it is not up. */
  get detail(): string {
    return this.#detail;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  /** Resolves at the first connection. @throws what is permanent; BusUnavailable when closed before */
  start(): Promise<void> {
    this.#running ??= this.#keep();
    return this.#first.promise;
  }

  /** The connection, once it is set up. Rejects when the link is closed or has failed for good. */
  whenUp(): Promise<ChannelModel> {
    return this.#up.promise;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#end(new BusUnavailable('The bus was closed.'));
    await this.#running;
  }

  async #keep(): Promise<void> {
    const { clock, log, role, reconnectMax } = this.#options;
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      const reason = await this.#connection();
      if (this.#stop.signal.aborted) return;
      if (this.#isPermanent(reason)) return this.#fail(reason);
      if (this.#upSince !== null && clock.monotonic() - this.#upSince >= STABLE) attempt = 0;
      this.#upSince = null;
      this.#detail = messageOf(reason);
      const wait = fullJitter(attempt, reconnectMax);
      log.warn({ link: role, reason: this.#detail, waitMs: Math.round(wait / 1000) }, 'No connection; trying again.');
      await sleep(clock, wait, this.#stop.signal);
    }
  }

  /** One connection from dial to its end; resolves to why it ended. */
  async #connection(): Promise<Error> {
    const { clock, dial, log, role } = this.#options;
    let model: ChannelModel | null = null;
    try {
      model = await dial();
      const lost = this.#watch(model);
      for (let attempt = 0; ; attempt++) {
        const session = await unlessAborted(this.#stop.signal, Promise.race([this.#options.setup(model), lost.failed]));
        if (session === null) return new BusUnavailable('The bus was closed.');
        this.#goUp(model);
        const end = await unlessAborted(this.#stop.signal, Promise.race([lost.promise, session.ended]));
        if (end === null || lost.isLost()) return end ?? new BusUnavailable('The bus was closed.');
        log.warn({ link: role, reason: end.message }, 'A channel was closed; opening another.');
        this.#goDown(end);
        await sleep(clock, fullJitter(attempt, this.#options.reconnectMax), this.#stop.signal);
      }
    } catch (cause) {
      return cause instanceof Error ? cause : new Error(String(cause));
    } finally {
      this.#options.onBlocked(null);
      if (model !== null) await this.#leave(model);
    }
  }

  async #leave(model: ChannelModel): Promise<void> {
    // Down first: whoever publishes must not see the connection that is about to close.
    this.#goDown(new BusUnavailable('The connection to the broker was lost.'));
    await hangUp(this.#options.clock, model);
  }

  #watch(model: ChannelModel) {
    const { clock, log, role, onBlocked } = this.#options;
    const stopLooking = watchSilence(model, clock);
    const lost = deferred<Error>();
    const failed = deferred<never>();
    let isLost = false;
    model.on('error', (cause) =>
      log.warn({ link: role, cause: messageOf(cause) }, 'The connection reported an error.'),
    );
    model.on('close', (cause?: Error) => {
      stopLooking();
      isLost = true;
      const reason = cause ?? new Error('The connection was closed.');
      lost.resolve(reason);
      failed.reject(reason);
    });
    model.on('blocked', (reason) => onBlocked(reason));
    model.on('unblocked', () => onBlocked(null));
    const inner = model.connection as unknown as { on(event: string, listener: (cause: unknown) => void): void };
    inner.on('handler-error', (cause) => log.error({ link: role, cause: messageOf(cause) }, 'A handler failed.'));
    return { promise: lost.promise, failed: failed.promise, isLost: () => isLost };
  }

  #goUp(model: ChannelModel): void {
    const { clock, log, role, onReconnect } = this.#options;
    if (this.#wasUp && this.#upSince === null) onReconnect();
    if (this.#upSince === null) log.info({ link: role }, 'Connected to the broker.');
    if (this.#upSince === null) this.#connections += 1;
    this.#upSince ??= clock.monotonic();
    this.#model = model;
    this.#wasUp = true;
    this.#up.resolve(model);
    this.#first.resolve();
  }

  #goDown(reason: Error): void {
    if (this.#model === null) return;
    this.#model = null;
    this.#detail = reason.message;
    if (!this.#stop.signal.aborted) this.#up = deferred<ChannelModel>();
    this.#options.onDown(reason);
  }

  #isPermanent(reason: Error): boolean {
    if (reason instanceof AccessDenied || reason instanceof ConfigError) return !this.#wasUp;
    return reason instanceof BusTopologyError;
  }

  #fail(cause: Error): void {
    this.#failure = cause;
    this.#detail = cause.message;
    this.#options.log.error({ link: this.#options.role, cause: cause.message }, 'The broker cannot be used.');
    this.#end(cause);
    this.#options.onFatal(cause);
  }

  #end(cause: Error): void {
    this.#first.reject(cause);
    if (this.#model !== null) this.#up = deferred<ChannelModel>();
    this.#up.reject(cause);
  }
}
