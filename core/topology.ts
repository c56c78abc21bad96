import type { Topology } from './ports/bus.ts';

/** Names of our exchanges and queues below one namespace (`nephometer` by default). */
export interface BusNames {
  /** Topic exchange that agents publish to, routing key `metering.sample`. */
  readonly exchange: string;
  readonly sampleKey: string;
  /** Queue of metering messages that the collectors share. */
  readonly samples: string;
  /** Routing key and queue of what agents send while collectors are behind; whoever binds `metering.sample.#` has both. */
  readonly backlogKey: string;
  readonly backlog: string;
  /** Topic exchange of receipts, routing key agent_id. */
  readonly receipts: string;
  /** What the broker gave up delivering. */
  readonly dead: string;
  /** Notifications of other services, one queue a priority. */
  readonly notifications: (topic: string, priority: string) => string;
  /** Samples that a Ceilometer publishes. */
  readonly ceilometer: string;
}

export function busNames(namespace: string): BusNames {
  return {
    exchange: namespace,
    sampleKey: 'metering.sample',
    samples: `${namespace}.metering.sample`,
    backlogKey: 'metering.sample.backlog',
    backlog: `${namespace}.metering.backlog`,
    receipts: `${namespace}.receipts`,
    dead: `${namespace}.dead`,
    notifications: (topic, priority) => `${namespace}.${topic}.${priority}`,
    ceilometer: `${namespace}.ceilometer.sample`,
  };
}

/** RabbitMQ 4 limits every quorum queue to 20 deliveries unless told otherwise, and behind the dead letters nothing catches. */
const NO_LIMIT = 1_000_000_000;

/** What agents and collectors both declare, so that samples wait even before the first collector starts. */
export function sampleTopology(names: BusNames, deliveryLimit: number): Topology {
  const taken = { type: 'quorum', durable: true, deliveryLimit, deadLetterExchange: names.dead } as const;
  return {
    exchanges: [
      { name: names.dead, type: 'fanout', durable: true },
      { name: names.exchange, type: 'topic', durable: true },
      { name: names.receipts, type: 'topic', durable: true },
    ],
    queues: [
      { name: names.samples, ...taken },
      { name: names.backlog, ...taken },
      { name: names.dead, type: 'quorum', durable: true, deliveryLimit: NO_LIMIT },
    ],
    bindings: [
      { queue: names.samples, exchange: names.exchange, routingKey: names.sampleKey },
      { queue: names.backlog, exchange: names.exchange, routingKey: names.backlogKey },
      { queue: names.dead, exchange: names.dead, routingKey: '' },
    ],
  };
}
