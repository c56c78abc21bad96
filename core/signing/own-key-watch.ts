import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { Service } from '../lifecycle.ts';
import type { Logger } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { SECOND } from '../time.ts';
import type { Micros } from '../time.ts';
import type { Keyring, SigningKey } from './keyring.ts';
import { loadKeyring, ownKeyFile } from './keyring-file.ts';

/** The keys of one agent, which may be replaced while it runs. */
export class ReplaceableKeyring implements Keyring {
  #current: Keyring;
  /** The keys before: receipts for what they signed may still come. */
  #former: Keyring | null = null;

  constructor(keyring: Keyring) {
    this.#current = keyring;
  }

  get hasAgentKeys(): boolean {
    return this.#current.hasAgentKeys;
  }

  signingKey(agentId: string): SigningKey {
    return this.#current.signingKey(agentId);
  }

  find(keyId: string, agentId: string): SigningKey | null {
    return this.#current.find(keyId, agentId) ?? this.#former?.find(keyId, agentId) ?? null;
  }

  sharedKeys(): readonly SigningKey[] {
    return this.#current.sharedKeys();
  }

  refresh(): Promise<void> {
    return this.#current.refresh();
  }

  replace(next: Keyring): void {
    this.#former = this.#current;
    this.#current = next;
  }
}

export interface OwnKeyWatchOptions {
  readonly file: string;
  readonly agentId: string;
  readonly keyring: ReplaceableKeyring;
  /** Reads all keys anew. @throws KeyMissing */
  readonly load: () => Promise<Keyring>;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY: Micros = 5 * SECOND;

/**
 * Takes up a key file that was replaced, without a restart: within seconds, or at once on SIGHUP. A file that is no key, or
 * the key of another agent, changes nothing: the agent goes on with the key that it has, and says so.
 */
export class OwnKeyWatch implements Service {
  readonly name = 'own key';
  readonly #options: OwnKeyWatchOptions;
  readonly #onHangup = (): void => void this.look();
  #seen: string | null = null;
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;
  #isStopped = false;

  constructor(options: OwnKeyWatchOptions) {
    this.#options = options;
  }

  /** Null where the agent has no key file of its own: a shared secret changes with a restart of all who hold it. */
  static of({ config, ...rest }: Omit<OwnKeyWatchOptions, 'file' | 'load'> & { config: Config }): OwnKeyWatch | null {
    const file = ownKeyFile(config);
    return file === null ? null : new OwnKeyWatch({ ...rest, file, load: () => loadKeyring(config) });
  }

  async start(): Promise<void> {
    this.#seen = await readOrNull(this.#options.file);
    process.on('SIGHUP', this.#onHangup);
    this.#again();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    process.off('SIGHUP', this.#onHangup);
    await this.#looking;
  }

  /** Looks now. Never throws. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  #again(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.after(LOOK_EVERY, () => void this.look().then(() => this.#again()));
  }

  async #look(): Promise<void> {
    const { file, agentId, keyring, load, log } = this.#options;
    const content = await readOrNull(file);
    // A file that is just being replaced is looked at again in a moment.
    if (content === null || content === this.#seen) return;
    this.#seen = content;
    try {
      const before = keyring.signingKey(agentId).keyId;
      const next = await load();
      const { keyId } = next.signingKey(agentId);
      keyring.replace(next);
      log.info(
        { agent: agentId, before, key: keyId, file },
        'The key file was replaced; batches are signed with its key.',
      );
    } catch (cause) {
      const fields = { agent: agentId, file, cause: messageOf(cause) };
      log.error(fields, 'The new key file cannot be used; the agent goes on with the key that it has.');
    }
  }
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return null;
  }
}
