import { parseVolume } from '../decimal.ts';
import type { Volume } from '../decimal.ts';
import { isJsonObject, JsonNumber, parseJson, stringifyJson } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { messageOf } from '../errors.ts';
import { signMessage } from '../signing/ceilometer.ts';
import { formatTimestamp, parseTimestamp } from '../time.ts';
import type { Micros } from '../time.ts';
import { Refusal } from './refusal.ts';
import { SAMPLE_TYPES } from './sample.ts';
import type { Counter, ReceivedSample, Sample, SampleType } from './sample.ts';

/**
 * The metering message: Ceilometer's JSON form of a sample. Field order on the wire is Ceilometer's; it does not
 * matter to the signature.
 */
export function messageFields(counter: Counter, messageId: string, source: string): JsonObject {
  return new Map<string, JsonValue>([
    ['source', source],
    ['counter_name', counter.meter],
    ['counter_type', counter.type],
    ['counter_unit', counter.unit],
    ['counter_volume', new JsonNumber(counter.volume.literal)],
    ['user_id', counter.userId],
    ['project_id', counter.projectId],
    ['resource_id', counter.resourceId],
    ['timestamp', formatTimestamp(counter.timestamp)],
    ['resource_metadata', counter.metadata],
    ['message_id', messageId],
    ['monotonic_time', counter.monotonicTime === null ? null : new JsonNumber(String(counter.monotonicTime))],
  ]);
}

export interface SignedMessage {
  readonly sample: Sample;
  /** The JSON text to send: what the signature and the batch's Merkle root are over. */
  readonly text: string;
}

/** Turns a counter into a signed metering message. */
export function signSample(
  counter: Counter,
  identity: { readonly messageId: string; readonly source: string },
  secret: string | Uint8Array,
): SignedMessage {
  const fields = messageFields(counter, identity.messageId, identity.source);
  const signature = signMessage(fields, secret);
  fields.set('message_signature', signature);
  return { sample: { ...counter, ...identity, signature }, text: stringifyJson(fields) };
}

/** Reads one metering message. @throws Refusal `malformed`, `field`, `volume` or `timestamp` */
export function readMessage(text: string): { sample: Sample; fields: JsonObject } {
  const fields = parseObject(text);
  const sample: Sample = {
    messageId: required(fields, 'message_id'),
    source: required(fields, 'source'),
    meter: required(fields, 'counter_name'),
    type: typeOf(fields),
    unit: optional(fields, 'counter_unit'),
    volume: volumeOf(fields),
    userId: optional(fields, 'user_id'),
    projectId: optional(fields, 'project_id'),
    resourceId: required(fields, 'resource_id'),
    timestamp: timestampOf(fields),
    metadata: metadataOf(fields),
    monotonicTime: monotonicOf(fields),
    signature: optional(fields, 'message_signature') ?? '',
  };
  return { sample, fields };
}

const readFromText = new WeakSet<ReceivedSample>();

/** Reads one metering message as it was received. @throws Refusal as `readMessage` */
export function receiveMessage(text: string, slot: Micros | null): { sample: ReceivedSample; fields: JsonObject } {
  const { sample: read, fields } = readMessage(text);
  const sample = { ...read, text, slot };
  readFromText.add(sample);
  return { sample, fields };
}

/** True: reading the text gives the sample. False says nothing: it may be a copy. */
export function isAsReceived(sample: ReceivedSample): boolean {
  return readFromText.has(sample);
}

function parseObject(text: string): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new Refusal('malformed', `The metering message is not JSON: ${messageOf(cause)}`);
  }
  if (!isJsonObject(value)) throw new Refusal('malformed', `A metering message is an object; found ${kindOf(value)}.`);
  return value;
}

function required(fields: JsonObject, name: string): string {
  const value = fields.get(name);
  if (typeof value === 'string' && value !== '') return value;
  throw new Refusal('field', `${name} must be a non-empty string; found ${kindOf(value)}.`);
}

function optional(fields: JsonObject, name: string): string | null {
  const value = fields.get(name) ?? null;
  if (value === null || typeof value === 'string') return value;
  throw new Refusal('field', `${name} must be a string or null; found ${kindOf(value)}.`);
}

function typeOf(fields: JsonObject): SampleType {
  const value = fields.get('counter_type');
  const type = SAMPLE_TYPES.find((known) => known === value);
  if (type !== undefined) return type;
  throw new Refusal('field', `counter_type must be gauge, delta or cumulative; found ${kindOf(value)}.`);
}

/** Numeric strings count (broken publishers send them); null, booleans, NaN and infinities do not. */
function volumeOf(fields: JsonObject): Volume {
  const value = fields.get('counter_volume');
  const literal = value instanceof JsonNumber ? value.literal : typeof value === 'string' ? value.trim() : null;
  if (literal === null) throw new Refusal('volume', `counter_volume must be a number; found ${kindOf(value)}.`);
  try {
    return parseVolume(literal);
  } catch (cause) {
    throw new Refusal('volume', `counter_volume: ${messageOf(cause)}`);
  }
}

function timestampOf(fields: JsonObject): number {
  const value = fields.get('timestamp');
  if (typeof value !== 'string') {
    throw new Refusal('timestamp', `timestamp must be a string in ISO 8601; found ${kindOf(value)}.`);
  }
  try {
    return parseTimestamp(value);
  } catch (cause) {
    throw new Refusal('timestamp', `timestamp: ${messageOf(cause)}`);
  }
}

function metadataOf(fields: JsonObject): JsonObject {
  const value = fields.get('resource_metadata') ?? null;
  if (value === null) return new Map();
  if (isJsonObject(value)) return value;
  throw new Refusal('field', `resource_metadata must be an object; found ${kindOf(value)}.`);
}

function monotonicOf(fields: JsonObject): number | null {
  const value = fields.get('monotonic_time');
  return value instanceof JsonNumber && Number.isFinite(Number(value.literal)) ? Number(value.literal) : null;
}

/** How a value that should have been another is named in an error: its kind and, shortened, its text. */
export function kindOf(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (isJsonObject(value)) return 'an object';
  const text = stringifyJson(value);
  return `${typeof value === 'string' ? 'the string' : 'the value'} ${text.length > 60 ? `${text.slice(0, 60)}...` : text}`;
}
