import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { KeyMissing, messageOf } from '../errors.ts';
import type { SigningKey } from './keyring.ts';

const Secret = z.string().regex(/^([0-9a-f]{2}){16,}$/, 'must be at least 32 lower-case hex digits');
const KeyName = z.string().regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, `.`, `_` or `-`');

/** One agent's key as `nephometer key issue` writes it (JSON) and `signing.key_file` names it. */
export const KeyFile = z.strictObject({
  key_id: KeyName,
  agent_id: z.string().min(1).max(200),
  /** Bytes in hex. */
  secret: Secret,
  /** The key before this one: receipts for what was signed with it are still believed. */
  previous: z.strictObject({ key_id: KeyName, secret: Secret }).optional(),
});
export type KeyFile = z.infer<typeof KeyFile>;

/** The keys of a file, the one to sign with first. */
export function keysOfFile({ key_id, agent_id, secret, previous }: KeyFile): SigningKey[] {
  const all = [{ key_id, secret }, ...(previous === undefined ? [] : [previous])];
  return all.map((key) => ({
    keyId: key.key_id,
    secret: Buffer.from(key.secret, 'hex'),
    agentId: agent_id,
    validFrom: null,
    validUntil: null,
  }));
}

/** @throws KeyMissing when the file cannot be read or is no key file */
export async function readKeyFile(file: string): Promise<KeyFile> {
  const how = 'A key file is what `nephometer key issue AGENT_ID` writes';
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KeyMissing(`The key file ${file} cannot be read: ${messageOf(cause)}. ${how}.`);
  }
  return parseKeyFile(content, file, how);
}

function parseKeyFile(content: string, file: string, how: string): KeyFile {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new KeyMissing(`The key file ${file} is not JSON. ${how}.`);
  }
  const read = KeyFile.safeParse(value);
  if (read.success) return read.data;
  // Never the value itself: it may be the secret.
  const problems = read.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`);
  throw new KeyMissing(`The key file ${file} is not one: ${problems.join('; ')}. ${how}.`);
}
