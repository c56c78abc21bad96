import type { Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { lineOf, stringField } from './line.ts';
import { ALL_TIME, selectEach, tagEquals } from './query.ts';
import { readBeats } from './writer-name.ts';

/** Hexadecimal digits kept of each id: they are those of a hash already. */
const DIGITS = 8;
const IDS_PER_POINT = 2000;
const POINTS_PER_PAGE = 100;
/** Eight MiB of one bit each: a million odd ids make one question in sixty too many, and none too few. */
const BITS = 2 ** 26;

/**
 * Ids that look as if they followed from a tick and do not follow from that of their own batch: of samples made from
 * notifications, of copies, of forgeries. Each process reads the log that all keep of them, and so knows of most ids that
 * they are not among these without a question for each.
 */
export class OddIds {
  readonly #client: InfluxClient;
  /** By writer: the last point of its log that was read. Stamps of one writer only grow. */
  readonly #readUpTo = new Map<string, Micros>();
  #bits: Uint8Array | null = null;

  constructor(client: InfluxClient) {
    this.#client = client;
  }

  /**
   * Reads on, at most a page of each writer's log, so that the first calls on a large log do not take long.
   * @returns whether all that was written before the call is read
   */
  async follow(): Promise<boolean> {
    const names = [...(await readBeats(this.#client)).keys()];
    const questions = names.map((name) => ({
      fields: 'ids',
      measurement: 'odd_id',
      where: [tagEquals('writer', name)],
      span: { from: (this.#readUpTo.get(name) ?? ALL_TIME.from) + 1, to: ALL_TIME.to },
      order: 'oldest' as const,
      limit: POINTS_PER_PAGE,
    }));
    const answers = await selectEach(this.#client, questions);
    let isWhole = true;
    for (const [i, rows] of answers.entries()) {
      for (const { values } of rows) this.#take(values[0] ?? '');
      const [name, last] = [names[i], rows.at(-1)];
      if (name !== undefined && last !== undefined) this.#readUpTo.set(name, last.at);
      if (rows.length === POINTS_PER_PAGE) isWhole = false;
    }
    return isWhole;
  }

  /** False: it is none of those that were read. */
  maybe(id: string): boolean {
    if (this.#bits === null) return false;
    const { byte, mask } = bitOf(id.slice(0, DIGITS));
    return ((this.#bits[byte] ?? 0) & mask) !== 0;
  }

  #take(ids: string): void {
    this.#bits ??= new Uint8Array(BITS / 8);
    for (let at = 0; at < ids.length; at += DIGITS) {
      const { byte, mask } = bitOf(ids.slice(at, at + DIGITS));
      this.#bits[byte] = (this.#bits[byte] ?? 0) | mask;
    }
  }
}

function bitOf(digits: string): { byte: number; mask: number } {
  const bit = Number.parseInt(digits, 16) % BITS;
  return { byte: bit >>> 3, mask: 1 << (bit & 7) };
}

/** To be written before the samples that have these ids; `time` gives times that only grow. */
export function oddLines(ids: readonly string[], writer: string, time: () => Micros): string[] {
  const lines: string[] = [];
  for (let at = 0; at < ids.length; at += IDS_PER_POINT) {
    const some = ids.slice(at, at + IDS_PER_POINT).map((id) => id.slice(0, DIGITS));
    const fields = { ids: stringField(some.join('')) };
    lines.push(lineOf({ measurement: 'odd_id', tags: { writer }, fields, at: time(), place: 0 }));
  }
  return lines;
}
