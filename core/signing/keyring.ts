import type { Micros } from '../time.ts';

/** A key that signs samples and batches. */
export interface SigningKey {
  readonly keyId: string;
  readonly secret: Uint8Array;
  /** The only agent that may use it; null for a secret that all share. */
  readonly agentId: string | null;
  /** Refused for what is signed or received outside [from, until); null is unbounded. */
  readonly validFrom: Micros | null;
  readonly validUntil: Micros | null;
}

/** The keys that this process knows. Nothing here waits but `refresh`. Implementations must never log a secret. */
export interface Keyring {
  /** Whether agents have keys of their own: then the shared secret signs for none of them. */
  readonly hasAgentKeys: boolean;
  /** The key that `agentId` signs with now. @throws KeyMissing */
  signingKey(agentId: string): SigningKey;
  /** The key of that id as `agentId` would hold it, valid or not; null when unknown. */
  find(keyId: string, agentId: string): SigningKey | null;
  /** Shared secrets to try on messages without a batch header, newest first. */
  sharedKeys(): readonly SigningKey[];
  /**
   * Learns what was rotated or revoked elsewhere, unless that was asked a moment ago. To be called before a group of
   * messages is judged. @throws StoreUnavailable
   */
  refresh(): Promise<void>;
}

export const SHARED_KEY_ID = 'shared';

/** Every agent and collector holds the same secret, as Ceilometer's `telemetry_secret`. */
export class SharedSecretKeyring implements Keyring {
  readonly hasAgentKeys = false;
  readonly #key: SigningKey;
  constructor(secret: Uint8Array) {
    this.#key = sharedKey(secret);
  }
  signingKey(_agentId: string): SigningKey {
    return this.#key;
  }
  find(keyId: string, _agentId: string): SigningKey | null {
    return keyId === this.#key.keyId ? this.#key : null;
  }
  sharedKeys(): readonly SigningKey[] {
    return [this.#key];
  }
  refresh(): Promise<void> {
    return Promise.resolve();
  }
}

export function sharedKey(secret: Uint8Array): SigningKey {
  return { keyId: SHARED_KEY_ID, secret, agentId: null, validFrom: null, validUntil: null };
}
