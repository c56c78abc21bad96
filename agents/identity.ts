import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, messageOf, uuidv4 } from '@nephometer/core';
import type { Config } from '@nephometer/core';

/**
 * The agent's id: `agent.id` of the configuration, else the one made at first start, kept in `DATA_DIR/agent-id`.
 * @throws ConfigError when the file cannot be read or holds something else
 */
export async function agentIdentity(dataDir: string, config: Config): Promise<string> {
  if (config.agent.id !== undefined) return config.agent.id;
  const file = join(dataDir, 'agent-id');
  try {
    return checked(await readFile(file, 'utf8'), file);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw wrong(file, `cannot be read: ${messageOf(cause)}`);
  }
  return make(dataDir, file);
}

/** Whole or not at all: whoever reads the file finds an id in it. */
async function make(dataDir: string, file: string): Promise<string> {
  const id = uuidv4();
  const draft = `${file}.${id}`;
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await writeFile(draft, `${id}\n`, { mode: 0o600, flush: true });
    await link(draft, file);
    return id;
  } catch (cause) {
    // Another process made it first: theirs counts.
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return checked(await readFile(file, 'utf8'), file);
    throw wrong(file, `cannot be made: ${messageOf(cause)}`);
  } finally {
    await rm(draft, { force: true });
  }
}

function checked(content: string, file: string): string {
  const id = content.trim();
  if (/^[\w.-]{1,200}$/.test(id)) return id;
  throw wrong(file, 'holds no agent id; restore it from a backup, or remove it to become a new agent');
}

function wrong(file: string, message: string): ConfigError {
  return new ConfigError([{ file, line: null, key: '', message }]);
}
