import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One process at the moment of a poll. */
export interface ProcessSnapshot {
  /** Pid and start time: a pid alone is used again. */
  readonly key: string;
  readonly pid: number;
  readonly parent: number;
  /** Effective uid, the one `ps` calls USER. */
  readonly uid: number;
  /** Ticks of CPU time of its own. */
  readonly own: number;
  /** Ticks of children that ended and were waited for, and of theirs. */
  readonly reaped: number;
  readonly memoryBytes: number;
}

export interface ProcessList {
  readonly processes: readonly ProcessSnapshot[];
  /** Errors of processes that are there and could not be read. */
  readonly errors: readonly unknown[];
}

/** Processes read at one time: enough to keep the kernel busy, few enough to stop soon. */
const AT_ONCE = 32;

/** One pass over /proc. Processes that end meanwhile are left out. @throws when /proc itself cannot be read */
export async function readProcesses(proc: string, memory: 'rss' | 'pss', signal: AbortSignal): Promise<ProcessList> {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
  const processes: ProcessSnapshot[] = [];
  const errors: unknown[] = [];
  for (let start = 0; start < pids.length; start += AT_ONCE) {
    signal.throwIfAborted();
    const some = pids.slice(start, start + AT_ONCE);
    for (const result of await Promise.allSettled(
      some.map((pid) => readProcess(join(proc, pid), Number(pid), memory)),
    )) {
      if (result.status === 'fulfilled') processes.push(result.value);
      else if (!hasEnded(result.reason)) errors.push(result.reason);
    }
  }
  return { processes, errors };
}

async function readProcess(folder: string, pid: number, memory: 'rss' | 'pss'): Promise<ProcessSnapshot> {
  const [stat, status] = await Promise.all([
    readFile(join(folder, 'stat'), 'utf8'),
    readFile(join(folder, 'status'), 'utf8'),
  ]);
  // The name stands in brackets and may hold anything, brackets too.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const number = (field: number): number => {
    const value = fields[field - 3];
    if (value === undefined || !/^-?\d+$/.test(value)) throw new Error(`${folder}/stat: field ${field} is no number`);
    return Number(value);
  };
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
  if (uid === undefined) throw new Error(`${folder}/status: has no Uid`);
  return {
    key: `${pid}:${fields[22 - 3]}`,
    pid,
    parent: number(4),
    uid: Number(uid),
    own: number(14) + number(15),
    reaped: number(16) + number(17),
    memoryBytes: (memory === 'pss' ? await readPss(folder) : null) ?? kilobytes(status, 'VmRSS'),
  };
}

async function readPss(folder: string): Promise<number | null> {
  const rollup = await readFile(join(folder, 'smaps_rollup'), 'utf8').catch(() => '');
  return /^Pss:/m.test(rollup) ? kilobytes(rollup, 'Pss') : null;
}

/** Bytes of a line in kB; kernel threads have no such line and no memory. */
function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
}

function hasEnded(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ESRCH');
}
