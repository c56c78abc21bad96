import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256 } from '../model/identity.ts';
import { fromPlain } from '../json.ts';
import type { BatchHeader, SignedHeader } from '../model/batch.ts';
import { canonicalText } from './canonical.ts';

const DOMAIN = 'nephometer batch header 1\n';

/** The bytes that a batch header's digest and HMAC are over. */
function headerText(header: BatchHeader): string {
  return DOMAIN + canonicalText(fromPlain(header));
}

/** SHA-256 over the header without its HMAC: the name of the batch in the ledger and in the next header. */
export function headerDigest(header: BatchHeader | SignedHeader): string {
  return sha256(headerText(unsigned(header)));
}

/** Adds the HMAC-SHA256 under the key that the header names. */
export function signHeader(header: BatchHeader, secret: Uint8Array): SignedHeader {
  return { ...header, hmac: hmac(header, secret).toString('hex') };
}

/** Whether the HMAC is that of `secret`; compared in constant time. */
export function verifyHeader(header: SignedHeader, secret: Uint8Array): boolean {
  const given = Buffer.from(header.hmac, 'hex');
  const computed = hmac(unsigned(header), secret);
  return given.length === computed.length && timingSafeEqual(given, computed);
}

function hmac(header: BatchHeader, secret: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(headerText(header)).digest();
}

function unsigned(header: BatchHeader | SignedHeader): BatchHeader {
  if (!('hmac' in header)) return header;
  const { hmac: _dropped, ...rest } = header;
  return rest;
}
