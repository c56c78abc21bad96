import { setTimeout as sleep } from 'node:timers/promises';
import amqp from 'amqplib';
import type { ChannelModel } from 'amqplib';
import { busNames, readMeteringEnvelope } from '@nephometer/core';
import type { BatchEnvelope } from '@nephometer/core';

/** A batch as it went over the bus. */
export interface Tapped {
  readonly envelope: BatchEnvelope;
  readonly body: Buffer;
}

/** A queue of the judge's own beside the collectors': what was published was spooled before. */
export class Tap {
  readonly batches = new Map<string, Tapped>();
  /** Every body that came, repetitions included. */
  deliveries = 0;
  readonly #url: string;
  readonly #namespace: string;
  #connection: ChannelModel | null = null;
  #stopped = false;

  constructor(url: string, namespace: string) {
    this.#url = url;
    this.#namespace = namespace;
  }

  /** Connects, and does so again whenever the connection is lost. */
  async start(): Promise<void> {
    const connection = await amqp.connect(this.#url, { timeout: 5_000 });
    this.#connection = connection;
    connection.on('error', () => undefined);
    connection.once('close', () => void this.#again());
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    const { exchange, sampleKey } = busNames(this.#namespace);
    const queue = `${this.#namespace}.tap`;
    await channel.assertExchange(exchange, 'topic', { durable: true });
    await channel.assertQueue(queue, { durable: true });
    await channel.bindQueue(queue, exchange, `${sampleKey}.#`);
    await channel.consume(
      queue,
      (message) => {
        if (message === null) return;
        this.#take(message.content);
        channel.ack(message);
      },
      { noAck: false },
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#connection?.close().catch(() => undefined);
  }

  #take(body: Buffer): void {
    this.deliveries += 1;
    try {
      const envelope = readMeteringEnvelope(body);
      if (envelope.kind === 'batch' && !this.batches.has(envelope.digest)) {
        this.batches.set(envelope.digest, { envelope, body });
      }
    } catch {
      // What a case forges is no batch; the collectors judge it.
    }
  }

  async #again(): Promise<void> {
    while (!this.#stopped) {
      await sleep(500);
      try {
        return await this.start();
      } catch {
        // The broker is not back yet.
      }
    }
  }
}
