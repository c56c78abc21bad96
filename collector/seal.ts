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

/** A sample as it goes into a batch. */
export interface SignedSample {
  readonly text: string;
  /** Bytes in the envelope, where its quotes are escaped. */
  readonly size: number;
  readonly key: SigningKey;
}

export interface Signed {
  readonly samples: readonly SignedSample[];
  /** Meters of samples that no message can carry. */
  readonly tooLarge: readonly string[];
}

/** Resolves true once a queue holds the batch, false when that is not known. */
export type PublishBatch = (batch: SealedBatch) => Promise<boolean>;

/** Samples that are told together what became of them. */
interface Waiting {
  readonly samples: readonly SignedSample[];
  /** Samples that no batch took yet start here. */
  next: number;
  /** Batches that hold some of them, on their way. */
  readonly results: Promise<boolean>[];
  readonly settle: (result: Promise<boolean>) => void;
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
 * So one batch goes after the other, with all that waited meanwhile, and only what a queue holds uses up its number; after a
 * failure, when nobody knows whether the number is used up, a new epoch begins. Wherever the process ends, the ledger
 * waits for no batch that nobody has.
 */
export class NotificationSealer {
  readonly agentId: string;
  readonly #options: SealOptions;
  readonly #publish: PublishBatch;
  readonly #waiting: Waiting[] = [];
  #epoch = newEpoch();
  #isSending = false;

  /** @throws KeyMissing when there is no key to sign with */
  constructor(options: SealOptions, publish: PublishBatch) {
    const host = nodeName(options.config)
      .replace(/[^\w.-]/g, '-')
      .slice(0, 150);
    this.agentId = `collector.${host}.${randomBytes(6).toString('hex')}`;
    this.#options = options;
    this.#publish = publish;
    options.keyring.signingKey(this.agentId);
  }

  sign(counters: readonly NotifiedCounter[]): Signed {
    const { config, keyring } = this.#options;
    const key = keyring.signingKey(this.agentId);
    const { source } = config.notifications;
    const samples: SignedSample[] = [];
    const tooLarge: string[] = [];
    for (const { counter, messageId } of counters) {
      const { text } = signSample(counter, { messageId, source }, key.secret);
      const size = Buffer.byteLength(JSON.stringify(text));
      if (size > config.bus.max_message - ENVELOPE_BYTES) tooLarge.push(counter.meter);
      else samples.push({ text, size, key });
    }
    return { samples, tooLarge };
  }

  /** True once a queue holds them all, in as few batches as their sizes allow; false when that is not known. */
  send(samples: readonly SignedSample[]): Promise<boolean> {
    if (samples.length === 0) return Promise.resolve(true);
    const sent = new Promise<boolean>((resolve) => {
      this.#waiting.push({ samples, next: 0, results: [], settle: resolve });
    });
    if (!this.#isSending) void this.#sendWaiting();
    return sent;
  }

  async #sendWaiting(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const { batch, parts } = this.#take();
      const result = this.#publishNext(batch);
      for (const part of parts) {
        part.results.push(result);
        if (part.next === part.samples.length) part.settle(Promise.all(part.results).then(areAllTrue));
      }
      await result.catch(() => undefined);
    }
    this.#isSending = false;
  }

  /** The next batch, filled from those that wait longest. */
  #take(): { batch: readonly SignedSample[]; parts: readonly Waiting[] } {
    const batch: SignedSample[] = [];
    const parts: Waiting[] = [];
    let room = this.#options.config.agent.max_message - ENVELOPE_BYTES;
    for (const part of this.#waiting) {
      const taken = this.#fitting(part.samples.slice(part.next), batch, room);
      if (taken.length === 0) break;
      batch.push(...taken);
      room -= taken.reduce((sum, { size }) => sum + size, 0);
      part.next += taken.length;
      parts.push(part);
    }
    const whole = parts.filter(({ samples, next }) => next === samples.length);
    this.#waiting.splice(0, whole.length);
    return { batch, parts };
  }

  /** How many of the first go into a batch as well; into an empty one at least one goes. */
  #fitting(samples: readonly SignedSample[], batch: readonly SignedSample[], room: number): readonly SignedSample[] {
    const most = this.#options.config.agent.max_samples - batch.length;
    const keyId = (batch[0] ?? samples[0])?.key.keyId;
    let left = room;
    const end = samples.findIndex(({ size, key }, index) => {
      left -= size;
      const isFirst = batch.length === 0 && index === 0;
      return !isFirst && (index >= most || left < 0 || key.keyId !== keyId);
    });
    return end < 0 ? samples : samples.slice(0, end);
  }

  async #publishNext(batch: readonly SignedSample[]): Promise<boolean> {
    const { id, seq } = this.#epoch;
    const sealed = this.#seal(batch);
    this.#epoch = newEpoch();
    if (!(await this.#publish(sealed))) return false;
    this.#epoch = { id, seq: seq + 1, previous: sealed.digest };
    return true;
  }

  #seal(batch: readonly SignedSample[]): SealedBatch {
    const [first] = batch;
    if (first === undefined) throw new Error('A batch of no samples cannot be sealed.');
    const { key } = first;
    const texts = batch.map(({ text }) => text);
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

function areAllTrue(results: readonly boolean[]): boolean {
  return results.every(Boolean);
}
