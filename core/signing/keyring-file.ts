import { readFile } from 'node:fs/promises';
import type { Config, ListedKey } from '../config.ts';
import { KeyMissing, messageOf } from '../errors.ts';
import { AgentKeyring } from './agent-keyring.ts';
import type { KnownKeys } from './agent-keyring.ts';
import { keysOfFile, readKeyFile } from './key-file.ts';
import { SharedSecretKeyring } from './keyring.ts';
import type { Keyring, SigningKey } from './keyring.ts';

const HOW = 'Make one with `openssl rand -hex 32 > FILE && chmod 600 FILE`, the same on agents and collectors';
const SHORTEST_MASTER = 32;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The keys that the configuration names: a shared secret, a master key, listed keys, or this agent's own key file. The
 * environment (`NEPHOMETER_SECRET_FILE`, `NEPHOMETER_MASTER_KEY_FILE`, `NEPHOMETER_KEY_FILE`) wins over it. There is no
 * default secret.
 * @throws KeyMissing that says how to make one
 */
export async function loadKeyring(config: Config, env: Environment = process.env): Promise<Keyring> {
  const known = await readKeys(config, env);
  const { shared, master, listed, own } = known;
  if (master !== null || listed.length > 0 || own.length > 0) return new AgentKeyring(known);
  if (shared !== null) return new SharedSecretKeyring(shared);
  throw new KeyMissing(
    `No signing secret is configured, and nothing starts without one. ${HOW}, and name it in signing.secret_file ` +
      'or NEPHOMETER_SECRET_FILE. For a key per agent see signing.master_key_file and signing.key_file.',
  );
}

/**
 * Refuses a keyring that knows one agent's key only, where others' messages are to be judged.
 * @throws KeyMissing
 */
export function assertVerifies(config: Config, env: Environment = process.env): void {
  const { secret_file, master_key_file, keys } = fileNames(config, env);
  if (secret_file !== undefined || master_key_file !== undefined || keys.length > 0) return;
  throw new KeyMissing(
    "A collector must know every agent's key; signing.key_file holds one agent's. Give signing.master_key_file, " +
      'signing.keys or signing.secret_file here.',
  );
}

/** The file of this agent's own key, if it has one. */
export function ownKeyFile(config: Config, env: Environment = process.env): string | null {
  return fileNames(config, env).key_file ?? null;
}

function fileNames({ signing }: Config, env: Environment) {
  const named = (variable: string, file: string | undefined): string | undefined => env[variable] || file;
  return {
    secret_file: named('NEPHOMETER_SECRET_FILE', signing.secret_file),
    master_key_file: named('NEPHOMETER_MASTER_KEY_FILE', signing.master_key_file),
    key_file: named('NEPHOMETER_KEY_FILE', signing.key_file),
    keys: signing.keys,
  };
}

async function readKeys(config: Config, env: Environment): Promise<KnownKeys> {
  const { secret_file, master_key_file, key_file, keys } = fileNames(config, env);
  const { generation, accept_shared_batches: acceptShared } = config.signing;
  return {
    shared: secret_file === undefined ? null : await readSecret(secret_file),
    master: master_key_file === undefined ? null : await readMasterKey(master_key_file),
    listed: await Promise.all(keys.map(readListedKey)),
    own: key_file === undefined ? [] : keysOfFile(await readKeyFile(key_file)),
    generation,
    acceptShared,
  };
}

/** The master key that agents' keys are derived from. @throws KeyMissing when it is missing or too short */
export async function readMasterKey(file: string): Promise<Uint8Array> {
  const master = await readSecret(file);
  if (master.length >= SHORTEST_MASTER) return master;
  throw new KeyMissing(
    `The master key in ${file} has ${master.length} bytes; ${SHORTEST_MASTER} or more would be right. ${HOW}.`,
  );
}

/** A file of a listed key: one that `key issue` wrote, or the bare secret. */
async function readListedKey(listed: ListedKey): Promise<SigningKey> {
  const { key_id: keyId, agent_id: agentId, secret_file: file, valid_from, valid_until } = listed;
  const validity = { validFrom: valid_from ?? null, validUntil: valid_until ?? null };
  const secret = await readSecret(file);
  if (secret[0] !== '{'.charCodeAt(0)) return { keyId, agentId, secret, ...validity };
  const written = await readKeyFile(file);
  if (written.key_id === keyId && written.agent_id === agentId) {
    return { keyId, agentId, secret: Buffer.from(written.secret, 'hex'), ...validity };
  }
  throw new KeyMissing(
    `signing.keys lists ${file} as key "${keyId}" of agent ${agentId}; the file holds key "${written.key_id}" of ` +
      `agent ${written.agent_id}. Correct the list.`,
  );
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
