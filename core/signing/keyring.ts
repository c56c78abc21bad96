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

/** The keys that this process knows. Implementations must never log a secret. */
export interface Keyring {
  /** The key that `agentId` signs with now. @throws KeyMissing */
  signingKey(agentId: string): SigningKey;
  /** The key of that id as `agentId` would hold it, valid or not; null when unknown. */
  find(keyId: string, agentId: string): SigningKey | null;
  /** Shared secrets to try on messages without a batch header, newest first. */
  sharedKeys(): readonly SigningKey[];
}

export const SHARED_KEY_ID = 'shared';

/** Every agent and collector holds the same secret, as Ceilometer's `telemetry_secret`. */
export class SharedSecretKeyring implements Keyring {
  readonly #key: SigningKey;
  constructor(secret: Uint8Array) {
    this.#key = { keyId: SHARED_KEY_ID, secret, agentId: null, validFrom: null, validUntil: null };
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
}
