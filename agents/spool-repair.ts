import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf } from '@nephometer/core';
import type { Logger } from '@nephometer/core';
import { salvage } from './spool-record.ts';
import type { SpoolEntry } from './spool-record.ts';

/** What could be saved of a spool whose file is damaged. */
export interface Salvaged {
  /** By ordinal, ascending. */
  readonly bodies: ReadonlyMap<number, Buffer>;
  /** Entries whose body is gone. */
  readonly lost: readonly SpoolEntry[];
  readonly lastOrdinal: number;
}

const CHECK_TIMEOUT_MS = 120_000;

/**
 * Proves in a process of its own that the spool can be read. When it cannot, its file is set aside, and what is whole
 * in it is handed back. Null when there is nothing to repair.
 */
export async function repairSpool(folder: string, floor: number, log: Logger): Promise<Salvaged | null> {
  const file = join(folder, 'data.mdb');
  if (!existsSync(file) || (await stat(file)).size === 0) return null;
  const damage = await damageOf(folder);
  if (damage === null) return null;
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
  await rename(file, aside);
  await rm(join(folder, 'lock.mdb'), { force: true });
  const { entries, bodies } = salvage(await readFile(aside));
  const kept = new Map([...bodies].filter(([ordinal]) => ordinal >= floor).sort(([a], [b]) => a - b));
  const lost = [...entries.values()].filter(({ ordinal }) => ordinal >= floor && !kept.has(ordinal));
  const lastOrdinal = Math.max(floor, ...entries.keys(), ...bodies.keys());
  const fields = { aside, cause: damage, saved: kept.size, lost: lost.length };
  log.error(fields, 'The spool is damaged; its file was set aside and what is whole in it was saved.');
  return { bodies: kept, lost, lastOrdinal };
}

/** What is wrong with the file, or null. */
async function damageOf(folder: string): Promise<string | null> {
  const script = fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? 'spool-check.ts' : 'spool-check.js', import.meta.url),
  );
  try {
    await promisify(execFile)(process.execPath, [script, folder], { timeout: CHECK_TIMEOUT_MS });
    return null;
  } catch (cause) {
    const { signal, killed, stderr = '' } = cause as { signal?: string | null; killed?: boolean; stderr?: string };
    // Too slow to be proved is not damaged.
    if (killed === true) return null;
    if (typeof signal === 'string') return `the engine died of it (${signal})`;
    const line = stderr.split('\n').find((text) => text.includes('Error')) ?? messageOf(cause);
    return line.slice(0, 300);
  }
}
