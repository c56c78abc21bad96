import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The lowest ordinal that still waits, in a small file beside the spool: tells, in a damaged spool, what was freed
 * long ago from what is lost. Only a hint, so it is not synced: too low a floor sends a batch once more.
 */
export class SpoolFloor {
  readonly #file: string;
  #written = 0;

  constructor(folder: string) {
    this.#file = join(folder, 'floor');
  }

  read(): number {
    try {
      const floor = Number(readFileSync(this.#file, 'utf8'));
      return Number.isSafeInteger(floor) && floor > 0 ? floor : 0;
    } catch {
      return 0;
    }
  }

  write(ordinal: number): void {
    if (ordinal === this.#written) return;
    try {
      // Of one width, so that the file is overwritten in place, on a full disk too.
      writeFileSync(this.#file, String(ordinal).padStart(16, '0'), {
        flag: this.#written === 0 ? 'w' : 'r+',
        mode: 0o600,
      });
      this.#written = ordinal;
    } catch {
      // The hint stays behind.
    }
  }
}
