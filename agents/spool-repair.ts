import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf } from '@nephometer/core';
import type { Logger } from '@nephometer/core';
import { entryOf } from './spool-record.ts';
import type { SpoolEntry } from './spool-record.ts';
import type { Standing } from './spool-note.ts';
import { Wreck } from './spool-salvage.ts';

export type Lost = Pick<SpoolEntry, 'ordinal' | 'samples' | 'from' | 'to'>;

/** What could be saved of a spool whose file is damaged. */
export interface Salvaged {
  /** By ordinal, ascending; each is read when it is asked for. */
  readonly bodies: Iterable<readonly [ordinal: number, body: Buffer]>;
  /** Entries whose body is gone; one more for all that not even an entry tells of. */
  readonly lost: readonly Lost[];
  readonly lastOrdinal: number;
}

const CHECK_TIMEOUT_MS = 120_000;

/**
 * Proves in a process of its own that the spool can be read. When it cannot, its file is set aside, and what is whole
 * in it is handed back. Null when there is nothing to repair.
 * @param standing what the note beside the spool says: only there it shows that the file itself is gone
 */
export async function repairSpool(folder: string, standing: Standing, log: Logger): Promise<Salvaged | null> {
  const file = join(folder, 'data.mdb');
  if (!existsSync(file) || (await stat(file)).size === 0) return goneSpool(file, standing, log);
  const damage = await damageOf(folder);
  if (damage === null) return null;
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
  await rename(file, aside);
  await rm(join(folder, 'lock.mdb'), { force: true });
  const wreck = new Wreck(aside);
  try {
    const { kept, lost, lastOrdinal } = inventory(wreck, standing);
    const fields = { aside, cause: damage, saved: kept.size, lost: lost.length };
    log.error(fields, 'The spool is damaged; its file was set aside and what is whole in it is saved.');
    return { bodies: bodiesOf(wreck, kept), lost, lastOrdinal };
  } catch (cause) {
    wreck.close();
    throw cause;
  }
}

/** What is whole and waited, by ordinal, and what is lost of the rest. */
function inventory(wreck: Wreck, standing: Standing) {
  const { floor } = standing;
  const { entries, bodies } = wreck.find();
  const kept = new Map([...bodies].filter(([ordinal]) => ordinal >= floor).sort(([a], [b]) => a - b));
  const known = [...entries.values()].filter(({ ordinal }) => ordinal >= floor);
  const lost: Lost[] = known.filter(({ ordinal }) => !kept.has(ordinal));
  const alone = [...kept].filter(([ordinal]) => !entries.has(ordinal));
  const counted = [...known.filter(({ ordinal }) => kept.has(ordinal)), ...bodiesAlone(wreck, alone)];
  lost.push(...remainder(standing, [...counted, ...lost]));
  let lastOrdinal = Math.max(floor, standing.last);
  for (const ordinal of [...entries.keys(), ...bodies.keys()]) lastOrdinal = Math.max(lastOrdinal, ordinal);
  return { kept, lost, lastOrdinal };
}

function* bodiesOf(wreck: Wreck, kept: ReadonlyMap<number, number>): Iterable<readonly [number, Buffer]> {
  try {
    for (const [ordinal, at] of kept) {
      const body = wreck.body(at);
      if (body !== null) yield [ordinal, body];
    }
  } finally {
    wreck.close();
  }
}

/** The file is not there. A new spool has no note, or one that says that nothing waits. */
function goneSpool(file: string, standing: Standing, log: Logger): Salvaged | null {
  const lost = remainder(standing, []);
  if (lost.length === 0) return null;
  const { samples, from, to } = standing;
  log.error({ file, samples, from, to }, "The spool's file is gone, with batches that waited in it.");
  return { bodies: [], lost, lastOrdinal: standing.last };
}

/** Bodies that are whole and whose entry is gone: they say everything of themselves. */
function bodiesAlone(wreck: Wreck, alone: readonly (readonly [ordinal: number, at: number])[]): SpoolEntry[] {
  return alone.flatMap(([ordinal, at]) => {
    const body = wreck.body(at);
    return body === null ? [] : (entryOf(ordinal, body) ?? []);
  });
}

/** What waited by the note's word, and is neither saved nor known to be lost. */
function remainder({ floor, last, samples, from, to }: Standing, found: readonly Lost[]): Lost[] {
  const missing = samples - found.reduce((sum, one) => sum + one.samples, 0);
  const nothingFound = found.length === 0 && floor > 0 && floor <= last;
  return missing > 0 || nothingFound ? [{ ordinal: last, samples: Math.max(0, missing), from, to }] : [];
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
