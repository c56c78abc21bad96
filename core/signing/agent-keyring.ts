import { KeyMissing } from '../errors.ts';
import { deriveAgentKey, derivedKeyId, generationOf } from './derived-key.ts';
import { SHARED_KEY_ID, sharedKey } from './keyring.ts';
import type { Keyring, SigningKey } from './keyring.ts';

/** What a configuration gives; at least one of them is there. */
export interface KnownKeys {
  readonly shared: Uint8Array | null;
  readonly master: Uint8Array | null;
  /** Listed one by one: every key of every agent. */
  readonly listed: readonly SigningKey[];
  /** Of this agent alone, the one that it signs with first; the others are those that receipts may still be signed with. */
  readonly own: readonly SigningKey[];
  /** Generation that derived keys sign with here, unless a later one was rotated to. */
  readonly generation: number;
  /** Whether the shared secret signs for agents too, though they have keys of their own: for the time of the change. */
  readonly acceptShared: boolean;
}

/** A forger may name a new agent in each message; more derived keys than these are not remembered. */
const MOST_DERIVED = 10_000;

/** The keys of a configuration in which agents have keys of their own. */
export class AgentKeyring implements Keyring {
  readonly hasAgentKeys = true;
  readonly #known: KnownKeys;
  readonly #derived = new Map<string, SigningKey>();

  constructor(known: KnownKeys) {
    this.#known = known;
  }

  signingKey(agentId: string): SigningKey {
    const { own, listed, master, generation } = this.#known;
    const [mine] = own;
    if (mine !== undefined) return assertOwn(mine, agentId);
    const now = Date.now() * 1000;
    const valid = listed.flatMap((key) => listedFor(key, agentId) ?? []).filter((key) => isValid(key, now));
    const newest = valid.sort((a, b) => (b.validFrom ?? -Infinity) - (a.validFrom ?? -Infinity))[0];
    if (newest !== undefined) return newest;
    if (master !== null) return this.#derive(master, agentId, generation);
    throw new KeyMissing(
      `There is no key for agent ${agentId} in signing.keys that is valid now. List one (a collector's own batches: for the agent id "collector"), or give signing.master_key_file.`,
    );
  }

  find(keyId: string, agentId: string): SigningKey | null {
    const { own, listed, master, shared, acceptShared } = this.#known;
    if (keyId === SHARED_KEY_ID) return shared !== null && acceptShared ? sharedKey(shared) : null;
    const mine = own.find((key) => key.keyId === keyId && key.agentId === agentId);
    if (mine !== undefined) return mine;
    const generation = generationOf(keyId);
    if (generation !== null) return master === null ? null : this.#derive(master, agentId, generation);
    const named = listed.find((key) => key.keyId === keyId) ?? null;
    return named === null ? null : (listedFor(named, agentId) ?? named);
  }

  sharedKeys(): readonly SigningKey[] {
    return this.#known.shared === null ? [] : [sharedKey(this.#known.shared)];
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  #derive(master: Uint8Array, agentId: string, generation: number): SigningKey {
    const keyId = derivedKeyId(generation);
    const name = `${keyId} ${agentId}`;
    const known = this.#derived.get(name);
    if (known !== undefined) return known;
    const secret = deriveAgentKey(master, agentId, generation);
    const key = { keyId, secret, agentId, validFrom: null, validUntil: null };
    if (this.#derived.size >= MOST_DERIVED) this.#derived.clear();
    this.#derived.set(name, key);
    return key;
  }
}

/** Each collector process is an agent of its own, `collector.HOST.RANDOM`: a key listed for `collector` is for all of them. */
const COLLECTOR = 'collector';

function listedFor(key: SigningKey, agentId: string): SigningKey | null {
  if (key.agentId === agentId) return key;
  return key.agentId === COLLECTOR && agentId.startsWith(`${COLLECTOR}.`) ? { ...key, agentId } : null;
}

function assertOwn(key: SigningKey, agentId: string): SigningKey {
  if (key.agentId === agentId) return key;
  throw new KeyMissing(
    `The key in signing.key_file was issued for agent ${key.agentId}; this agent is ${agentId}. Issue one for it ` +
      `(\`nephometer key issue ${agentId}\`), or set agent.id to ${key.agentId}.`,
  );
}

function isValid({ validFrom, validUntil }: SigningKey, now: number): boolean {
  return now >= (validFrom ?? -Infinity) && now < (validUntil ?? Infinity);
}
