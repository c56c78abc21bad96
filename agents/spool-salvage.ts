import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import {
  BODY_MARK,
  decodeBody,
  decodeEntry,
  ENTRY_MARK,
  HEAD_BYTES,
  MOST_ENTRY_BYTES,
  recordBytes,
} from './spool-record.ts';
import type { SpoolEntry } from './spool-record.ts';

const WINDOW_BYTES = 4 * 2 ** 20;

/** Everything whole in a spool's file whose structure cannot be trusted, released records that still lie about included. */
export interface Found {
  readonly entries: ReadonlyMap<number, SpoolEntry>;
  /** Where in the file the body of an ordinal begins. */
  readonly bodies: ReadonlyMap<number, number>;
}

/** A damaged spool's file, looked through piece by piece: it may be larger than the memory of the node. */
export class Wreck {
  readonly #file: number;
  readonly #size: number;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.#size = fstatSync(this.#file).size;
  }

  find(): Found {
    const entries = new Map<number, SpoolEntry>();
    const bodies = new Map<number, number>();
    for (const { at, mark } of this.#marks()) {
      if (mark === BODY_MARK) {
        const found = this.#bodyAt(at);
        if (found !== null) bodies.set(found.ordinal, at);
        continue;
      }
      const entry = decodeEntry(this.#read(at, MOST_ENTRY_BYTES));
      if (entry !== null) entries.set(entry.ordinal, entry);
    }
    return { entries, bodies };
  }

  /** The body that begins here; null when it cannot be read any more. */
  body(at: number): Buffer | null {
    return this.#bodyAt(at)?.body ?? null;
  }

  close(): void {
    closeSync(this.#file);
  }

  #bodyAt(at: number): { readonly ordinal: number; readonly body: Buffer } | null {
    const bytes = recordBytes(this.#read(at, HEAD_BYTES));
    return bytes === null || at + bytes > this.#size ? null : decodeBody(this.#read(at, bytes));
  }

  /** Windows overlap by less than a mark, so that none is missed and none is met twice. */
  *#marks(): Iterable<{ readonly at: number; readonly mark: Buffer }> {
    const overlap = ENTRY_MARK.length - 1;
    const space = Buffer.alloc(WINDOW_BYTES + overlap);
    for (let start = 0; start < this.#size; start += WINDOW_BYTES) {
      const window = space.subarray(0, readSync(this.#file, space, 0, space.length, start));
      for (const mark of [ENTRY_MARK, BODY_MARK]) {
        for (let at = window.indexOf(mark); at >= 0; at = window.indexOf(mark, at + 1)) yield { at: start + at, mark };
      }
    }
  }

  #read(at: number, bytes: number): Buffer {
    const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, this.#size - at)));
    return buffer.subarray(0, readSync(this.#file, buffer, 0, buffer.length, at));
  }
}
