import type { ConfirmChannel, Message } from 'amqplib';
import { BusRefused, BusUnavailable, MessageTooLarge, messageOf } from '@nephometer/core';
import type { Clock, Micros, OutgoingMessage, Timer } from '@nephometer/core';
import type { AmqpError } from './channel.ts';
import type { BusMetrics } from './metrics.ts';
import { deferred, within, type Deferred } from './wait.ts';

export interface PublisherOptions {
  readonly window: number;
  /** Bytes of a body. */
  readonly maxMessage: number;
  /** Longest wait for a connection. */
  readonly patience: Micros;
  /** A message came back: a queue or binding may be gone. */
  readonly onReturned: () => void;
  readonly clock: Clock;
  readonly metrics: BusMetrics;
}

interface Waiting {
  readonly message: OutgoingMessage;
  readonly done: Deferred<void>;
  timer: Timer | null;
}

interface Flight {
  readonly message: OutgoingMessage;
  readonly done: Deferred<void>;
  readonly since: Micros;
  returned: string | null;
}

/**
 * Messages wait in order for a place in the window of unconfirmed ones. Every outcome is one of three: confirmed, refused
 * (returned or nacked), unknown (the channel was lost first).
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #waiting: Waiting[] = [];
  /** In the order of publishing: the first is the oldest. */
  readonly #flights = new Set<Flight>();
  #channel: ConfirmChannel | null = null;
  #abandon: ((reason: Error) => void) | null = null;
  #blocked = false;
  /** The socket's buffer is full; cleared by `drain`. */
  #congested = false;
  #ended: Error | null = null;
  #idle: Deferred<void> | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  get unconfirmed(): number {
    return this.#flights.size;
  }

  /** Age of the oldest unconfirmed message; 0 when there is none. */
  get oldest(): Micros {
    const [first] = this.#flights;
    return first === undefined ? 0 : this.#options.clock.monotonic() - first.since;
  }

  async publish(message: OutgoingMessage): Promise<void> {
    if (this.#ended !== null) throw this.#ended;
    checkSize(message, this.#options.maxMessage);
    const waiting: Waiting = { message, done: deferred<void>(), timer: null };
    this.#waiting.push(waiting);
    if (this.#channel === null) this.#arm(waiting);
    this.#pump();
    await waiting.done.promise;
  }

  /** @param abandon asks for another channel */
  attach(channel: ConfirmChannel, abandon: (reason: Error) => void): void {
    this.#channel = channel;
    this.#abandon = abandon;
    this.#congested = false;
    channel.on('drain', () => {
      this.#congested = false;
      this.#pump();
    });
    channel.on('return', (message) => this.#return(message));
    // `error` comes before amqplib fails the confirms, and alone says why; without it `close` is the end.
    channel.on('error', (cause) => this.#lose(channel, cause));
    channel.on('close', () => this.#lose(channel, new Error('the channel was closed.')));
    for (const waiting of this.#waiting) this.#disarm(waiting);
    this.#pump();
  }

  /** The broker does not confirm although it does not ask to wait: another channel may do better. */
  renew(): void {
    if (this.#channel === null || this.#blocked) return;
    this.#abandon?.(new Error('the broker did not confirm in time.'));
  }

  /** The channel is gone: what it had not confirmed is unknown. */
  detach(reason: AmqpError): void {
    if (this.#channel === null) return;
    this.#channel = null;
    for (const flight of this.#flights) this.#settle(flight, lossOf(flight.message, reason));
    for (const waiting of this.#waiting) this.#arm(waiting);
  }

  #lose(channel: ConfirmChannel, reason: AmqpError): void {
    if (this.#channel === channel) this.detach(reason);
  }

  setBlocked(blocked: boolean): void {
    this.#blocked = blocked;
    this.#options.metrics.blocked.set(blocked ? 1 : 0);
    this.#pump();
  }

  /** Refuses what waits, waits for what is under way. */
  async close(cause: Error, limit: Micros): Promise<void> {
    this.#ended ??= cause;
    for (const waiting of this.#waiting.splice(0)) {
      this.#disarm(waiting);
      waiting.done.reject(cause);
    }
    if (this.#flights.size === 0) return;
    this.#idle ??= deferred<void>();
    const late = (): Error => new BusUnavailable('The broker did not confirm in time.');
    await within(this.#options.clock, limit, this.#idle.promise, late).catch(() => undefined);
  }

  #arm(waiting: Waiting): void {
    const { clock, patience } = this.#options;
    waiting.timer ??= clock.after(patience, () => {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      const { exchange, messageId } = waiting.message;
      const found = `Message ${messageId} for exchange "${exchange}" was not sent: no connection to the broker`;
      waiting.done.reject(new BusUnavailable(`${found} within ${patience / 1e6} s. Publish the same bytes again.`));
    });
  }

  #disarm(waiting: Waiting): void {
    waiting.timer?.cancel();
    waiting.timer = null;
  }

  #pump(): void {
    while (this.#channel !== null && !this.#blocked && !this.#congested) {
      if (this.#flights.size >= this.#options.window) return;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) return;
      this.#send(this.#channel, waiting);
    }
  }

  #send(channel: ConfirmChannel, { message, done }: Waiting): void {
    const flight: Flight = { message, done, since: this.#options.clock.monotonic(), returned: null };
    try {
      const confirm = (cause: Error | null): void => this.#confirm(flight, cause);
      const { exchange, routingKey, body } = message;
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      this.#flights.add(flight);
      this.#congested = !channel.publish(exchange, routingKey, bytes, publishOptions(message), confirm);
      this.#options.metrics.published.add();
    } catch (cause) {
      this.#settle(flight, unsent(message, cause));
    }
  }

  #return({ fields, properties }: Message): void {
    const { exchange, routingKey } = fields;
    for (const flight of this.#flights) {
      const { message } = flight;
      if (flight.returned !== null || message.messageId !== properties.messageId) continue;
      if (message.exchange !== exchange || message.routingKey !== routingKey) continue;
      flight.returned = (fields as { replyText?: string }).replyText ?? 'NO_ROUTE';
      this.#options.onReturned();
      return;
    }
  }

  #confirm(flight: Flight, cause: Error | null): void {
    const { exchange, routingKey, messageId } = flight.message;
    if (flight.returned !== null) {
      const found = `No queue is bound to exchange "${exchange}" for routing key "${routingKey}" (${flight.returned})`;
      return this.#settle(flight, new BusRefused(`${found}; message ${messageId} was not kept.`));
    }
    if (cause === null) return this.#settle(flight, null);
    if (cause.message !== 'message nacked') return this.detach(cause);
    this.#settle(flight, new BusRefused(`The broker refused message ${messageId} for exchange "${exchange}" (nack).`));
  }

  #settle(flight: Flight, cause: Error | null): void {
    if (!this.#flights.delete(flight)) return;
    const { metrics } = this.#options;
    if (cause === null) metrics.confirmed.add();
    else if (flight.returned !== null) metrics.returned.add();
    else if (cause instanceof BusUnavailable) metrics.unknown.add();
    else metrics.refused.add();
    if (cause === null) flight.done.resolve();
    else flight.done.reject(cause);
    if (this.#flights.size === 0) this.#idle?.resolve();
    this.#pump();
  }
}

function publishOptions({ messageId, contentType, headers, mandatory = true }: OutgoingMessage) {
  return {
    persistent: true,
    mandatory,
    messageId,
    ...(contentType === undefined ? {} : { contentType }),
    ...(headers === undefined ? {} : { headers }),
  };
}

/** AMQP's short strings: names, keys and ids. */
const SHORT_STRING = 255;

function checkSize({ body, messageId, exchange, routingKey }: OutgoingMessage, limit: number): void {
  if (body.byteLength > limit) {
    const found = `Message ${messageId} has ${body.byteLength} bytes`;
    throw new MessageTooLarge(`${found}; bus.max_message allows ${limit}. Split it.`);
  }
  for (const [what, text] of Object.entries({ messageId, exchange, routingKey })) {
    const size = Buffer.byteLength(text);
    if (size > SHORT_STRING) throw new MessageTooLarge(`The ${what} has ${size} bytes; AMQP allows ${SHORT_STRING}.`);
  }
}

function unsent({ messageId }: OutgoingMessage, cause: unknown): Error {
  if (cause instanceof RangeError) {
    return new MessageTooLarge(`The headers of message ${messageId} are too large: ${cause.message}.`);
  }
  return new BusUnavailable(`Message ${messageId} was not sent: ${messageOf(cause)}. Publish the same bytes again.`);
}

/** What the loss of the channel means for one message: usually unknown, unless the message itself was the reason. */
function lossOf({ messageId, exchange, body }: OutgoingMessage, reason: AmqpError): Error {
  const missing = /no exchange '(.*)' in vhost/.exec(reason.message);
  if (missing?.[1] === exchange) {
    return new BusRefused(`There is no exchange "${exchange}" on the broker; message ${messageId} was not kept.`);
  }
  const limit = /message size \d+ is larger than configured max size (\d+)/.exec(reason.message);
  if (limit !== null && body.byteLength > Number(limit[1])) {
    const found = `Message ${messageId} has ${body.byteLength} bytes; the broker allows ${limit[1]} (max_message_size)`;
    return new MessageTooLarge(`${found}. Split it.`);
  }
  return new BusUnavailable(
    `Whether the broker has message ${messageId} is unknown: ${reason.message} Publish the same bytes again.`,
  );
}
