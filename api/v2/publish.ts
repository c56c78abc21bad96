import { randomBytes } from 'node:crypto';
import {
  busNames,
  encodeBatch,
  headerDigest,
  merkleRoot,
  MessageTooLarge,
  nodeName,
  sampleTopology,
  signHeader,
  uuidv4,
} from '@nephometer/core';
import type { Bus, Clock, Config, SigningKey } from '@nephometer/core';

/** A run of numbered and chained batches. */
interface Epoch {
  readonly id: string;
  seq: number;
  previous: string | null;
}

const newEpoch = (): Epoch => ({ id: randomBytes(8).toString('hex'), seq: 0, previous: null });

/**
 * Puts posted samples on the bus as batches of this server's: it is an agent of its own, new in each process. It has no
 * spool, so one batch goes after the other, and only what a queue holds uses up its number; after any failure, when nobody
 * knows whether the number is used up, a new epoch begins. So the ledger never waits for a batch that nobody has.
 */
export class PostPublisher {
  readonly agentId: string;
  readonly #bus: Bus;
  readonly #config: Config;
  readonly #clock: Clock;
  #epoch = newEpoch();
  #declared: Promise<void> | null = null;
  #turn: Promise<void> = Promise.resolve();
  /** Counts failures: whoever waited while one happened fails with it, rather than wait for the bus once more. */
  #failures = 0;
  #lastFailure: unknown = null;

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
  publish(texts: readonly string[], key: SigningKey): Promise<void> {
    const failures = this.#failures;
    const published = this.#turn.then(async () => {
      if (this.#failures !== failures) throw this.#lastFailure;
      await this.#publishNext(texts, key);
    });
    this.#turn = published.catch(() => undefined);
    return published;
  }

  async #publishNext(texts: readonly string[], key: SigningKey): Promise<void> {
    const { exchange, sampleKey: routingKey } = busNames(this.#config.bus.namespace);
    const { body, digest, seq } = this.#sealed(texts, key);
    try {
      await this.#declare();
      await this.#bus.publish({ exchange, routingKey, body, messageId: uuidv4(), contentType: 'application/json' });
      this.#epoch.seq = seq;
      this.#epoch.previous = digest;
    } catch (cause) {
      this.#epoch = newEpoch();
      // One that is too large says nothing of the others.
      if (!(cause instanceof MessageTooLarge)) this.#failures += 1;
      this.#lastFailure = cause;
      throw cause;
    }
  }

  #sealed(texts: readonly string[], key: SigningKey): { body: Uint8Array; digest: string; seq: number } {
    const { id: epoch, seq, previous } = this.#epoch;
    const header = {
      version: 1 as const,
      agent_id: this.agentId,
      epoch,
      seq: seq + 1,
      created: this.#clock.now(),
      samples: texts.length,
      merkle_root: merkleRoot(texts),
      previous,
      runs: [{ source: 'api', slot: null, samples: texts.length }],
      cycles: [],
      key_id: key.keyId,
    };
    const body = Buffer.from(encodeBatch(signHeader(header, key.secret), texts));
    return { body, digest: headerDigest(header), seq: header.seq };
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
