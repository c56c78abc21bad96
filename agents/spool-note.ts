import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Micros } from '@nephometer/core';

/** What stands in a spool, in a few numbers. */
export interface Standing {
  /** The lowest ordinal that still waits; one more than `last` when none does. */
  readonly floor: number;
  /** The highest that was given. */
  readonly last: number;
  /** Samples that wait, and the first and last slot that waits. */
  readonly samples: number;
  readonly from: Micros | null;
  readonly to: Micros | null;
}

const NOTHING: Standing = { floor: 0, last: 0, samples: 0, from: null, to: null };
const WIDTH = 16;

/**
 * A small file beside the spool: tells, when the spool's own file is damaged or gone, what was freed long ago from what
 * is lost, and how much that is. Written after each change and not synced: it is right whatever happens to the process, and
 * a change behind when the machine loses power.
 */
export class SpoolNote {
  readonly #file: string;
  #written = '';

  constructor(folder: string) {
    this.#file = join(folder, 'floor');
  }

  read(): Standing {
    try {
      const numbers = readFileSync(this.#file, 'utf8').trim().split(/\s+/).map(Number);
      if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) return NOTHING;
      const [floor = 0, last = 0, samples = 0, from = 0, to = 0] = numbers;
      return { floor, last, samples, from: from === 0 ? null : from, to: to === 0 ? null : to };
    } catch {
      return NOTHING;
    }
  }

  write({ floor, last, samples, from, to }: Standing): void {
    // Of one width, so that the file is overwritten in place, on a full disk too.
    const text = [floor, last, samples, from ?? 0, to ?? 0].map((one) => String(one).padStart(WIDTH, '0')).join(' ');
    if (text === this.#written) return;
    try {
      writeFileSync(this.#file, text, { flag: this.#written === '' ? 'w' : 'r+', mode: 0o600 });
      this.#written = text;
    } catch {
      // The note stays behind.
    }
  }
}
