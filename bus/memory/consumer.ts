import { messageOf, type Consumer, type Delivery, type Logger } from '@nephometer/core';
import type { MemoryBroker } from './broker.ts';
import type { MemoryMetrics } from './metrics.ts';
import type { Held, MemoryQueue, Taker } from './queue.ts';

export interface MemoryConsumerOptions {
  readonly broker: MemoryBroker;
  readonly owner: object;
  readonly queue: string;
  readonly prefetch: number;
  readonly handler: (delivery: Delivery) => void | Promise<void>;
  readonly onCancel: (consumer: MemoryConsumer) => void;
  readonly log: Logger;
  readonly metrics: MemoryMetrics;
}

/** Takes a queue's messages, at most `prefetch` unsettled at a time. */
export class MemoryConsumer implements Consumer, Taker {
  readonly #options: MemoryConsumerOptions;
  /** Unsettled deliveries in order. What is not here any more cannot be settled: the late acknowledgement is dropped. */
  readonly #unsettled = new Set<Held>();
  #queue: MemoryQueue | null = null;
  #isCancelled = false;

  constructor(options: MemoryConsumerOptions) {
    this.#options = options;
  }

  hasRoom(): boolean {
    return this.#unsettled.size < this.#options.prefetch;
  }

  take(message: Held): void {
    const { queue } = this;
    if (queue === null) return;
    this.#unsettled.add(message);
    const { metrics, handler, log } = this.#options;
    const labels = { queue: queue.spec.name };
    metrics.delivered.add(1, labels);
    if (message.deliveries > 1) metrics.redelivered.add(1, labels);
    const delivery = this.#delivery(queue, message);
    const failed = (cause: unknown): void => {
      metrics.failed.add(1, labels);
      const fields = { ...labels, messageId: message.messageId, cause: messageOf(cause) };
      log.error(fields, 'A handler failed; the message goes back to its queue.');
      delivery.requeue();
    };
    void (async () => handler(delivery))().catch(failed);
  }

  /** @throws BusTopologyError when there is no such queue */
  start(): void {
    if (this.#queue !== null || this.#isCancelled) return;
    this.#queue = this.#options.broker.checkAccess(this.#options.queue, this.#options.owner);
    this.#queue.join(this);
  }

  get queue(): MemoryQueue | null {
    return this.#queue;
  }

  async pause(): Promise<void> {
    const queue = this.#queue;
    if (queue === null) return;
    this.#queue = null;
    queue.leave(this);
    const unsettled = [...this.#unsettled];
    this.#unsettled.clear();
    for (const message of unsettled) queue.giveBack(message, false);
    this.#options.broker.onUnused(queue);
  }

  async resume(): Promise<void> {
    this.start();
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#options.onCancel(this);
    await this.pause();
  }

  #delivery(queue: MemoryQueue, message: Held): Delivery {
    const deliveryCount = message.deliveries - 1;
    // Settled once, and only while this delivery is the current one: after a pause the queue has it again.
    const settle = (how: () => void) => (): void => {
      if (message.deliveries - 1 === deliveryCount && this.#unsettled.delete(message)) how();
    };
    return {
      body: Buffer.from(message.body),
      exchange: message.exchange,
      routingKey: message.routingKey,
      messageId: message.messageId,
      headers: { ...message.headers },
      redelivered: deliveryCount > 0,
      deliveryCount,
      ack: settle(() => queue.acknowledge(message)),
      requeue: settle(() => queue.giveBack(message, true)),
      reject: settle(() => queue.reject(message)),
    };
  }
}
