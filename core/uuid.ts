import { createHash, randomUUID } from 'node:crypto';

/** The namespace of every id that we derive (UUID version 5). Never to be changed: ids made before would not be found again. */
export const NEPHOMETER_NAMESPACE = 'd89e8f7d-7c84-4043-91dc-b206df8d2507';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Any UUID in its text form of 36 characters, of any version, in either case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** A random id. */
export function uuidv4(): string {
  return randomUUID();
}

/** Those of the namespace that was used last: it is nearly always the same. */
let known: { readonly namespace: string; readonly bytes: Buffer } | null = null;

/** @throws RangeError when the namespace is not a UUID */
function bytesOf(namespace: string): Buffer {
  if (namespace === known?.namespace) return known.bytes;
  if (!isUuid(namespace)) {
    throw new RangeError(`Found the namespace ${JSON.stringify(namespace)}; a UUID of 36 characters would be right.`);
  }
  known = { namespace, bytes: Buffer.from(namespace.replaceAll('-', ''), 'hex') };
  return known.bytes;
}

/**
 * The id that a name has within a namespace, the same for ever (RFC 9562, version 5: SHA-1).
 * @param name text is taken as its UTF-8 bytes
 * @throws RangeError when the namespace is not a UUID
 */
export function uuidv5(namespace: string, name: string | Uint8Array): string {
  const digest = createHash('sha1').update(bytesOf(namespace)).update(name).digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
