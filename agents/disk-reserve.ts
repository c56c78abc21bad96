import { closeSync, fsyncSync, openSync, statfsSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const MIB = 2 ** 20;
const RESERVE_BYTES = MIB;
/** Free space below which nothing is appended: the engine itself must never meet a full disk while it writes. */
const MARGIN_BYTES = 2 * MIB;
/** What a deletion may need: it copies the pages on the way to what it deletes. */
const DELETION_BYTES = MIB / 4;

/**
 * Looks at the disk before the engine does. A file of ballast beside the spool is given up while a deletion needs room
 * on a full disk, so that receipts free the spool there too.
 */
export class DiskReserve {
  readonly #folder: string;
  readonly #ballast: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#ballast = join(folder, 'ballast');
  }

  /** Makes the ballast where the disk has room for it. */
  fill(): void {
    if (sizeOf(this.#ballast) >= RESERVE_BYTES || this.#free() < 2 * RESERVE_BYTES) return;
    try {
      const file = openSync(this.#ballast, 'w', 0o600);
      try {
        writeSync(file, Buffer.alloc(RESERVE_BYTES, 0x5a));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch {
      // Without ballast a full disk delays receipts; nothing is lost.
    }
  }

  /** Whether a batch can be written without coming near the end of the disk. */
  hasRoom(bytes: number): boolean {
    return this.#free() >= 2 * bytes + MARGIN_BYTES;
  }

  /**
   * Bytes that are missing inside the spool's own file for a batch of this size, when the disk gives none.
   * Twice the size, since its pages must lie together.
   */
  missing(liveBytes: number, bytes: number): number {
    const unused = sizeOf(join(this.#folder, 'data.mdb')) - liveBytes - MIB / 2;
    const ballast = sizeOf(this.#ballast) >= RESERVE_BYTES;
    return Math.max(ballast ? 0 : 1, 3 * bytes - unused);
  }

  /** Runs a deletion; on a full disk with the ballast's room. */
  lend<T>(work: () => T): T {
    if (this.#free() >= DELETION_BYTES) return work();
    try {
      truncateSync(this.#ballast, 0);
    } catch {
      // No ballast: the deletion is tried with what there is.
    }
    try {
      return work();
    } finally {
      this.fill();
    }
  }

  #free(): number {
    try {
      const { bavail, bsize } = statfsSync(this.#folder);
      return bavail * bsize;
    } catch {
      return Number.MAX_SAFE_INTEGER;
    }
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
