import { randomBytes } from 'node:crypto';
import {
  encodeBatch,
  headerDigest,
  merkleRoot,
  NEPHOMETER_NAMESPACE,
  nodeName,
  signHeader,
  signSample,
  uuidv5,
} from '@nephometer/core';
import type { BatchHeader, Clock, Config, Keyring, SigningKey } from '@nephometer/core';
import type { NotifiedCounter } from './listen.ts';

export interface SealOptions {
  readonly config: Config;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

/** A batch ready to be published: the same bytes on every attempt. */
export interface SealedBatch {
  readonly body: Uint8Array;
  readonly messageId: string;
  readonly digest: string;
}

/** The samples of one batch, signed, but not numbered yet. */
export interface SignedSamples {
  readonly texts: readonly string[];
  readonly key: SigningKey;
}

export interface Signed {
  readonly batches: readonly SignedSamples[];
  /** Meters of samples that no message can carry. */
  readonly tooLarge: readonly string[];
}

/** What a header, the envelope and its escapes add to the samples, generously. */
const ENVELOPE_BYTES = 4096;

/** A run of numbered and chained batches. */
interface Epoch {
  readonly id: string;
  readonly seq: number;
  readonly previous: string | null;
}

const newEpoch = (): Epoch => ({ id: randomBytes(8).toString('hex'), seq: 0, previous: null });

/**
 * Signs the samples made from notifications as an agent of its own would: a new agent id in each process, its own epoch,
 * sequence and chain of headers. It has no spool: until the broker confirms, the notification itself is not acknowledged.
 * So one batch goes after the other, and only what a queue holds uses up its number; after a failure, when nobody knows
 * whether the number is used up, a new epoch begins. Wherever the process ends, the ledger waits for no batch that nobody has.
 */
export class NotificationSealer {
  readonly agentId: string;
  readonly #options: SealOptions;
  #epoch = newEpoch();
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws KeyMissing when there is no key to sign with */
  constructor(options: SealOptions) {
    const host = nodeName(options.config)
      .replace(/[^\w.-]/g, '-')
      .slice(0, 150);
    this.agentId = `collector.${host}.${randomBytes(6).toString('hex')}`;
    this.#options = options;
    options.keyring.signingKey(this.agentId);
  }

  /** Signs counters into as few batches as the sizes of the configuration allow. */
  sign(counters: readonly NotifiedCounter[]): Signed {
    const { config, keyring } = this.#options;
    const key = keyring.signingKey(this.agentId);
    const { max_message: largest, max_samples: most } = config.agent;
    const batches: string[][] = [];
    const tooLarge: string[] = [];
    let room = 0;
    for (const { text, meter } of this.#sign(counters, key)) {
      const size = sizeIn(text);
      const last = batches[batches.length - 1];
      if (size > config.bus.max_message - ENVELOPE_BYTES) tooLarge.push(meter);
      else if (last !== undefined && size <= room && last.length < most) {
        last.push(text);
        room -= size;
      } else {
        batches.push([text]);
        room = largest - ENVELOPE_BYTES - size;
      }
    }
    return { batches: batches.map((texts) => ({ texts, key })), tooLarge };
  }

  /**
   * Numbers and seals a batch when those before it are through, and hands it to `publish`, which resolves true once a queue
   * holds it, false when that is not known.
   */
  inTurn(batch: SignedSamples, publish: (sealed: SealedBatch) => Promise<boolean>): Promise<boolean> {
    const published = this.#turn.then(() => this.#publishNext(batch, publish));
    this.#turn = published.catch(() => undefined);
    return published;
  }

  async #publishNext(batch: SignedSamples, publish: (sealed: SealedBatch) => Promise<boolean>): Promise<boolean> {
    const { id, seq } = this.#epoch;
    const sealed = this.#sealed(batch);
    this.#epoch = newEpoch();
    if (!(await publish(sealed))) return false;
    this.#epoch = { id, seq: seq + 1, previous: sealed.digest };
    return true;
  }

  #sign(counters: readonly NotifiedCounter[], { secret }: SigningKey): { text: string; meter: string }[] {
    const { source } = this.#options.config.notifications;
    return counters.map(({ counter, messageId }) => {
      return { text: signSample(counter, { messageId, source }, secret).text, meter: counter.meter };
    });
  }

  #sealed({ texts, key }: SignedSamples): SealedBatch {
    const { id: epoch, seq, previous } = this.#epoch;
    const header: BatchHeader = {
      version: 1,
      agent_id: this.agentId,
      epoch,
      seq: seq + 1,
      created: this.#options.clock.now(),
      samples: texts.length,
      merkle_root: merkleRoot(texts),
      previous,
      runs: [{ source: 'notifications', slot: null, samples: texts.length }],
      cycles: [],
      key_id: key.keyId,
    };
    const signed = signHeader(header, key.secret);
    const digest = headerDigest(signed);
    const body = Buffer.from(encodeBatch(signed, texts));
    return { body, digest, messageId: uuidv5(NEPHOMETER_NAMESPACE, digest) };
  }
}

/** Bytes of a sample inside the envelope, where its quotes are escaped. */
function sizeIn(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
