import type { Channel, ConsumeMessage } from 'amqplib';
import type { Delivery } from '@nephometer/core';

export type Settlement = 'ack' | 'requeue' | 'reject';

/**
 * One generation of a consumer's channel. Delivery tags mean something on their own channel only: a late
 * acknowledgement on the next one would be an error that kills it.
 */
export class DeliveryChannel {
  readonly #channel: Channel;
  readonly #onStale: () => void;
  #isOpen = true;

  constructor(channel: Channel, onStale: () => void) {
    this.#channel = channel;
    this.#onStale = onStale;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** From here on settlements are dropped: the broker delivers again. */
  close(): void {
    this.#isOpen = false;
  }

  delivery(message: ConsumeMessage): Delivery {
    const { fields, properties, content } = message;
    const headers: Readonly<Record<string, unknown>> = properties.headers ?? {};
    const counted = headers['x-delivery-count'];
    let isSettled = false;
    const settle = (how: Settlement) => (): void => {
      if (isSettled) return;
      isSettled = true;
      this.settle(message, how);
    };
    return {
      body: content,
      exchange: fields.exchange,
      routingKey: fields.routingKey,
      messageId: typeof properties.messageId === 'string' ? properties.messageId : null,
      headers,
      redelivered: fields.redelivered,
      deliveryCount: typeof counted === 'number' ? counted : Number(fields.redelivered),
      ack: settle('ack'),
      requeue: settle('requeue'),
      reject: settle('reject'),
    };
  }

  settle(message: ConsumeMessage, how: Settlement): void {
    if (!this.#isOpen) return this.#onStale();
    try {
      if (how === 'ack') this.#channel.ack(message);
      else this.#channel.nack(message, false, how === 'requeue');
    } catch {
      // The channel ended between the check and the write.
      this.#onStale();
    }
  }
}
