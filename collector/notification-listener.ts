import {
  busNames,
  formatDuration,
  messageOf,
  MessageTooLarge,
  MeteringError,
  MINUTE,
  readNotification,
  Refusal,
  sampleTopology,
  SECOND,
  sha256,
  StoreUnavailable,
} from '@nephometer/core';
import type {
  Bus,
  BusNames,
  Clock,
  Config,
  Consumer,
  CounterMetric,
  Delivery,
  Keyring,
  LoadedPlugins,
  Logger,
  MetricRegistry,
  Micros,
  NotificationEnvelope,
  ProcessStatus,
  Readiness,
  Service,
  Store,
} from '@nephometer/core';
import { Hangs, LISTENER_TIMEOUT, onNotification } from './listen.ts';
import { activeListener } from './match.ts';
import type { ActiveListener } from './match.ts';
import { collectorMetrics } from './metrics.ts';
import { Quarantine } from './quarantine.ts';
import { notificationTopology } from './notification-topology.ts';
import { NotificationSealer } from './seal.ts';
import type { SealedBatch } from './seal.ts';
import { atMost, pause } from './wait.ts';

export interface NotificationListenerOptions {
  readonly config: Config;
  readonly bus: Bus;
  readonly plugins: LoadedPlugins;
  readonly keyring: Keyring;
  /** For the quarantine. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  readonly status: ProcessStatus;
  /** Longest that a listener may take on one notification. Default 10 s. */
  readonly timeout?: Micros;
}

/**
 * Listens to other services: their notifications become signed metering messages on our bus. A notification is
 * acknowledged when the broker has confirmed all that was made of it.
 */
export function createNotificationListener(options: NotificationListenerOptions): Service {
  return new NotificationListener(options);
}

const FIRST_BACKOFF: Micros = SECOND / 4;
const LONGEST_BACKOFF: Micros = 10 * SECOND;
const LONGEST_DRAIN: Micros = 10 * SECOND;

class NotificationListener implements Service {
  readonly name = 'notification listener';
  readonly #options: NotificationListenerOptions;
  readonly #names: BusNames;
  readonly #quarantine: Quarantine;
  readonly #counted: CounterMetric;
  readonly #samples: CounterMetric;
  /** Notifications in hand, by their bytes: one that is delivered again meanwhile is settled with the first. */
  readonly #jobs = new Map<string, { readonly deliveries: Delivery[]; readonly done: Promise<void> }>();
  readonly #consumers: Consumer[] = [];
  #listeners: readonly ActiveListener[] = [];
  #sealer: NotificationSealer | null = null;
  readonly #hangs = new Hangs();
  readonly #stopped = new AbortController();

