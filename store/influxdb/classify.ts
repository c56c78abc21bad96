import { sameContent } from '@nephometer/core';
import type { BatchRecord, ReceivedSample } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import type { ConflictMark } from './conflict-marks.ts';
import type { Found } from './key-index.ts';
import type { Ledger } from './ledger.ts';
import { contentKey } from './sample-point.ts';
import { samplesOfRows } from './sample-rows.ts';
import type { MessageRow } from './sample-rows.ts';

/** A version of a message_id that is in the store, or will be. */
interface Version {
  readonly digest: string;
  readonly content: string;
  /** Null when it was removed by retention; then only the content key tells. */
  readonly sample: ReceivedSample | null;
  readonly at: number;
  /** Its batch is in the ledger, or comes before this one in the same call. */
  readonly isRecorded: boolean;
}

export interface Kept {
  readonly sample: ReceivedSample;
  readonly index: number;
  readonly content: string;
}

export interface Classified {
  readonly batch: BatchRecord;
  readonly kept: readonly Kept[];
  readonly duplicates: readonly string[];
  readonly conflicts: readonly string[];
  readonly marks: readonly ConflictMark[];
}

/** What is stored already under each message_id, by content. */
export class KnownVersions {
  readonly #versions = new Map<string, Version[]>();

  /** Takes up rows of `message`. `isOwn` leaves out those of the batches at hand. */
  static async read(
    client: InfluxClient,
    ledger: Ledger,
    found: ReadonlyMap<string, Found<MessageRow>>,
    isOwn: (digest: string) => boolean,
  ): Promise<KnownVersions> {
    const known = new KnownVersions();
    const rows = [...found.values()].flatMap((one) => one.rows).filter(([, , , digest]) => !isOwn(digest));
    if (rows.length === 0) return known;
    const recorded = await ledger.rowsOf(rows.map(([, , , digest]) => digest));
    const samples = await samplesOfRows(client, rows);
    const byRow = new Map(samples.map(({ row, sample }) => [row, sample.sample]));
    for (const row of rows) {
      const [messageId, writer, , digest, , at, , content] = row;
      const isRecorded = recorded.get(digest)?.writer === writer;
      known.#add(messageId, { digest, content, sample: byRow.get(row) ?? null, at, isRecorded });
    }
    return known;
  }

  #add(messageId: string, version: Version): void {
    const versions = this.#versions.get(messageId);
    if (versions === undefined) this.#versions.set(messageId, [version]);
    else versions.push(version);
  }

  /** Sorts out a batch, as if all that were sorted out before were recorded. */
  classify(batch: BatchRecord): Classified {
    const kept: Kept[] = [];
    const duplicates: string[] = [];
    const conflicts: string[] = [];
    const marks: ConflictMark[] = [];
    batch.samples.forEach((sample, index) => {
      const content = contentKey(sample);
      const { messageId } = sample;
      const versions = this.#versions.get(messageId) ?? [];
      const recorded = versions.filter(({ isRecorded }) => isRecorded);
      if (recorded.some((version) => saysTheSame(version, sample, content))) {
        duplicates.push(messageId);
        return;
      }
      const [first] = recorded;
      if (first !== undefined) conflicts.push(messageId);
      const others = [first, ...versions.filter((one) => !one.isRecorded && !saysTheSame(one, sample, content))];
      for (const other of others) if (other !== undefined) marks.push(...marksOf(batch.digest, sample, other));
      kept.push({ sample, index, content });
      this.#add(messageId, { digest: batch.digest, content, sample, at: sample.timestamp, isRecorded: true });
    });
    return { batch, kept, duplicates, conflicts, marks };
  }

  /** Marks against versions that others wrote meanwhile. */
  marksAgainst({ batch, kept }: Classified): ConflictMark[] {
    return kept.flatMap(({ sample, content }) =>
      (this.#versions.get(sample.messageId) ?? [])
        .filter((version) => !saysTheSame(version, sample, content))
        .flatMap((version) => marksOf(batch.digest, sample, version)),
    );
  }
}

function saysTheSame(version: Version, sample: ReceivedSample, content: string): boolean {
  return version.content === content || (version.sample !== null && sameContent(version.sample, sample));
}

function marksOf(digest: string, sample: ReceivedSample, other: Version): ConflictMark[] {
  const { messageId, timestamp } = sample;
  const digests = [other.digest, digest] as const;
  const mine = { messageId, digests, at: timestamp };
  return other.at === timestamp ? [mine] : [mine, { messageId, digests, at: other.at }];
}
