import { randomBytes } from 'node:crypto';
import {
  encodeBatch,
  fromPlain,
  headerDigest,
  merkleRoot,
  parseVolume,
  polledSampleId,
  signHeader,
  signSample,
} from '@nephometer/core';
import type { BatchHeader, CycleReport, JsonValue, Micros, SignedHeader } from '@nephometer/core';
import { METERS, UNSTEADY, valueOf } from './values.ts';
import type { Issued } from './values.ts';

export interface Forged {
  readonly header: SignedHeader;
  readonly digest: string;
  readonly texts: readonly string[];
  readonly body: Buffer;
}

export interface BatchOf {
  /** Microseconds. */
  readonly slot: Micros;
  readonly resources?: number;
  /** Signed with this in place of the shared secret. */
  readonly secret?: string;
  readonly header?: Partial<BatchHeader>;
  /** Added to each sample's metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Milliseconds by which the values (not the times) are those of another moment. */
  readonly other?: number;
  /** Whether the oracle hears of it: what is made to be refused is no reading. */
  readonly unissued?: boolean;
}

/**
 * An agent without a process: makes batches as one with the shared secret would, of any time and in any order. What it
 * makes is issued as what a pollster reads is, so the judge judges it alike.
 */
export class ForgedAgent {
  readonly id: string;
  readonly prefix: string;
  readonly epoch = randomBytes(8).toString('hex');
  readonly issued: Issued[] = [];
  readonly interval: Micros;
  readonly #secret: string;
  readonly #run = randomBytes(6).toString('hex');
  #seq = 0;
  #previous: string | null = null;

  constructor(id: string, secret: string, interval: Micros) {
    this.id = id;
    this.prefix = id;
    this.#secret = secret;
    this.interval = interval;
  }

  /** The next batch: one slot's readings and the report of their cycle. */
  batch(of: BatchOf): Forged {
    const issue = `${this.#run}.${this.#seq + 1}`;
    const texts = this.#texts(of, issue);
    const header = signHeader(
      {
        version: 1,
        agent_id: this.id,
        epoch: this.epoch,
        seq: this.#seq + 1,
        created: of.slot + 1000,
        samples: texts.length,
        merkle_root: merkleRoot(texts),
        previous: this.#previous,
        runs: [{ source: 'default', slot: of.slot, samples: texts.length }],
        cycles: [this.#report(of.slot, texts.length)],
        key_id: 'shared',
        ...of.header,
      },
      Buffer.from(of.secret ?? this.#secret),
    );
    const digest = headerDigest(header);
    if (of.unissued !== true) {
      this.#seq += 1;
      this.#previous = digest;
    }
    return { header, digest, texts, body: Buffer.from(encodeBatch(header, texts)) };
  }

  #texts(
    { slot, resources = 5, secret, metadata = {}, other = 0, unissued = false, header }: BatchOf,
    issue: string,
  ): string[] {
    const at = Math.floor(slot / 1000);
    const agentId = header?.agent_id ?? this.id;
    return Array.from({ length: resources }, (_, index) => `${this.prefix}-${index}`).flatMap((resourceId) =>
      UNSTEADY.map((meter) => {
        const value = valueOf(meter, resourceId, at + other);
        if (!unissued) this.issued.push({ issue, resource: resourceId, meter, value, at });
        const messageId = polledSampleId({ agentId, epoch: this.epoch, source: 'default', meter, resourceId, slot });
        const { unit, type } = METERS[meter];
        const counter = {
          meter,
          type,
          unit,
          volume: parseVolume(value),
          resourceId,
          projectId: 'project-forged',
          userId: null,
          timestamp: slot,
          metadata: new Map<string, JsonValue>([
            ['issue', issue],
            ['issued_at', fromPlain(at)],
            ...Object.entries(metadata),
          ]),
          monotonicTime: null,
        };
        return signSample(counter, { messageId, source: 'openstack' }, Buffer.from(secret ?? this.#secret)).text;
      }),
    );
  }

  #report(slot: Micros, readings: number): CycleReport {
    return {
      source: 'default',
      interval: this.interval,
      scheduled: slot,
      started: slot,
      finished: slot,
      outcome: 'ran',
      meters: [...UNSTEADY],
      discovery_complete: true,
      pollsters: [{ name: 'synthetic', asked: 1, answered: 1, readings, failed: [], error: null }],
      dropped: [],
    };
  }
}
