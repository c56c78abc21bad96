import { randomBytes } from 'node:crypto';
import {
  encodeBatch,
  headerDigest,
  merkleRoot,
  messageOf,
  polledSampleId,
  signHeader,
  signSample,
  SpoolFull,
} from '@nephometer/core';
import type {
  Clock,
  Counter,
  CycleReport,
  DroppedSamples,
  Keyring,
  Logger,
  Micros,
  SigningKey,
  NewSpooledBatch,
  Spool,
} from '@nephometer/core';
import { Draft } from './draft.ts';
import { fitReport, mergeDropped } from './report.ts';

/** A batch as the spool takes it. */
export type SealedBatch = NewSpooledBatch;

export interface SealerOptions {
  readonly agentId: string;
  /** `source` of the samples. */
  readonly sampleSource: string;
  readonly keyring: Keyring;
  readonly spool: Spool;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxSamples: number;
  /** Bytes of one message. */
  readonly maxMessage: number;
  /** Told of every batch that the spool has taken. */
  readonly onAppended: (batch: SealedBatch) => void;
  /** Told of samples that are lost, with the reason of the cycle report. */
  readonly onDropped: (dropped: DroppedSamples) => void;
}

/** Batches of one epoch are numbered and chained; a number is used up only by a batch that the spool has taken. */
export interface Epoch {
  readonly id: string;
  seq: number;
  previous: string | null;
}

export function newEpoch(): Epoch {
  return { id: randomBytes(8).toString('hex'), seq: 0, previous: null };
}

/** One finished cycle, on its way to the spool. */
export interface FinishedCycle {
  /** That in which its tick fell due. */
  readonly epoch: Epoch;
  readonly slot: Micros;
  readonly counters: readonly Counter[];
  readonly report: CycleReport;
}

/** A cycle that is being sealed, and what of it is neither in the spool nor told as dropped yet. */
interface OpenCycle extends FinishedCycle {
  samples: number;
  reports: readonly CycleReport[];
}

/** Cycle reports kept in memory while the spool takes nothing; the oldest go first. */
const MOST_WAITING_REPORTS = 1000;

/** Signs samples, seals them into batches, and appends these to the spool, one cycle after the other. */
export class Sealer {
  readonly #options: SealerOptions;
  #queue: Promise<void> = Promise.resolve();
  #waiting: CycleReport[] = [];
  #dropped: readonly DroppedSamples[] = [];

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Resolves when the cycle is in the spool, or counted as dropped. Never rejects. */
  seal(cycle: FinishedCycle): Promise<void> {
    const open: OpenCycle = { ...cycle, samples: cycle.counters.length, reports: [cycle.report] };
    this.#queue = this.#queue
      .then(() => this.#seal(open))
      .catch((cause: unknown) => {
        const fields = { samples: open.samples, cause: messageOf(cause) };
        this.#options.log.error(fields, 'A cycle could not be sealed to its end; the rest of its samples is lost.');
        if (open.samples > 0) this.#drop('invalid', open.samples, cycle.slot);
        this.#keep(open.reports);
      });
    return this.#queue;
  }

  /** Tells of samples lost elsewhere in the next cycle report. */
  tellDropped(dropped: DroppedSamples): void {
    this.#dropped = mergeDropped([...this.#dropped, dropped]);
    this.#options.onDropped(dropped);
  }

  /** A report that travels with the next cycle. */
  tellReport(report: CycleReport): void {
    this.#keep([report]);
  }

  async #seal(cycle: OpenCycle): Promise<void> {
    const key = this.#options.keyring.signingKey(this.#options.agentId);
    let draft = this.#draft(cycle);
    for (const counter of cycle.counters) {
      const text = this.#signed(counter, cycle, key);
      if (text === null) {
        cycle.samples -= 1;
        continue;
      }
      if (!draft.fits(text)) {
        await this.#append(draft, cycle, key);
        draft = this.#draft(cycle);
      }
      if (draft.fits(text)) draft.add(text);
      else this.#dropOversized(counter, cycle);
    }
    // Losses of this cycle's own earlier batches are told in its own report.
    cycle.reports = this.#reports(cycle.report);
    for (const report of cycle.reports) {
      if (!draft.fitsReport(report)) {
        await this.#append(draft, cycle, key);
        draft = this.#draft(cycle);
      }
      draft.addReport(report);
    }
    await this.#append(draft, cycle, key);
    if (this.#waiting.length === 0 && this.#dropped.length === 0) this.#options.spool.lossesTold();
  }

  #draft({ report, slot }: FinishedCycle): Draft {
    const { maxMessage, maxSamples, agentId } = this.#options;
    return new Draft({ maxMessage, maxSamples, agentId, source: report.source, slot });
  }

