import { BusUnavailable, SECOND, messageOf, systemClock } from '@nephometer/core';
import type {
  Bus,
  BusStatus,
  Clock,
  ConsumeOptions,
  Consumer,
  Logger,
  MetricRegistry,
  Micros,
  OutgoingMessage,
  Topology,
} from '@nephometer/core';
import type { ChannelModel } from 'amqplib';
import { closeChannel, openConfirmChannel } from './channel.ts';
import { AmqpConsumer, type Handler } from './consumer.ts';
import { dial, maskUrl, type BusSettings } from './dial.ts';
import { Link, type Session } from './link.ts';
import { busMetrics, type BusMetrics } from './metrics.ts';
import { Publisher } from './publisher.ts';
import { declareTopology, EMPTY_TOPOLOGY, mergeTopology, sharedTopology } from './topology.ts';
import { watchConfirms } from './watchdog.ts';
import { deferred, within } from './wait.ts';

export interface AmqpBusOptions {
  /** `amqp:` or `amqps:`; the password may stand in `config.password_file` instead. */
  readonly url: string;
  readonly config: BusSettings;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  readonly clock?: Clock;
  /** Longest wait of publish, declare and consume for a connection. Default 10 s. */
  readonly patience?: Micros;
  /** Longest wait of close for outstanding confirms. Default 10 s. */
  readonly closeLimit?: Micros;
  /** Larger bodies are rejected to the dead-letter exchange unseen. Bytes; default 4 x max_message. */
  readonly hardLimit?: number;
  /** The broker can no longer be used (topology declared otherwise while we were away). The process should exit. */
  readonly onFatal?: (cause: Error) => void;
}

const REDECLARE_EVERY = 10 * SECOND;

/** The Bus on RabbitMQ: one connection to publish, one to consume, since a broker that throttles publishers must not stall acknowledgements. */
export class AmqpBus implements Bus {
  readonly #options: AmqpBusOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #metrics: BusMetrics;
  readonly #patience: Micros;
  readonly #publishing: Link;
  readonly #consuming: Link;
  readonly #publisher: Publisher;
  readonly #consumers = new Set<AmqpConsumer>();
  readonly #stopWatching: () => void;
  #topology: Topology = EMPTY_TOPOLOGY;
  #blockedBy: string | null = null;
  #redeclaredAt: Micros | null = null;
  #connected = false;
  #closing: Promise<void> | null = null;