  constructor(options: NotificationListenerOptions) {
    const { config, store, clock, log, metrics } = options;
    this.#options = options;
    this.#names = busNames(config.bus.namespace);
    options.status.addCheck('notifications', () => this.#readiness());
    this.#quarantine = new Quarantine({ store, clock, log, metrics: collectorMetrics(metrics), config });
    this.#counted = metrics.counter(
      'nephometer_collector_notifications_total',
      'Notifications, by outcome: published, empty (no sample made), ignored (nobody wants it), refused.',
    );
    this.#samples = metrics.counter(
      'nephometer_collector_notification_samples_total',
      'Samples made from notifications and confirmed by the broker.',
    );
  }

  /** @throws BusTopologyError when an exchange is declared otherwise by its service: see notifications.durable */
  async start(): Promise<void> {
    const { bus, config, plugins, log } = this.#options;
    this.#listeners = await Promise.all(plugins.listeners.map(activeListener));
    if (this.#listeners.length === 0) {
      log.info({}, 'No listener plugin is active; notifications are left alone.');
      return;
    }
    this.#sealer = new NotificationSealer(this.#options, (batch) => this.#publish(batch));
    const topology = notificationTopology(config, plugins, this.#names);
    await bus.declare(sampleTopology(this.#names, config.bus.delivery_limit));
    await bus.declare(topology);
    const { prefetch } = config.collector;
    for (const { name } of topology.queues) {
      if (this.#isStopping) return;
      this.#consumers.push(await bus.consume(name, { prefetch }, (delivery) => this.#take(delivery)));
    }
    const exchanges = topology.exchanges.map(({ name }) => name);
    log.info({ exchanges, listeners: this.#listeners.map(({ name }) => name) }, 'Listening to notifications.');
  }

  #readiness(): Readiness {
    const { state, detail } = this.#options.bus.status();
    if (state === 'connected' || this.#listeners.length === 0) return { ready: true, detail: null };
    return { ready: false, detail: `The bus is ${state}: ${detail ?? 'no reason known'}.` };
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    const jobs = [...this.#jobs.values()].map(({ done }) => done);
    await atMost(this.#options.clock, LONGEST_DRAIN, Promise.all(jobs));
    await Promise.all(this.#consumers.splice(0).map((consumer) => consumer.cancel()));
    await atMost(this.#options.clock, LONGEST_DRAIN, this.#quarantine.close());
  }

  get #isStopping(): boolean {
    return this.#stopped.signal.aborted;
  }

  #take(delivery: Delivery): void {
    if (this.#isStopping) return;
    const key = sha256(delivery.body);
    const known = this.#jobs.get(key);
    if (known !== undefined) {
      known.deliveries.push(delivery);
      return;
    }
    const deliveries = [delivery];
    const done = this.#work(delivery).then((isDone) => this.#settle(key, deliveries, isDone));
    this.#jobs.set(key, { deliveries, done });
  }

  async #work(delivery: Delivery): Promise<boolean> {
    try {
      return await this.#handle(delivery);
    } catch (cause) {
      const fields = { exchange: delivery.exchange, cause: messageOf(cause) };
      this.#options.log.error(fields, 'A notification could not be handled; it goes back to its queue.');
      // It will come again at once.
      await pause(this.#options.clock, SECOND, this.#stopped.signal);
      return false;
    }
  }

  #settle(key: string, deliveries: readonly Delivery[], isDone: boolean): void {
    this.#jobs.delete(key);
    for (const delivery of deliveries) {
      if (isDone) delivery.ack();
      // While stopping, the cancelled consumer gives it back, which counts as no failed delivery.
      else if (!this.#isStopping) delivery.requeue();
    }
  }

  /** True when all that is to be made of a notification is confirmed or in quarantine. */
  async #handle(delivery: Delivery): Promise<boolean> {
    const envelope = this.#read(delivery);
    if (envelope instanceof Refusal) {
      this.#counted.add(1, { outcome: 'refused' });
      return this.#refuse(delivery, null, [envelope]);
    }
    const wanting = this.#listeners.filter(({ wants }) => wants(envelope.eventType));
    if (wanting.length === 0) {
      this.#counted.add(1, { outcome: 'ignored' });
      return true;
    }
    // Each on its own: one that takes its time delays no sample of the others.
    const each = await Promise.all(wanting.map((listener) => this.#hear(envelope, listener)));
    if (each.some((part) => part === null)) return false;
    const samples = each.reduce((sum, part) => sum + (part?.samples ?? 0), 0);
    const refusals = [...each.flatMap((part) => part?.refusals ?? []), ...(samples > 0 ? [] : oddPayload(envelope))];
    this.#counted.add(1, { outcome: outcomeOf(samples, refusals.length) });
    return this.#refuse(delivery, envelope, refusals);
  }

  /** What one listener made of it, once that is confirmed; null when stopped before. */
  async #hear(
    envelope: NotificationEnvelope,
    listener: ActiveListener,
  ): Promise<{ samples: number; refusals: readonly Refusal[] } | null> {
    const { config, clock, timeout = LISTENER_TIMEOUT } = this.#options;
    const { max_attempts: maxAttempts } = config.collector;
    const clockAhead = config.signing.clock_ahead;
    const options = { clock, maxAttempts, timeout, clockAhead, hangs: this.#hangs };
    const heard = await onNotification(envelope, listener, options);
    const sealer = this.#sealer;
    if (sealer === null) return null;
    const { samples, tooLarge } = sealer.sign(heard.counters);
    if (!(await sealer.send(samples))) return null;
    this.#samples.add(samples.length);
    return { samples: samples.length, refusals: [...heard.refusals, ...tooLarge.map(refusalOfTooLarge)] };
  }

  #read(delivery: Delivery): NotificationEnvelope | Refusal {
    const most = this.#options.config.bus.max_message;
    if (delivery.body.length > most) {
      return new Refusal('oversized', `The notification has ${delivery.body.length} bytes; at most ${most} are taken.`);
    }
    try {
      return readNotification(delivery.body);
    } catch (cause) {
      return cause instanceof Refusal ? cause : new Refusal('malformed', messageOf(cause));
    }
  }

  /** Publishes until confirmed: after an unknown outcome the same bytes again. False when stopped before. */
  async #publish({ body, messageId }: SealedBatch): Promise<boolean> {
    const { bus, clock, log } = this.#options;
    const message = { exchange: this.#names.exchange, routingKey: this.#names.sampleKey, body, messageId };
    for (let backoff = FIRST_BACKOFF; !this.#isStopping; backoff = Math.min(backoff * 2, LONGEST_BACKOFF)) {
      try {
        await bus.publish({ ...message, contentType: 'application/json' });
        return true;
      } catch (cause) {
        if (cause instanceof MessageTooLarge || !(cause instanceof MeteringError && cause.retryable)) throw cause;
        log.warn(
          { cause: messageOf(cause), retry: formatDuration(backoff) },
          'Samples of a notification wait for the bus.',
        );
      }
      await pause(clock, backoff * (0.5 + Math.random() / 2), this.#stopped.signal);
    }
    return false;
  }

  /** One entry for each reason. False when the store did not take them for a while: the notification is not acknowledged. */
  async #refuse(
    delivery: Delivery,
    envelope: NotificationEnvelope | null,
    refusals: readonly Refusal[],
  ): Promise<boolean> {
    const { clock } = this.#options;
    const reasons = new Map(refusals.map((refusal) => [refusal.reason, refusal]));
    const started = clock.monotonic();
    for (const refusal of reasons.values()) {
      while (!(await this.#quarantined(delivery, envelope, refusal))) {
        if (this.#isStopping || clock.monotonic() - started > MINUTE) return false;
        await pause(clock, SECOND, this.#stopped.signal);
      }
    }
    return true;
  }

  async #quarantined(delivery: Delivery, envelope: NotificationEnvelope | null, refusal: Refusal): Promise<boolean> {
    const sender = `${delivery.exchange}/${delivery.routingKey}`;
    const unknown = { agentId: null, from: null, to: null, samples: 0 };
    const messageId = envelope?.messageId ?? null;
    try {
      const { body: bytes } = delivery;
      await this.#quarantine.put({ refusal, bytes, transport: 'notification', sender, messageId, ...unknown });
      return true;
    } catch (cause) {
      if (cause instanceof StoreUnavailable) return false;
      throw cause;
    }
  }
}

/** A listener may need no payload; but when none has made anything of it, somebody should look. */
function oddPayload({ eventType, oddPayload: found }: NotificationEnvelope): Refusal[] {
  if (found === null) return [];
  const right = 'an object would be right, and no listener could make a sample of this';
  return [new Refusal('field', `payload of ${eventType}: found ${found}; ${right}.`)];
}

function refusalOfTooLarge(meter: string): Refusal {
  return new Refusal('oversized', `A sample of ${meter} does not fit into a message (bus.max_message).`);
}

function outcomeOf(samples: number, refusals: number): string {
  if (refusals > 0) return 'refused';
  return samples > 0 ? 'published' : 'empty';
}
