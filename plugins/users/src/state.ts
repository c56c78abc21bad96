import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from '@nephometer/core/plugin';
import { CpuAccounts } from './accounts.ts';

const Count = z.number().int().nonnegative();

/** What outlives a restart of the agent; of no use after a restart of the node. */
const StateFile = z.object({
  boot: z.string(),
  totals: z.array(z.tuple([Count, Count])),
  processes: z.array(z.object({ key: z.string(), pid: Count, parent: Count, uid: Count, own: Count, reaped: Count })),
});

/** Names this run of the node; empty where the kernel has no such file. */
export async function readBoot(proc: string): Promise<string> {
  return readFile(join(proc, 'sys/kernel/random/boot_id'), 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
}

/** Accounts as they stood at the last poll of this run of the node, else empty ones. */
export async function loadAccounts(path: string | null, boot: string): Promise<CpuAccounts> {
  if (path === null || boot === '') return new CpuAccounts();
  try {
    const state = StateFile.parse(JSON.parse(await readFile(path, 'utf8')));
    return state.boot === boot ? new CpuAccounts(state) : new CpuAccounts();
  } catch {
    // Not there yet, or cut short by a full disk: begin anew.
    return new CpuAccounts();
  }
}

/**
 * Replaces the file as a whole, so that a reader never sees half of it. Its folder is for the daemon to make: a poll that is
 * only tried leaves none behind.
 */
export async function saveAccounts(path: string, boot: string, accounts: CpuAccounts): Promise<void> {
  const fresh = `${path}.${process.pid}.new`;
  await writeFile(fresh, JSON.stringify({ boot, ...accounts.state() }), { mode: 0o600 });
  await rename(fresh, path);
}
