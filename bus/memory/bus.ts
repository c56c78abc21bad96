import { BusRefused, BusUnavailable, MessageTooLarge, MetricRegistry, silentLogger } from '@nephometer/core';
import type {
  Bus,
  BusStatus,
  ConsumeOptions,
  Consumer,
  Delivery,
  Logger,
  OutgoingMessage,
  Topology,
} from '@nephometer/core';
import { MemoryBroker } from './broker.ts';
import { MemoryConsumer } from './consumer.ts';
import { memoryMetrics, type MemoryMetrics } from './metrics.ts';
import type { MemoryQueue } from './queue.ts';

export interface MemoryBusOptions {
  readonly log?: Logger;
  readonly metrics?: MetricRegistry;
  /** Shared by several buses, as processes share a broker. Default: one of its own. */
  readonly broker?: MemoryBroker;
  /** Bytes of a body. Default 16 MiB. */
  readonly maxMessage?: number;
}

/** The Bus inside one process. A publisher waits while a queue that takes its message is full. */
export class MemoryBus implements Bus {
  readonly #broker: MemoryBroker;
  readonly #log: Logger;
  readonly #metrics: MemoryMetrics;
  readonly #maxMessage: number;
  readonly #consumers = new Set<MemoryConsumer>();
  #isClosed = false;
  #waiting = 0;

  constructor({
    log = silentLogger,
    metrics = new MetricRegistry(),
    broker,
    maxMessage = 16 * 2 ** 20,
  }: MemoryBusOptions) {
    this.#log = log;
    this.#metrics = memoryMetrics(metrics);
    this.#broker = broker ?? new MemoryBroker({ log });
    this.#broker.onDropped((queue) => this.#metrics.dropped.add(1, { queue }));
    this.#maxMessage = maxMessage;
  }

  async declare({ exchanges, queues, bindings }: Topology): Promise<void> {
    this.#checkOpen();
    for (const exchange of exchanges) this.#broker.declareExchange(exchange);
    for (const queue of queues) this.#broker.declareQueue(queue, this);
    for (const binding of bindings) this.#broker.bind(binding);
  }

  async publish(message: OutgoingMessage): Promise<void> {
    this.#checkOpen();
    const { body, exchange, routingKey, messageId, headers = {}, mandatory = true } = message;
    if (body.byteLength > this.#maxMessage) {
      const found = `Message ${messageId} has ${body.byteLength} bytes`;
      throw new MessageTooLarge(`${found}; the bus allows ${this.#maxMessage}. Split it.`);
    }
    // The sender may reuse its buffer; on a wire it could.
    const copy = { body: Uint8Array.from(body), exchange, routingKey, messageId, headers: { ...headers } };
    this.#metrics.published.add();
    const queues = await this.#queuesWithRoom(message);
    if (queues.length === 0 && mandatory) {
      this.#metrics.returned.add();
      const found = `No queue is bound to exchange "${exchange}" for routing key "${routingKey}"`;
      throw new BusRefused(`${found}; message ${messageId} was not kept.`);
    }
    for (const queue of queues) queue.put(copy);
    this.#metrics.confirmed.add();
  }

  async consume(
    queue: string,
    { prefetch }: ConsumeOptions,
    handler: (delivery: Delivery) => void | Promise<void>,
  ): Promise<Consumer> {
    this.#checkOpen();
    const consumer = new MemoryConsumer({
      broker: this.#broker,
      owner: this,
      queue,
      prefetch,
      handler,
      onCancel: (ended) => this.#consumers.delete(ended),
      log: this.#log,
      metrics: this.#metrics,
    });
    consumer.start();
    this.#consumers.add(consumer);
    return consumer;
  }

  status(): BusStatus {
    const unconfirmed = this.#waiting;
    if (this.#isClosed) return { state: 'closed', detail: 'The bus was closed.', unconfirmed };
    if (unconfirmed === 0) return { state: 'connected', detail: null, unconfirmed };
    return {
      state: 'blocked',
      detail: `A queue is full (${this.#broker.queueLimit} bytes); publishers wait.`,
      unconfirmed,
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all([...this.#consumers].map((consumer) => consumer.cancel()));
    this.#broker.release(this);
    // Publishers that wait for room look again, and find the bus closed.
    this.#broker.announceRoom();
  }

  async #queuesWithRoom(message: OutgoingMessage): Promise<MemoryQueue[]> {
    for (;;) {
      const queues = this.#broker.route(message.exchange, message.routingKey);
      if (queues === null) {
        this.#metrics.returned.add();
        const found = `There is no exchange "${message.exchange}"`;
        throw new BusRefused(`${found}; message ${message.messageId} was not kept.`);
      }
      if (queues.every((queue) => this.#hasRoom(queue, message))) return queues;
      await this.#room();
      this.#checkOpen();
    }
  }

  /** An empty queue takes any message. */
  #hasRoom(queue: MemoryQueue, { body }: OutgoingMessage): boolean {
    return queue.bytes === 0 || queue.bytes + body.byteLength <= this.#broker.queueLimit;
  }

  async #room(): Promise<void> {
    this.#waiting++;
    await new Promise<void>((resolve) => this.#broker.whenRoom(resolve));
    this.#waiting--;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new BusUnavailable('The bus was closed.');
  }
}

export function createMemoryBus(options: MemoryBusOptions = {}): MemoryBus {
  return new MemoryBus(options);
}

/** A broker for several memory buses: give it to each as `broker`. */
export function createMemoryBroker(options: ConstructorParameters<typeof MemoryBroker>[0] = {}): MemoryBroker {
  return new MemoryBroker(options);
}
