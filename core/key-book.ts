import { z } from 'zod';
import { SECOND } from './time.ts';
import type { Micros } from './time.ts';
import type { Entry, Store } from './ports/store.ts';
import { derivedKeyId, generationOf } from './signing/derived-key.ts';
import type { Keyring, SigningKey } from './signing/keyring.ts';

/**
 * One change to keys, as the entry of kind `key` holds it (JSON body). Never a secret. `valid_until` is when the key is
 * refused from; once that has passed, nothing brings the key back.
 */
export const KeyChange = z.strictObject({
  action: z.enum(['rotate', 'revoke']),
  /** The key that goes: revoked, or replaced. */
  key_id: z.string(),
  /** Null: for every agent, as when the master key or the shared secret is known to others. */
  agent_id: z.string().nullable(),
  valid_until: z.int().nullable(),
  /** Of a rotation, the key that takes over. */
  next_key_id: z.string().nullable(),
  by: z.string(),
  why: z.string(),
  at: z.int(),
});
export type KeyChange = z.infer<typeof KeyChange>;

/** What is known of one key beside its secret. */
export interface KeyState {
  readonly keyId: string;
  /** Null: all agents. */
  readonly agentId: string | null;
  readonly validUntil: Micros | null;
  /** The change that says so. */
  readonly change: KeyChange;
  readonly recordedAt: Micros;
}

export interface ChangeOf {
  readonly by: string;
  readonly why: string;
  readonly now: Micros;
}

/** What is remembered of a change may be so old; so a revoked key is refused everywhere within twice this. */
const CACHE_MS = 1_000;
/** Another collector's entry may show up that long after its `recorded_at`: twice the commit horizon. */
const OVERLAP: Micros = 60 * SECOND;

/** The keys of the configuration with what was rotated and revoked since, as the store has it. */
export class KeyBook implements Keyring {
  readonly #keyring: Keyring;
  readonly #store: Store | null;
  /** By entry, in order of recording once sorted. */
  readonly #entries = new Map<string, Entry>();
  #states: ReadonlyMap<string, KeyState> = new Map();
  #generations: ReadonlyMap<string, number> = new Map();
  #followed: Micros = -Infinity;
  #askedAt = -Infinity;
  #asking: Promise<void> | null = null;

  /** @param store null where none is reached (an agent alone): then nothing but the configuration counts */
  constructor(keyring: Keyring, store: Store | null) {
    this.#keyring = keyring;
    this.#store = store;
  }

  get hasAgentKeys(): boolean {
    return this.#keyring.hasAgentKeys;
  }

  signingKey(agentId: string): SigningKey {
    const generation = this.#generations.get(agentId);
    const key = this.#keyring.signingKey(agentId);
    const own = generationOf(key.keyId);
    if (generation === undefined || own === null || own >= generation) return this.#withState(key, agentId);
    return this.find(derivedKeyId(generation), agentId) ?? key;
  }

  find(keyId: string, agentId: string): SigningKey | null {
    const key = this.#keyring.find(keyId, agentId);
    return key === null ? null : this.#withState(key, agentId);
  }

  sharedKeys(): readonly SigningKey[] {
    return this.#keyring.sharedKeys().map((key) => this.#withState(key, null));
  }

  async refresh(): Promise<void> {
    if (this.#store === null || performance.now() - this.#askedAt < CACHE_MS) return;
    this.#asking ??= this.#follow(this.#store).finally(() => (this.#asking = null));
    await this.#asking;
  }

  /** Names the next generation for an agent; the one before is refused from `retireAt` on. Returns the change. */
  async rotate(agentId: string, current: number, retireAt: Micros, { by, why, now }: ChangeOf): Promise<KeyChange> {
    await this.#now();
    const before = Math.max(current, this.#generations.get(agentId) ?? 1);
    const names = { key_id: derivedKeyId(before), next_key_id: derivedKeyId(before + 1) };
    return this.#append({ action: 'rotate', ...names, agent_id: agentId, valid_until: retireAt, by, why, at: now });
  }

  /** Refuses a key from `at` on. */
  async revoke(keyId: string, agentId: string | null, at: Micros, { by, why, now }: ChangeOf): Promise<KeyChange> {
    const change = { key_id: keyId, next_key_id: null, agent_id: agentId, valid_until: at, by, why, at: now };
    return this.#append({ action: 'revoke', ...change });
  }

  /** What changes say of keys, now. */
  async states(): Promise<readonly KeyState[]> {
    await this.#now();
    return [...this.#states.values()];
  }

  /** The generation that an agent was rotated to; null when never. */
  generationFor(agentId: string): number | null {
    return this.#generations.get(agentId) ?? null;
  }

  async #now(): Promise<void> {
    this.#askedAt = -Infinity;
    await this.refresh();
  }

  async #append(change: KeyChange): Promise<KeyChange> {
    if (this.#store === null) throw new TypeError('There is no store to keep changes of keys in.');
    const id = nameOf(change.key_id, change.agent_id);
    await this.#store.appendEntry({ kind: 'key', id, body: JSON.stringify(change) });
    await this.#now();
    return change;
  }

  async #follow(store: Store): Promise<void> {
    const asked = performance.now();
    const after = this.#followed === -Infinity ? {} : { after: this.#followed - OVERLAP };
    const found = await store.entries({ kind: 'key', ...after });
    const before = this.#entries.size;
    for (const entry of found) {
      this.#entries.set(`${entry.recordedAt} ${entry.id} ${entry.body}`, entry);
      this.#followed = Math.max(this.#followed, entry.recordedAt);
    }
    if (this.#entries.size > before) this.#fold();
    this.#askedAt = asked;
  }

  /** From the first change to the last, so that every process comes to the same. */
  #fold(): void {
    const states = new Map<string, KeyState>();
    const generations = new Map<string, number>();
    const inOrder = [...this.#entries.values()].sort((a, b) => a.recordedAt - b.recordedAt || (a.id < b.id ? -1 : 1));
    for (const { body, recordedAt } of inOrder) {
      const read = KeyChange.safeParse(parsed(body));
      if (!read.success) continue;
      const change = read.data;
      const { key_id: keyId, agent_id: agentId, valid_until: until, next_key_id: next } = change;
      const generation = next === null ? null : generationOf(next);
      if (generation !== null && agentId !== null) {
        generations.set(agentId, Math.max(generation, generations.get(agentId) ?? 0));
      }
      const name = nameOf(keyId, agentId);
      const known = states.get(name)?.validUntil ?? null;
      // What is revoked stays so; what is only going to be may still be put off, or hastened.
      if (known !== null && known <= recordedAt) continue;
      states.set(name, { keyId, agentId, validUntil: until, change, recordedAt });
    }
    this.#states = states;
    this.#generations = generations;
  }

  #withState(key: SigningKey, agentId: string | null): SigningKey {
    if (this.#states.size === 0) return key;
    const untils = [nameOf(key.keyId, agentId), nameOf(key.keyId, null)].flatMap(
      (name) => this.#states.get(name)?.validUntil ?? [],
    );
    if (untils.length === 0) return key;
    return { ...key, validUntil: Math.min(key.validUntil ?? Infinity, ...untils) };
  }
}

/** One name for a key of one agent, or of all. */
function nameOf(keyId: string, agentId: string | null): string {
  return JSON.stringify([keyId, agentId]);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
