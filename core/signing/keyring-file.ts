import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { KeyMissing, messageOf } from '../errors.ts';
import { SharedSecretKeyring } from './keyring.ts';
import type { Keyring } from './keyring.ts';

const HOW = 'Make one with `openssl rand -hex 32 > FILE && chmod 600 FILE`, the same on agents and collectors';

/**
 * The keys that the configuration names: the shared secret of `NEPHOMETER_SECRET_FILE`, else of `signing.secret_file`.
 * A final newline is not part of it. There is no default secret.
 * @throws KeyMissing that says how to make one
 */
export async function loadKeyring(
  config: Config,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Keyring> {
  const fromEnv = env['NEPHOMETER_SECRET_FILE'];
  const file = fromEnv !== undefined && fromEnv !== '' ? fromEnv : config.signing.secret_file;
  if (file === undefined) {
    throw new KeyMissing(
      `No signing secret is configured, and nothing starts without one. ${HOW}, and name it in signing.secret_file ` +
        'or NEPHOMETER_SECRET_FILE.',
    );
  }
  return new SharedSecretKeyring(await readSecret(file));
}

/** The secret in a file, without a final newline. @throws KeyMissing when it cannot be read or is empty */
export async function readSecret(file: string): Promise<Uint8Array> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (cause) {
    throw new KeyMissing(`The secret file ${file} cannot be read: ${messageOf(cause)}. ${HOW}.`);
  }
  let end = content.length;
  if (content[end - 1] === 0x0a) end -= 1;
  if (end < content.length && content[end - 1] === 0x0d) end -= 1;
  if (end === 0) throw new KeyMissing(`The secret file ${file} is empty. ${HOW}.`);
  return content.subarray(0, end);
}
