import type { UsageDesk } from '../usage/desk.ts';
import { makePartition } from './partition.ts';
import type { MadePartition } from './partition.ts';
import type { ExportPlan } from './plan.ts';
import type { ExportPartitionAnswer } from './schemas.ts';
import type { PartitionSpan } from './spans.ts';

/** Bytes of files that are kept at hand, and partitions: who asks for one file of a partition asks for the others next. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_PARTITIONS = 4;
/** What partitions were, without their bytes: for manifests. */
const MOST_ANSWERS = 4096;

/** Partitions that were made last. They can always be made again, to the same bytes. */
export class PartitionShelf {
  readonly #desk: UsageDesk;
  readonly #made = new Map<string, MadePartition>();
  readonly #answers = new Map<string, ExportPartitionAnswer>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(desk: UsageDesk) {
    this.#desk = desk;
  }

  /** One is made at a time: each may hold as much in memory as a question can. */
  async partition(plan: ExportPlan, span: PartitionSpan): Promise<MadePartition> {
    const key = keyOf(plan, span);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const making = this.#queue.then(() => this.#made.get(key) ?? makePartition(this.#desk, plan, span));
    this.#queue = making.catch(() => undefined);
    const made = await making;
    this.#keep(key, made);
    return made;
  }

  /** As the manifest has it. */
  async answer(plan: ExportPlan, span: PartitionSpan): Promise<ExportPartitionAnswer> {
    return this.#answers.get(keyOf(plan, span)) ?? (await this.partition(plan, span)).answer;
  }

  #keep(key: string, made: MadePartition): void {
    this.#answers.set(key, made.answer);
    for (const oldest of this.#answers.keys()) if (this.#answers.size > MOST_ANSWERS) this.#answers.delete(oldest);
    if (made.answer.bytes > MOST_BYTES) return;
    this.#made.delete(key);
    this.#made.set(key, made);
    let bytes = [...this.#made.values()].reduce((sum, { answer }) => sum + answer.bytes, 0);
    for (const [oldest, { answer }] of this.#made) {
      if (bytes <= MOST_BYTES && this.#made.size <= MOST_PARTITIONS) return;
      this.#made.delete(oldest);
      bytes -= answer.bytes;
    }
  }
}

function keyOf({ id }: ExportPlan, { name }: PartitionSpan): string {
  return `${id} ${name}`;
}
