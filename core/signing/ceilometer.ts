import { createHmac, timingSafeEqual } from 'node:crypto';
import { JsonNumber } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { NotVerifiable } from './not-verifiable.ts';
import { numberText, numberText12 } from './number-literal.ts';
import { arrayText, PYTHON_2, PYTHON_3 } from './python-list.ts';
import { hasSurrogate, isWellFormed, quicklySorted, sortedKeys } from './unicode.ts';

/**
 * Which Ceilometer signed: `py3-8.0` is any release since 8.0.0 (2017) under Python 3, `py2-2015.1` any since 2015.1 under
 * Python 2. They differ in floats of more than 12 digits and in arrays; everything else they sign alike.
 */
export type CeilometerProfile = 'py3-8.0' | 'py2-2015.1';

export { NotVerifiable };

const SIGNATURE_FIELD = 'message_signature';

/**
 * The text that the HMAC covers: for each member, by code point order of the keys within each object, the flat name
 * (`resource_metadata:flavor:id`) and the value's text, nothing between them. An empty object adds nothing. Without separators
 * different messages can share a text; that is Ceilometer's weakness, kept for compatibility, and why batches have a
 * signature of their own.
 * @throws NotVerifiable
 */
export function signedText(message: JsonObject, profile: CeilometerProfile = 'py3-8.0'): string {
  const text = flatten(message, '', profile, quicklySorted);
  // Nearly all messages have no surrogate, and need neither the exact sort nor the search for half pairs.
  if (!hasSurrogate(text)) return text;
  if (hasHalfPair(message)) throw new NotVerifiable();
  return flatten(message, '', profile, sortedKeys);
}

type KeyOrder = (members: JsonObject) => string[];

function flatten(members: JsonObject, prefix: string, profile: CeilometerProfile, order: KeyOrder): string {
  let text = '';
  for (const key of order(members)) {
    const name = prefix + key;
    const value = members.get(key) as JsonValue;
    if (value instanceof Map) text += flatten(value, `${name}:`, profile, order);
    else if (name !== SIGNATURE_FIELD) text += name + valueText(value, profile);
  }
  return text;
}

/** String by string, since the half pairs of two neighbours must not pass for a whole one. */
function hasHalfPair(members: JsonObject): boolean {
  for (const [key, value] of members) {
    if (!isWellFormed(key) || (typeof value === 'string' && !isWellFormed(value))) return true;
    if (value instanceof Map && hasHalfPair(value)) return true;
  }
  return false;
}

function valueText(value: Exclude<JsonValue, JsonObject>, profile: CeilometerProfile): string {
  if (typeof value === 'string') return value;
  if (value instanceof JsonNumber)
    return profile === 'py3-8.0' ? numberText(value.literal) : numberText12(value.literal);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return arrayText(value, profile === 'py3-8.0' ? PYTHON_3 : PYTHON_2);
}

/**
 * The signature as Ceilometer 8.0.0 and later make it.
 * @param secret text is taken as its UTF-8 bytes
 * @returns 64 lower-case hex digits; empty for the empty secret, as Ceilometer marks unsigned messages
 * @throws NotVerifiable
 */
export function signMessage(message: JsonObject, secret: string | Uint8Array): string {
  return secret.length === 0 ? '' : hmac(signedText(message), secret);
}

/**
 * Which profile's signature the message carries under `message_signature`, or null when it carries neither's. The newer is
 * tried first, the older one only where its text differs.
 *
 * An empty secret verifies nothing here. Ceilometer takes every message for verified then; a meter that bills must not
 * let a forgotten secret switch its checks off. Who wants unsigned messages says so in the configuration, not by
 * an empty secret.
 */
export function verifyMessage(message: JsonObject, secret: string | Uint8Array): CeilometerProfile | null {
  const given = message.get(SIGNATURE_FIELD);
  if (secret.length === 0 || typeof given !== 'string' || given.length !== 64) return null;
  try {
    const text = signedText(message);
    if (isSame(given, hmac(text, secret))) return 'py3-8.0';
    const older = signedText(message, 'py2-2015.1');
    return older !== text && isSame(given, hmac(older, secret)) ? 'py2-2015.1' : null;
  } catch (cause) {
    if (cause instanceof NotVerifiable) return null;
    throw cause;
  }
}

function hmac(text: string, secret: string | Uint8Array): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** In constant time. Upper-case digits do not count as the same. */
function isSame(given: string, computed: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(computed);
  return a.length === b.length && timingSafeEqual(a, b);
}
