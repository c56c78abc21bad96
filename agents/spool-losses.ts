import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DroppedSamples } from '@nephometer/core';
import type { SpoolLoss } from '@nephometer/core';
import { z } from 'zod';
import { mergeDropped } from './report.ts';

/** Losses of one reason are one row, so they fit however many they are. */
const FILE_BYTES = 1024;
const Kept = z.array(DroppedSamples.extend({ reason: z.enum(['spool-full', 'spool-corrupt']) }));

/**
 * What the spool lost and no spooled report tells of yet, in a small file beside it: a process that ends between the loss and
 * the report tells it after its next start. At worst a loss is told twice, never not at all. Not synced: right whatever
 * happens to the process.
 */
export class SpoolLosses {
  readonly #file: string;
  /** Not taken yet. */
  #fresh: readonly SpoolLoss[];
  /** Taken, and in no report on the disk yet. */
  #taken: readonly SpoolLoss[] = [];

  constructor(folder: string) {
    this.#file = join(folder, 'losses');
    this.#fresh = readKept(this.#file);
    // Made while there is room: on a full disk it is overwritten in place.
    this.#write();
  }

  add(losses: readonly SpoolLoss[]): void {
    this.#fresh = [...this.#fresh, ...losses];
    this.#write();
  }

  take(): readonly SpoolLoss[] {
    const losses = this.#fresh;
    this.#taken = [...this.#taken, ...losses];
    this.#fresh = [];
    return losses;
  }

  /** The losses taken so far are in reports that are spooled. */
  told(): void {
    if (this.#taken.length === 0) return;
    this.#taken = [];
    this.#write();
  }

  #write(): void {
    const text = JSON.stringify(mergeDropped([...this.#taken, ...this.#fresh]));
    try {
      writeFileSync(this.#file, text.padEnd(FILE_BYTES), { flag: isThere(this.#file) ? 'r+' : 'w', mode: 0o600 });
    } catch {
      // They are still told, unless the process ends before.
    }
  }
}

function isThere(file: string): boolean {
  try {
    return readFileSync(file).length === FILE_BYTES;
  } catch {
    return false;
  }
}

function readKept(file: string): readonly SpoolLoss[] {
  try {
    return Kept.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return [];
  }
}
