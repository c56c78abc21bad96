import type { Bus, Delivery, OutgoingMessage, QueueSpec, Topology } from '@nephometer/core';
import { uniqueName } from '../servers/index.ts';
import { until } from '../servers/wait.ts';

/** Waits for what is to come, at most 15 s. */
export function eventually(ask: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  return until(ask, { timeoutMs, everyMs: 10, describe: () => `It did not become true: ${String(ask)}` });
}

let serial = 0;

export function message(
  exchange: string,
  routingKey: string,
  body: string,
  more: Partial<OutgoingMessage> = {},
): OutgoingMessage {
  return { exchange, routingKey, body: Buffer.from(body), messageId: `message-${serial++}`, ...more };
}

export async function collect(
  bus: Bus,
  queue: string,
  prefetch = 10,
  settle: (delivery: Delivery) => void = () => undefined,
) {
  const got: Delivery[] = [];
  const consumer = await bus.consume(queue, { prefetch }, (delivery) => {
    got.push(delivery);
    settle(delivery);
  });
  return { got, consumer };
}

/** Takes all that is in the queue now. */
export async function rest(bus: Bus, queue: string): Promise<Delivery[]> {
  const { got, consumer } = await collect(bus, queue, 100, (delivery) => delivery.ack());
  let before = -1;
  while (before !== got.length) {
    before = got.length;
    await settleDown();
  }
  await consumer.cancel();
  return got;
}

/** Long enough for a delivery that is not to come. */
export function settleDown(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
}

export function text(delivery: Delivery | undefined): string {
  return Buffer.from(delivery?.body ?? []).toString();
}

/** A durable topic exchange, a quorum queue bound to `a.b`, and an exchange with a queue for its dead letters. */
export function makePlace(changes: Partial<QueueSpec> = {}): Place {
  const [exchange, queue, dead] = ['exchange', 'queue', 'dead'].map(uniqueName) as [string, string, string];
  const topology: Topology = {
    exchanges: [
      { name: dead, type: 'fanout', durable: true },
      { name: exchange, type: 'topic', durable: true },
    ],
    queues: [
      { name: dead, type: 'quorum', durable: true },
      { name: queue, type: 'quorum', durable: true, deliveryLimit: 20, deadLetterExchange: dead, ...changes },
    ],
    bindings: [
      { queue: dead, exchange: dead, routingKey: '' },
      { queue, exchange, routingKey: 'a.b' },
    ],
  };
  return { exchange, queue, dead, topology };
}

export interface Place {
  readonly exchange: string;
  readonly queue: string;
  readonly dead: string;
  readonly topology: Topology;
}