  #signed(counter: Counter, { epoch, slot, report }: FinishedCycle, key: SigningKey): string | null {
    const { agentId, sampleSource } = this.#options;
    const { meter, resourceId } = counter;
    const messageId = polledSampleId({ agentId, epoch: epoch.id, source: report.source, meter, resourceId, slot });
    try {
      return signSample(counter, { messageId, source: sampleSource }, key.secret).text;
    } catch (cause) {
      const fields = { meter, resourceId, cause: messageOf(cause) };
      this.#options.log.error(fields, 'A sample cannot be signed and is dropped.');
      this.#drop('invalid', 1, slot);
      return null;
    }
  }

  #dropOversized({ meter, resourceId }: Counter, cycle: OpenCycle): void {
    const fields = { meter, resourceId, maxMessage: this.#options.maxMessage };
    this.#options.log.error(fields, 'A sample is larger than agent.max_message and is dropped.');
    cycle.samples -= 1;
    this.#drop('oversized', 1, cycle.slot);
  }

  /** The reports to send now: those that wait, and this cycle's with all losses not told yet. */
  #reports(report: CycleReport): CycleReport[] {
    const lost = this.#options.spool.takeLosses();
    for (const dropped of lost) this.#options.onDropped(dropped);
    const dropped = mergeDropped([...report.dropped, ...this.#dropped, ...lost]);
    this.#dropped = [];
    const reports = [...this.#waiting, fitReport({ ...report, dropped }, this.#options.maxMessage / 2)];
    this.#waiting = [];
    return reports;
  }

  async #append(draft: Draft, cycle: OpenCycle, key: SigningKey): Promise<void> {
    if (draft.isEmpty) return;
    const { epoch, slot } = cycle;
    const batch = this.#sealed(draft, epoch, key);
    // From here on they are in the spool, or told as dropped.
    cycle.samples -= draft.texts.length;
    cycle.reports = cycle.reports.filter((report) => !draft.reports.includes(report));
    try {
      await this.#options.spool.append(batch);
      epoch.seq = batch.seq;
      epoch.previous = batch.digest;
      this.#options.onAppended(batch);
    } catch (cause) {
      if (!(cause instanceof SpoolFull)) {
        this.#options.log.error({ cause: messageOf(cause) }, 'The spool failed; samples are lost.');
      }
      if (draft.texts.length > 0) this.#drop('spool-full', draft.texts.length, slot);
      this.#keep(draft.reports);
    }
    // Signing thousands of samples must not starve the heartbeat.
    await new Promise((resolve) => setImmediate(resolve));
  }

  #sealed({ texts, reports, runs }: Draft, epoch: Epoch, key: SigningKey): SealedBatch {
    const created = this.#options.clock.now();
    const header = signHeader(
      {
        version: 1,
        agent_id: this.#options.agentId,
        epoch: epoch.id,
        seq: epoch.seq + 1,
        created,
        samples: texts.length,
        merkle_root: merkleRoot(texts),
        previous: epoch.previous,
        runs: [...runs],
        cycles: [...reports],
        key_id: key.keyId,
      },
      key.secret,
    );
    const slots = [...runs.flatMap(({ slot }) => slot ?? []), ...reports.map(({ scheduled }) => scheduled)];
    return {
      digest: headerDigest(header),
      epoch: epoch.id,
      seq: header.seq,
      samples: texts.length,
      created,
      body: Buffer.from(encodeBatch(header, texts)),
      slots: { from: Math.min(...slots), to: Math.max(...slots) },
    };
  }

  #drop(reason: DroppedSamples['reason'], samples: number, slot: Micros): void {
    this.tellDropped({ reason, samples, from: slot, to: slot });
  }

  /** Reports that could not be spooled go with a later batch; of those beyond the limit only the losses are kept. */
  #keep(reports: readonly CycleReport[]): void {
    this.#waiting.push(...reports);
    const gone = this.#waiting.splice(0, Math.max(0, this.#waiting.length - MOST_WAITING_REPORTS));
    this.#dropped = mergeDropped([...gone.flatMap(({ dropped }) => dropped), ...this.#dropped]);
  }
}
