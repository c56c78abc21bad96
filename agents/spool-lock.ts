import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '@nephometer/core';

/**
 * One process has a spool: two would give one ordinal to two batches. The file names the process and the moment it
 * started, so that another one that got its number later is not taken for it, and a killed agent starts again at once.
 */
export class SpoolLock {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'pid');
  }

  /** @throws ConfigError when another process has it */
  take(): void {
    const own = `${process.pid} ${startOf(process.pid)}`;
    for (;;) {
      try {
        writeFileSync(this.#file, own, { flag: 'wx', mode: 0o600 });
        return;
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        // A full disk must not keep the agent from starting and draining.
        if (code === 'ENOSPC') return;
        if (code !== 'EEXIST') throw cause;
      }
      const holder = this.#holder();
      if (holder !== null) throw taken(this.#file, holder);
      rmSync(this.#file, { force: true });
    }
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }

  /** The live process that holds it; null when it is gone. */
  #holder(): number | null {
    const [pid = '', start = ''] = readFileSync(this.#file, 'utf8').split(' ');
    return /^\d+$/.test(pid) && startOf(Number(pid)) === start ? Number(pid) : null;
  }
}

/** When a process started, in ticks since boot, as text; '' when there is none. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; the start time is the 20th field behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function taken(file: string, pid: number): ConfigError {
  const message = `the spool is in use by process ${pid}; stop it, or give this agent a data_dir of its own`;
  return new ConfigError([{ file, line: null, key: '', message }]);
}
