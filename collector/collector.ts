import { busNames, Refusal, sampleTopology, SECOND, sha256 } from '@nephometer/core';
import type {
  Bus,
  BusNames,
  Clock,
  Config,
  Delivery,
  IngestResult,
  Keyring,
  Logger,
  MessageIngest,
  MetricRegistry,
  ProcessStatus,
  Readiness,
  Service,
  Store,
  Topology,
} from '@nephometer/core';
import { consumeBatch } from './consume.ts';
import type { ConsumeOptions } from './consume.ts';
import { ingestMessages } from './ingest.ts';
import { MeteringQueue } from './metering-queue.ts';
import type { Inbound } from './open.ts';
import { collectorMetrics } from './metrics.ts';
import { Quarantine } from './quarantine.ts';
import { Receipts } from './receipts.ts';
import { atMost } from './wait.ts';

export interface CollectorOptions {
  readonly config: Config;
  /** Null: only what is posted is taken. */
  readonly bus: Bus | null;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  readonly status: ProcessStatus;
}

/** Verifies metering messages and records them, from the bus while it runs and by `ingest` at any time. */
export interface Collector extends Service, MessageIngest {}

export function createCollector(options: CollectorOptions): Collector {
  return new BusCollector(options);
}

/** What the broker gave up on is tried a few times more, one by one, and then kept as poison. */
const DEAD_PREFETCH = 1;
const LONGEST_GOODBYE = 5 * SECOND;

class BusCollector implements Collector {
  readonly name = 'collector';
  readonly #options: CollectorOptions;
  readonly #names: BusNames;
  readonly #consume: ConsumeOptions;
  readonly #receipts: Receipts | null;
  readonly #queues: MeteringQueue[] = [];
  /** Samples that the store took while this process runs. */
  #taken = 0;
  /** The dead letter that the store did not take last, and what it had taken by then. */
  #deadTry: { readonly digest: string; readonly taken: number; readonly isSuspect: boolean } | null = null;
  #stopping: Promise<void> | null = null;

