import { HttpError } from '../../errors.ts';
import type { UsageDesk } from '../usage/desk.ts';
import { makePartitions } from './partition.ts';
import type { MadePartition } from './partition.ts';
import type { ExportPlan } from './plan.ts';
import type { ExportPartitionAnswer } from './schemas.ts';
import type { PartitionSpan } from './spans.ts';

/** Bytes of files that are kept at hand: who asks for one file of a partition asks for the others next. */
const MOST_BYTES = 64 * 1024 * 1024;
/** What partitions were, without their bytes: for manifests. */
const MOST_ANSWERS = 4096;
/** Partitions that are made from one fold, and the samples and bytes that such a fold should stay below. */
const LONGEST_STRIDE = 32;
const STRIDE_SAMPLES = 200_000;
const STRIDE_BYTES = MOST_BYTES / 4;

/** Partitions that were made last. They can always be made again, to the same bytes. */
export class PartitionShelf {
  readonly #desk: UsageDesk;
  readonly #made = new Map<string, MadePartition>();
  readonly #answers = new Map<string, ExportPartitionAnswer>();
  /** How many partitions of an export are made at once: small ones many, large ones one by one. */
  readonly #strides = new Map<string, number>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(desk: UsageDesk) {
    this.#desk = desk;
  }

  /** Made one after the other: each may hold as much in memory as a question can. */
  async partition(plan: ExportPlan, span: PartitionSpan): Promise<MadePartition> {
    const known = this.#made.get(keyOf(plan, span));
    if (known !== undefined) return known;
    const making = this.#queue.then(async () => this.#made.get(keyOf(plan, span)) ?? this.#make(plan, span));
    this.#queue = making.catch(() => undefined);
    return making;
  }

  /** As the manifest has it. */
  async answer(plan: ExportPlan, span: PartitionSpan): Promise<ExportPartitionAnswer> {
    return this.#answers.get(keyOf(plan, span)) ?? (await this.partition(plan, span)).answer;
  }

  async #make(plan: ExportPlan, span: PartitionSpan): Promise<MadePartition> {
    const stride = this.#strides.get(plan.id) ?? 1;
    const first = plan.spans.indexOf(span);
    const all = await makePartitions(this.#desk, plan, plan.spans.slice(first, first + stride)).catch(
      (cause: unknown) => {
        // Together they were too much; one by one they may not be.
        if (stride === 1 || !(cause instanceof HttpError) || cause.code !== 'MTR_TOO_MUCH') throw cause;
        return makePartitions(this.#desk, plan, [span]);
      },
    );
    for (const [i, made] of all.entries()) this.#keep(keyOf(plan, plan.spans[first + i] ?? span), made);
    this.#learn(plan, all);
    const [made] = all;
    if (made === undefined) throw new TypeError('A partition is of its own export.');
    return made;
  }

  #learn({ id }: ExportPlan, made: readonly MadePartition[]): void {
    const samples = made.reduce((sum, one) => sum + one.samples, 0);
    const bytes = made.reduce((sum, { answer }) => sum + answer.bytes, 0);
    const load = Math.max(samples / STRIDE_SAMPLES, bytes / STRIDE_BYTES, 1 / LONGEST_STRIDE);
    const next = Math.min(2 * made.length, Math.floor(made.length / load), LONGEST_STRIDE);
    this.#strides.delete(id);
    this.#strides.set(id, Math.max(1, next));
    for (const oldest of this.#strides.keys()) if (this.#strides.size > MOST_ANSWERS) this.#strides.delete(oldest);
  }

  #keep(key: string, made: MadePartition): void {
    this.#answers.set(key, made.answer);
    for (const oldest of this.#answers.keys()) if (this.#answers.size > MOST_ANSWERS) this.#answers.delete(oldest);
    if (made.answer.bytes > MOST_BYTES) return;
    this.#made.set(key, made);
    let bytes = [...this.#made.values()].reduce((sum, { answer }) => sum + answer.bytes, 0);
    for (const [oldest, { answer }] of this.#made) {
      if (bytes <= MOST_BYTES && this.#made.size <= MOST_ANSWERS) return;
      this.#made.delete(oldest);
      bytes -= answer.bytes;
    }
  }
}

function keyOf({ id }: ExportPlan, { name }: PartitionSpan): string {
  return `${id} ${name}`;
}
