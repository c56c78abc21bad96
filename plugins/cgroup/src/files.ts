import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files of a group. A file that is not there is null: the controller is off, or the group has ended. */
export async function readText(folder: string | undefined, name: string): Promise<string | null> {
  if (folder === undefined) return null;
  try {
    return (await readFile(join(folder, name), 'utf8')).trim();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && GONE.has(String(cause.code))) return null;
    throw cause;
  }
}

/** Not there, a group that ended while it was open, a controller that is built but off. */
const GONE = new Set(['ENOENT', 'ENODEV', 'ENOTDIR', 'EOPNOTSUPP', 'ENOTSUP']);

/** A file that holds one number. `max` and an empty file are null. @throws Error that names the file */
export async function readNumber(folder: string | undefined, name: string): Promise<bigint | null> {
  const text = await readText(folder, name);
  return text === null || text === '' || text === 'max' ? null : whole(text, name);
}

/** A file of lines `name number`. */
export async function readTable(folder: string | undefined, name: string): Promise<Table> {
  const text = await readText(folder, name);
  const rows = text === null ? [] : [...text.matchAll(/^(\S+) (\S+)$/gm)];
  const table = new Map(rows.map(([, key = '', value = '']) => [key, value]));
  return (key) => {
    const value = table.get(key);
    return value === undefined ? null : whole(value, `${name}: ${key}`);
  };
}
export type Table = (key: string) => bigint | null;

export function whole(text: string, what: string): bigint {
  if (/^\d+$/.test(text)) return BigInt(text);
  throw new Error(`${what}: found ${JSON.stringify(text.slice(0, 60))}; a whole number would be right`);
}
