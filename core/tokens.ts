import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** admin: everything; reader: reads its projects; writer: posts samples and reads nothing. */
export type Role = 'admin' | 'reader' | 'writer';

/** Who asks. */
export interface Identity {
  readonly name: string;
  readonly role: Role;
  /** Projects a reader may see; for admins null (all). */
  readonly projects: readonly string[] | null;
  readonly userId: string | null;
}

/** A token as it is kept: never the token itself. */
export interface TokenRecord extends Identity {
  readonly id: string;
  /** `sha256:` and 64 hex digits. Tokens are 256 random bits, so a slow hash would add nothing. */
  readonly hash: string;
  readonly revoked: boolean;
}

export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

export function hashToken(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}

/** Finds who a token belongs to, among declared and stored ones; null when nobody, or revoked. */
export function identify(token: string, records: Iterable<TokenRecord>): Identity | null {
  const given = Buffer.from(hashToken(token));
  let found: Identity | null = null;
  // Every record is compared, so that the time taken tells nothing about which one matched.
  for (const record of records) {
    const kept = Buffer.from(record.hash);
    if (kept.length === given.length && timingSafeEqual(kept, given) && !record.revoked) found = record;
  }
  return found;
}

/** The token of a request: `X-Auth-Token`, or `Authorization: Bearer`. */
export function tokenFromHeaders(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): string | null {
  const direct = headers['x-auth-token'];
  if (typeof direct === 'string' && direct !== '') return direct;
  const authorization = headers['authorization'];
  const match = typeof authorization === 'string' ? /^Bearer +(\S+)$/i.exec(authorization) : null;
  return match?.[1] ?? null;
}

/** Why a request has no token: which headers were looked at, and what stood there instead. Never what they held. */
export function missingToken(headers: Readonly<Record<string, string | readonly string[] | undefined>>): string {
  const { authorization } = headers;
  const scheme = /^[A-Za-z]{1,12}(?= )/.exec(typeof authorization === 'string' ? authorization : '')?.[0];
  const found = authorization === undefined ? 'neither' : `Authorization ${scheme ?? 'without a scheme'}`;
  return `Found ${found}; a token in X-Auth-Token, or as Authorization: Bearer TOKEN, would be right.`;
}

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
