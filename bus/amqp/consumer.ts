import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { BusTopologyError, BusUnavailable, messageOf } from '@nephometer/core';
import type { Clock, ConsumeOptions, Consumer, Delivery, Logger, Micros } from '@nephometer/core';
import { fullJitter, STABLE } from './backoff.ts';
import { closeChannel, openChannel, type AmqpError } from './channel.ts';
import { DeliveryChannel } from './delivery.ts';
import type { Link } from './link.ts';
import type { BusMetrics } from './metrics.ts';
import { deferred, sleep, unlessAborted, within, type Deferred } from './wait.ts';

export interface ConsumerOptions {
  readonly link: Link;
  /** Declares everything again on the connection that is up. */
  readonly redeclare: () => Promise<void>;
  readonly onCancel: (consumer: AmqpConsumer) => void;
  /** Bytes of a body that no handler is given. */
  readonly hardLimit: number;
  /** Longest wait of `resume` for a connection. */
  readonly patience: Micros;
  readonly reconnectMax: Micros;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BusMetrics;
}

export type Handler = (delivery: Delivery) => void | Promise<void>;

/**
 * One queue's deliveries on a channel of their own. After any loss (connection, channel, queue deleted) a new channel
 * takes over; deliveries of the old one can no longer be settled, the broker delivers them again.
 */
export class AmqpConsumer implements Consumer {
  readonly #queue: string;
  readonly #prefetch: number;
  readonly #handler: Handler;
  readonly #options: ConsumerOptions;
  readonly #labels: { readonly queue: string };
  #stop: AbortController | null = null;
  #serving: Promise<void> = Promise.resolve();
  #isCancelled = false;
  #begun: Deferred<void> = deferred<void>();

  constructor(queue: string, { prefetch }: ConsumeOptions, handler: Handler, options: ConsumerOptions) {
    this.#queue = queue;
    this.#prefetch = prefetch;
    this.#handler = handler;
    this.#options = options;
    this.#labels = { queue };
  }

  /** Begins to serve. Resolves when the broker has accepted the consumer. @throws BusTopologyError when it will not */
  start(): Promise<void> {
    if (this.#stop === null && !this.#isCancelled) {
      const { signal } = (this.#stop = new AbortController());
      this.#begun = deferred<void>();
      this.#serving = this.#serving.then(() => this.#serve(signal));
    }
    return this.#begun.promise;
  }

  async pause(): Promise<void> {
    this.#stop?.abort();
    this.#stop = null;
    await this.#serving;
  }

  /** Resolves when deliveries flow again, or when that takes longer than usual: it goes on trying. */
  async resume(): Promise<void> {
    const late = (): Error => new BusUnavailable('No connection yet.');
    await within(this.#options.clock, this.#options.patience, this.start(), late).catch(() => undefined);
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#options.onCancel(this);
    await this.pause();
  }

  async #serve(signal: AbortSignal): Promise<void> {
    const { clock, log, link, reconnectMax } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const since = clock.monotonic();
      const model = await this.#connection(signal);
      if (model === null) break;
      const reason = await this.#session(model, signal);
      if (signal.aborted) break;
      this.#refuse(reason);
      if (clock.monotonic() - since >= STABLE) attempt = 0;
      log.warn({ queue: this.#queue, reason: reason.message }, 'A consumer was lost; taking it up again.');
      await sleep(clock, fullJitter(attempt, reconnectMax), signal);
      if (link.model === model) await this.#heal();
    }
    this.#begun.reject(link.failure ?? new BusUnavailable(`The consumer of queue "${this.#queue}" was stopped.`));
  }

  /** The connection once it is up; null when it will not be, or when asked to stop. */
  async #connection(signal: AbortSignal): Promise<ChannelModel | null> {
    try {
      return await unlessAborted(signal, this.#options.link.whenUp());
    } catch {
      return null;
    }
  }

  /** One channel from its opening to its end; resolves to why it ended. */
  async #session(model: ChannelModel, signal: AbortSignal): Promise<AmqpError> {
    const { clock, log, metrics } = this.#options;
    let channel: Channel | null = null;
    let deliveries: DeliveryChannel | null = null;
    try {
      const opened = await openChannel(model, log);
      channel = opened.channel;
      deliveries = new DeliveryChannel(channel, () => metrics.stale.add(1, this.#labels));
      const deleted = await this.#consume(channel, deliveries);
      this.#begun.resolve();
      const end = await unlessAborted(signal, Promise.race([opened.ended, deleted.promise]));
      return end ?? new Error('Stopped.');
    } catch (cause) {
      return cause instanceof Error ? cause : new Error(String(cause));
    } finally {
      deliveries?.close();
      if (channel !== null) await closeChannel(clock, channel);
    }
  }

  /** Returns what resolves when the broker cancels the consumer: the queue is gone. */
  async #consume(channel: Channel, deliveries: DeliveryChannel): Promise<Deferred<Error>> {
    const deleted = deferred<Error>();
    await channel.prefetch(this.#prefetch);
    await channel.consume(this.#queue, (message) => {
      if (message === null) deleted.resolve(new Error('The broker cancelled the consumer: the queue was deleted.'));
      else if (deliveries.isOpen) void this.#deliver(deliveries, message);
    });
    return deleted;
  }

  /** Never throws: it is called from within amqplib's parser. */
  async #deliver(deliveries: DeliveryChannel, message: ConsumeMessage): Promise<void> {
    const { metrics, log, hardLimit } = this.#options;
    metrics.delivered.add(1, this.#labels);
    if (message.fields.redelivered) metrics.redelivered.add(1, this.#labels);
    if (message.content.length > hardLimit) {
      const fields = { queue: this.#queue, bytes: message.content.length, limit: hardLimit };
      log.error(fields, 'A message is larger than a process can take; rejected to the dead-letter exchange.');
      metrics.oversized.add(1, this.#labels);
      return deliveries.settle(message, 'reject');
    }
    const delivery = deliveries.delivery(message);
    try {
      await this.#handler(delivery);
    } catch (cause) {
      metrics.failed.add(1, this.#labels);
      log.error(
        { queue: this.#queue, messageId: delivery.messageId, cause: messageOf(cause) },
        'A handler failed; the message goes back to its queue.',
      );
      delivery.requeue();
    }
  }

  /** The first answer to `consume` may be that it never will work. */
  #refuse({ code, message }: AmqpError): void {
    if (code !== 403 && code !== 404 && code !== 405) return;
    const remedy = 'Declare the queue first, and give the user read permission on it.';
    this.#begun.reject(new BusTopologyError(`Queue "${this.#queue}" cannot be consumed: ${message}. ${remedy}`));
  }

  async #heal(): Promise<void> {
    try {
      await this.#options.redeclare();
    } catch (cause) {
      this.#options.log.warn({ queue: this.#queue, cause: messageOf(cause) }, 'The topology could not be declared.');
    }
  }
}