  constructor(options: AmqpBusOptions) {
    const { config, log, metrics, clock = systemClock, patience = 10 * SECOND } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log.child({ broker: maskUrl(options.url) });
    this.#metrics = busMetrics(metrics);
    this.#patience = patience;
    this.#publisher = new Publisher({
      window: config.window,
      maxMessage: config.max_message,
      patience,
      onReturned: () => void this.#healRoutes(),
      clock,
      metrics: this.#metrics,
    });
    this.#publishing = this.#link('publish', (model) => this.#openPublisher(model));
    this.#consuming = this.#link('consume', (model) => this.#openConsumers(model));
    this.#stopWatching = watchConfirms(this.#publisher, config.confirm_alarm, this.#metrics, clock, this.#log);
    metrics.onCollect(() => {
      this.#metrics.unconfirmed.set(this.#publisher.unconfirmed);
      this.#metrics.oldest.set(this.#publisher.oldest / SECOND);
    });
  }

  /**
   * The first connection, with what was declared so far. Tries until the broker can be reached.
   * @throws BusTopologyError (access denied, declared otherwise), ConfigError (URL, password file), BusUnavailable (closed meanwhile)
   */
  async connect(): Promise<void> {
    if (this.#closing !== null) throw closedError();
    try {
      await Promise.all([this.#consuming.start(), this.#publishing.start()]);
      this.#connected = true;
    } catch (cause) {
      await this.close();
      throw cause;
    }
  }

  /** Before `connect` it is only noted. */
  async declare(topology: Topology): Promise<void> {
    if (this.#closing !== null) throw closedError();
    if (!this.#consuming.started) {
      this.#topology = mergeTopology(this.#topology, topology);
      return;
    }
    const model = await this.#whenUp();
    await declareTopology(model, topology, this.#clock, this.#log);
    this.#topology = mergeTopology(this.#topology, topology);
  }

  async publish(message: OutgoingMessage): Promise<void> {
    await this.#publisher.publish(message);
  }

  /** Before `connect` it is only noted. */
  async consume(queue: string, options: ConsumeOptions, handler: Handler): Promise<Consumer> {
    if (this.#closing !== null) throw closedError();
    const consumer = new AmqpConsumer(queue, options, handler, {
      link: this.#consuming,
      redeclare: () => this.#redeclare(),
      onCancel: (ended) => this.#consumers.delete(ended),
      hardLimit: this.#options.hardLimit ?? 4 * this.#options.config.max_message,
      patience: this.#patience,
      reconnectMax: this.#options.config.reconnect_max,
      clock: this.#clock,
      log: this.#log,
      metrics: this.#metrics,
    });
    this.#consumers.add(consumer);
    const begun = consumer.start();
    if (!this.#consuming.started) return consumer;
    try {
      await within(this.#clock, this.#patience, begun, () => this.#unreachable());
    } catch (cause) {
      await consumer.cancel();
      throw cause;
    }
    return consumer;
  }

  status(): BusStatus {
    const counts = { unconfirmed: this.#publisher.unconfirmed, connections: this.#publishing.connections };
    const failure = this.#consuming.failure ?? this.#publishing.failure;
    if (failure !== null) return { state: 'closed', detail: failure.message, ...counts };
    if (this.#closing !== null) return { state: 'closed', detail: 'The bus was closed.', ...counts };
    const down = [this.#consuming, this.#publishing].find((link) => !link.isUp);
    if (down !== undefined) return { state: 'connecting', detail: down.detail, ...counts };
    if (this.#blockedBy === null) return { state: 'connected', detail: null, ...counts };
    return { state: 'blocked', detail: `The broker asks publishers to wait: ${this.#blockedBy}.`, ...counts };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopWatching();
    const confirmed = this.#publisher.close(closedError(), this.#options.closeLimit ?? 10 * SECOND);
    await Promise.all([...this.#consumers].map((consumer) => consumer.cancel()));
    await this.#consuming.close();
    await confirmed;
    await this.#publishing.close();
  }

  #link(role: 'publish' | 'consume', setup: (model: ChannelModel) => Promise<Session>): Link {
    const { url, config, name } = this.#options;
    return new Link({
      role,
      dial: () => dial(url, config, `${name} (${role})`),
      setup,
      onDown: (reason) => this.#onDown(role, reason),
      onBlocked: (reason) => this.#onBlocked(role, reason),
      onReconnect: () => this.#metrics.reconnects.add(1, { link: role }),
      onFatal: (cause) => this.#onFatal(cause),
      reconnectMax: config.reconnect_max,
      clock: this.#clock,
      log: this.#log,
    });
  }

  async #openPublisher(model: ChannelModel): Promise<Session> {
    await declareTopology(model, sharedTopology(this.#topology), this.#clock, this.#log);
    const { channel, ended } = await openConfirmChannel(model, this.#log);
    const abandoned = deferred<Error>();
    this.#publisher.attach(channel, (reason) => abandoned.resolve(reason));
    void abandoned.promise.then(() => closeChannel(this.#clock, channel));
    return { ended: Promise.race([ended, abandoned.promise]) };
  }

  async #openConsumers(model: ChannelModel): Promise<Session> {
    await declareTopology(model, this.#topology, this.#clock, this.#log);
    // Consumers watch over channels of their own.
    return { ended: new Promise(() => undefined) };
  }

  #onDown(role: 'publish' | 'consume', reason: Error): void {
    if (role === 'publish') this.#publisher.detach(reason);
  }

  #onBlocked(role: 'publish' | 'consume', reason: string | null): void {
    if (role === 'consume' || reason === this.#blockedBy) return;
    this.#blockedBy = reason;
    this.#publisher.setBlocked(reason !== null);
    if (reason === null) this.#log.info({}, 'The broker takes messages again.');
    else this.#log.warn({ reason }, 'The broker asks publishers to wait.');
  }

  #onFatal(cause: Error): void {
    // Before the first connection connect() throws it.
    if (!this.#connected) return;
    void this.close();
    this.#options.onFatal?.(cause);
  }

  async #redeclare(): Promise<void> {
    const model = await this.#whenUp();
    await declareTopology(model, this.#topology, this.#clock, this.#log);
  }

  /** A message found no queue: perhaps someone deleted it. Seldom, since a missing binding may also be meant. */
  async #healRoutes(): Promise<void> {
    const now = this.#clock.monotonic();
    if (this.#redeclaredAt !== null && now - this.#redeclaredAt < REDECLARE_EVERY) return;
    this.#redeclaredAt = now;
    this.#log.warn({}, 'A message found no queue; declaring exchanges, queues and bindings again.');
    try {
      await this.#redeclare();
    } catch (cause) {
      this.#log.error({ cause: messageOf(cause) }, 'The topology could not be declared again.');
    }
  }

  #whenUp(): Promise<ChannelModel> {
    return within(this.#clock, this.#patience, this.#consuming.whenUp(), () => this.#unreachable());
  }

  #unreachable(): BusUnavailable {
    return new BusUnavailable(
      `No connection to the broker within ${this.#patience / SECOND} s: ${this.#consuming.detail}`,
    );
  }
}

/** Does not connect yet: declare and consume first, then `connect()`, or the other way round. */
export function createAmqpBus(options: AmqpBusOptions): AmqpBus {
  return new AmqpBus(options);
}

function closedError(): BusUnavailable {
  return new BusUnavailable('The bus was closed.');
}
