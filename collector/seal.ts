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
import type { BatchHeader, Clock, Config, Keyring } from '@nephometer/core';
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
}

export interface Sealed {
  readonly batches: readonly SealedBatch[];
  /** Meters of samples that no message can carry. */
  readonly tooLarge: readonly string[];
}

/** What a header, the envelope and its escapes add to the samples, generously. */
const ENVELOPE_BYTES = 4096;

/**
 * Signs the samples made from notifications as an agent of its own would: a new agent id in each process, its own epoch,
 * sequence and chain of headers. It has no spool: until the broker confirms, the notification itself is not acknowledged.
 */
export class NotificationSealer {
  readonly agentId: string;
  readonly #options: SealOptions;
  readonly #epoch = randomBytes(8).toString('hex');
  #seq = 0;
  #previous: string | null = null;

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
  seal(counters: readonly NotifiedCounter[]): Sealed {
    const { config } = this.#options;
    const { max_message: largest, max_samples: most } = config.agent;
    const batches: string[][] = [];
    const tooLarge: string[] = [];
    let room = 0;
    for (const { text, meter } of this.#sign(counters)) {
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
    return { batches: batches.map((texts) => this.#sealOne(texts)), tooLarge };
  }

  #sign(counters: readonly NotifiedCounter[]): { text: string; meter: string }[] {
    const { config, keyring } = this.#options;
    const { secret } = keyring.signingKey(this.agentId);
    const { source } = config.notifications;
    return counters.map(({ counter, messageId }) => {
      return { text: signSample(counter, { messageId, source }, secret).text, meter: counter.meter };
    });
  }

  #sealOne(texts: readonly string[]): SealedBatch {
    const { keyring, clock } = this.#options;
    const key = keyring.signingKey(this.agentId);
    const header: BatchHeader = {
      version: 1,
      agent_id: this.agentId,
      epoch: this.#epoch,
      seq: ++this.#seq,
      created: clock.now(),
      samples: texts.length,
      merkle_root: merkleRoot(texts),
      previous: this.#previous,
      runs: [{ source: 'notifications', slot: null, samples: texts.length }],
      cycles: [],
      key_id: key.keyId,
    };
    const signed = signHeader(header, key.secret);
    const digest = headerDigest(signed);
    this.#previous = digest;
    return { body: Buffer.from(encodeBatch(signed, texts)), messageId: uuidv5(NEPHOMETER_NAMESPACE, digest) };
  }
}

/** Bytes of a sample inside the envelope, where its quotes are escaped. */
function sizeIn(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}