  constructor(options: CollectorOptions) {
    const { config, bus, store, keyring, clock, log } = options;
    const metrics = collectorMetrics(options.metrics);
    const quarantine = new Quarantine({ store, clock, log, metrics, config });
    this.#options = options;
    this.#names = busNames(config.bus.namespace);
    this.#consume = { config, store, keyring, clock, log, metrics, quarantine };
    const exchange = this.#names.receipts;
    this.#receipts = bus === null ? null : new Receipts({ bus, exchange, keyring, clock, log, metrics });
    options.status.addCheck('collector', () => this.#readiness());
  }

  async start(): Promise<void> {
    const { bus, config, log } = this.#options;
    if (bus === null || this.#stopping !== null) return;
    await bus.declare(sampleTopology(this.#names, config.bus.delivery_limit));
    // In turns: what is fresh is recorded beside a backlog, however long that is.
    for (const queue of [this.#names.samples, this.#names.backlog]) {
      await this.#consumeFrom(bus, queue, config.collector.prefetch, (group) => this.#recordUnlessPoison(group));
    }
    await this.#consumeFrom(bus, this.#names.dead, DEAD_PREFETCH, (group) => this.#recordDead(group));
    if (config.ceilometer.enabled) {
      await bus.declare(ceilometerTopology(config, this.#names));
      const { prefetch } = config.collector;
      await this.#consumeFrom(bus, this.#names.ceilometer, prefetch, (group) => this.#recordUnlessPoison(group));
    }
    const { samples, backlog } = this.#names;
    log.info({ queues: [samples, backlog], ceilometer: config.ceilometer.enabled }, 'The collector takes samples.');
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  ingest(body: Uint8Array, sender: string): Promise<readonly IngestResult[]> {
    return ingestMessages(body, sender, this.#consume);
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.stop()));
    await atMost(this.#options.clock, LONGEST_GOODBYE, this.#consume.quarantine.close());
    if (this.#receipts !== null) await atMost(this.#options.clock, LONGEST_GOODBYE, this.#receipts.settled());
  }

  async #consumeFrom(
    bus: Bus,
    queue: string,
    prefetch: number,
    handle: (deliveries: readonly Delivery[]) => Promise<void>,
  ): Promise<void> {
    const { config, clock, log, store } = this.#options;
    const { batch, linger } = config.collector;
    const check = (): Promise<void> => store.check();
    const onPause = (): void => this.#consume.metrics.storeAway.add();
    const metering = new MeteringQueue({ bus, queue, prefetch, batch, linger, clock, log, handle, check, onPause });
    this.#queues.push(metering);
    await metering.start();
  }

  /** A sender without a receipt sends again what is kept as poison: it ends a process once, and is known when it comes back. */
  async #recordUnlessPoison(deliveries: readonly Delivery[]): Promise<void> {
    const again = deliveries.filter(({ deliveryCount }) => deliveryCount > 0).map(({ body }) => body);
    const poison = await this.#consume.quarantine.kept(again, 'poison');
    for (const delivery of deliveries) if (poison.has(delivery.body)) delivery.ack();
    const rest = deliveries.filter(({ body }) => !poison.has(body));
    if (rest.length > 0) await this.#record(rest);
  }

  /** To the ledger first, then the acknowledgement, then the receipt: each only tells of what is true already. */
  async #record(deliveries: readonly Delivery[], areDead = false): Promise<void> {
    const consumed = await consumeBatch(
      deliveries.map((delivery) => this.#inboundOf(delivery, areDead)),
      this.#consume,
    );
    this.#taken += consumed.flatMap(({ results }) => results).filter(({ outcome }) => outcome === 'accepted').length;
    consumed.forEach(({ settled }, index) => {
      const delivery = deliveries[index];
      if (settled) delivery?.ack();
      else delivery?.requeue();
    });
    this.#receipts?.send(consumed.flatMap(({ receipt }) => receipt ?? []));
  }

  /**
   * What the broker gave up on. A notification has failed its listener's queue; a metering message is tried alone a few
   * times more, and then not looked at any more: it may be what ends the process.
   */
  async #recordDead(deliveries: readonly Delivery[]): Promise<void> {
    const { max_attempts: most } = this.#options.config.collector;
    for (const delivery of deliveries) {
      const from = text(delivery.headers['x-first-death-queue']) ?? this.#names.samples;
      const { samples, backlog, ceilometer } = this.#names;
      const isMetering = [samples, backlog, ceilometer].includes(from);
      if (isMetering && (delivery.deliveryCount < most || this.#isBlameless(delivery))) {
        await this.#tryDead(delivery);
        continue;
      }
      const refusal = new Refusal('poison', `The broker delivered it again and again from ${from} and gave up.`);
      const { body: bytes, sender } = this.#inboundOf(delivery, true);
      const unknown = { agentId: null, messageId: delivery.messageId, from: null, to: null, samples: 0 };
      const transport = isMetering ? 'bus' : 'notification';
      await this.#consume.quarantine.put({ refusal, bytes, sender, transport, ...unknown });
      delivery.ack();
    }
  }

  /** A letter is suspect when it failed although the store took others since it failed before. */
  async #tryDead(delivery: Delivery): Promise<void> {
    try {
      await this.#record([delivery], true);
    } catch (cause) {
      const digest = sha256(delivery.body);
      const isSuspect = this.#deadTry?.digest === digest && this.#deadTry.taken < this.#taken;
      this.#deadTry = { digest, taken: this.#taken, isSuspect };
      throw cause;
    }
  }

  /** Its last try failed in this process, which still runs, and with a store that took nothing else either. */
  #isBlameless(delivery: Delivery): boolean {
    return this.#deadTry !== null && !this.#deadTry.isSuspect && this.#deadTry.digest === sha256(delivery.body);
  }

  /** A dead letter's headers keep where it came from; on any other message they are what its sender wrote. */
  #inboundOf({ body, exchange, routingKey, headers }: Delivery, isDead: boolean): Inbound {
    const { ceilometer } = this.#options.config;
    const from = isDead ? (text(headers['x-first-death-exchange']) ?? exchange) : exchange;
    const isForeign = isDead
      ? headers['x-first-death-queue'] === this.#names.ceilometer
      : exchange === ceilometer.exchange;
    return { body, transport: 'bus', sender: `${from}/${routingKey}`, foreign: ceilometer.enabled && isForeign };
  }

  #readiness(): Readiness {
    if (this.#queues.some(({ isPaused }) => isPaused)) {
      return { ready: false, detail: 'The store does not take what is read; consumption is paused.' };
    }
    const bus = this.#options.bus?.status();
    if (bus === undefined || bus.state === 'connected') return { ready: true, detail: null };
    return { ready: false, detail: `The bus is ${bus.state}: ${bus.detail ?? 'no reason known'}.` };
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A queue of our own beside Ceilometer's, on its exchange, which is declared as Ceilometer declares it. */
function ceilometerTopology({ ceilometer, bus }: Config, names: BusNames): Topology {
  const { exchange, durable, auto_delete: autoDelete, routing_keys: keys } = ceilometer;
  return {
    exchanges: [{ name: exchange, type: 'topic', durable, autoDelete }],
    queues: [
      {
        name: names.ceilometer,
        type: 'quorum',
        durable: true,
        deliveryLimit: bus.delivery_limit,
        deadLetterExchange: names.dead,
      },
    ],
    bindings: keys.map((routingKey) => ({ queue: names.ceilometer, exchange, routingKey })),
  };
}
