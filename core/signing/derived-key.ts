import { hkdfSync } from 'node:crypto';
import { lengthDelimited } from '../model/identity.ts';

const SALT = 'nephometer agent key 1';
const KEY_BYTES = 32;
const DERIVED_ID = /^m([1-9]\d{0,8})$/;

/**
 * The key of one agent and generation: HKDF-SHA256 over the master key, with the agent id and the generation as its
 * context. Who holds it learns neither the master key nor any other agent's.
 */
export function deriveAgentKey(master: Uint8Array, agentId: string, generation: number): Uint8Array {
  const info = lengthDelimited([agentId, String(generation)]);
  return new Uint8Array(hkdfSync('sha256', master, SALT, info, KEY_BYTES));
}

/** `m1`, `m2`, ...: names the generation of a derived key. With the agent id of the header it names one key. */
export function derivedKeyId(generation: number): string {
  return `m${generation}`;
}

/** The generation that a key id names; null for a key that is not derived. */
export function generationOf(keyId: string): number | null {
  const match = DERIVED_ID.exec(keyId);
  return match === null ? null : Number(match[1]);
}
