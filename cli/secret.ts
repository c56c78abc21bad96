import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, newToken, StoreUnavailable } from '@nephometer/core';
import type { Config, TokenBook } from '@nephometer/core';

/** Makes the folder for state, so that only its owner can look into it. */
export async function makeDataDir(config: Config): Promise<void> {
  try {
    await mkdir(config.data_dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StoreUnavailable(`Cannot make the folder ${config.data_dir} (data_dir): ${messageOf(cause)}`);
  }
}

/** The shared secret of `up`: made at first start, kept with mode 0600. Returns its path. */
export async function ownSecretFile(config: Config): Promise<string> {
  return keepFile(join(config.data_dir, 'secret'), () => randomBytes(32).toString('base64url'));
}

/** The admin token of `up`: made at first start, kept with mode 0600 and, hashed, in the store. */
export async function ownAdminToken(config: Config, tokens: TokenBook): Promise<string> {
  const file = await keepFile(join(config.data_dir, 'admin-token'), newToken);
  const token = (await readFile(file, 'utf8')).trimEnd();
  await tokens.keep(token, { name: 'admin of nephometer up', role: 'admin', projects: null, userId: null });
  return file;
}

/** Makes a file with mode 0600 where there is none. Returns its path. */
export async function keepFile(file: string, make: () => string): Promise<string> {
  try {
    await writeFile(file, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
  return file;
}
