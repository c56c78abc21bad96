import { readFile } from 'node:fs/promises';

/** Names of users by uid; of two names for one uid the first counts, as for the C library. */
export async function readUserNames(path: string): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name !== '' && !name.startsWith('#') && /^\d+$/.test(uid) && !names.has(Number(uid)))
      names.set(Number(uid), name);
  }
  return names;
}
