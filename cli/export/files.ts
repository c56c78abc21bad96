import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportPartitionAnswer } from '@nephometer/api';

export type Part = ExportPartitionAnswer['parts'][number];

/** SHA-256 of a file, lower-case hex; null where there is none. */
export async function digestOf(path: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cause;
  }
  return hash.digest('hex');
}

export async function isWhole(folder: string, { file, sha256 }: Part): Promise<boolean> {
  return (await digestOf(join(folder, file))) === sha256;
}

/** Writes a file so that it is there whole or not at all. @returns SHA-256 of what was written */
export async function writeWhole(
  folder: string,
  file: string,
  chunks: AsyncIterable<Uint8Array | string>,
  accept: (sha256: string) => boolean = () => true,
): Promise<string> {
  const temporary = join(folder, `.${file}.${process.pid}.part`);
  const hash = createHash('sha256');
  const handle = await open(temporary, 'w');
  try {
    for await (const chunk of chunks) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      hash.update(bytes);
      await handle.writeFile(bytes);
    }
    await handle.sync();
  } catch (cause) {
    await handle.close();
    await rm(temporary, { force: true });
    throw cause;
  }
  await handle.close();
  const sha256 = hash.digest('hex');
  if (accept(sha256)) await rename(temporary, join(folder, file));
  else await rm(temporary, { force: true });
  return sha256;
}

const CUT = /^\..+\.\d+\.part$/;

/** Takes away what a crash has left half written. */
export async function removeCut(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (CUT.test(name)) await rm(join(folder, name), { force: true });
}

/** Makes the names of a folder last. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
