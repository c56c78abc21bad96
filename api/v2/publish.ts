import { randomBytes } from 'node:crypto';
import {
  busNames,
  encodeBatch,
  headerDigest,
  merkleRoot,
  nodeName,
  sampleTopology,
  signHeader,
  uuidv4,
} from '@nephometer/core';
import type { Bus, Clock, Config, SigningKey } from '@nephometer/core';

/** Puts posted samples on the bus as a batch of this server's: it is an agent of its own, new in each process. */
export class PostPublisher {
  readonly agentId: string;
  readonly #bus: Bus;
  readonly #config: Config;
  readonly #clock: Clock;
  readonly #epoch = randomBytes(8).toString('hex');
  #declared: Promise<void> | null = null;
  #seq = 0;
  #previous: string | null = null;

  constructor(bus: Bus, config: Config, clock: Clock) {
    const host = nodeName(config)
      .replace(/[^\w.-]/g, '-')
      .slice(0, 150);
    this.agentId = `collector.api.${host}.${randomBytes(6).toString('hex')}`;
    this.#bus = bus;
    this.#config = config;
    this.#clock = clock;
  }

  /** Resolves when a queue holds the batch. @throws BusUnavailable, BusRefused, MessageTooLarge */
  async publish(texts: readonly string[], key: SigningKey): Promise<void> {
    await this.#declare();
    const { exchange, sampleKey: routingKey } = busNames(this.#config.bus.namespace);
    const body = Buffer.from(this.#sealed(texts, key));
    await this.#bus.publish({ exchange, routingKey, body, messageId: uuidv4(), contentType: 'application/json' });
  }

  #sealed(texts: readonly string[], key: SigningKey): string {
    const header = {
      version: 1 as const,
      agent_id: this.agentId,
      epoch: this.#epoch,
      seq: ++this.#seq,
      created: this.#clock.now(),
      samples: texts.length,
      merkle_root: merkleRoot(texts),
      previous: this.#previous,
      runs: [{ source: 'api', slot: null, samples: texts.length }],
      cycles: [],
      key_id: key.keyId,
    };
    this.#previous = headerDigest(header);
    return encodeBatch(signHeader(header, key.secret), texts);
  }

  /** By the first who needs it, so that samples wait in the queue even before the first collector starts. */
  async #declare(): Promise<void> {
    const { namespace, delivery_limit: limit } = this.#config.bus;
    this.#declared ??= this.#bus.declare(sampleTopology(busNames(namespace), limit));
    try {
      await this.#declared;
    } catch (cause) {
      this.#declared = null;
      throw cause;
    }
  }
}
