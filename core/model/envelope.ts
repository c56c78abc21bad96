import { isJsonObject, JsonNumber, parseJson, toPlain } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { sliceItems, sliceMembers } from '../json-slices.ts';
import { MeteringError, messageOf } from '../errors.ts';
import { headerDigest } from '../signing/batch.ts';
import { formatTimestamp } from '../time.ts';
import { NEPHOMETER_NAMESPACE, uuidv5 } from '../uuid.ts';
import { SignedHeader } from './batch.ts';
import { Refusal } from './refusal.ts';

/** The key beside `oslo.message` that carries the batch header; oslo.messaging does not look at it. */
export const BATCH_KEY = 'nephometer.batch';

/**
 * The body of one bus message of ours: oslo.messaging's envelope 2.0 around a notification whose payload is the array
 * of metering messages. Every byte is a function of the header and the samples' texts, so a receiver that rebuilds it
 * sees any change anywhere, not only in what the header signs.
 */
export function encodeBatch(header: SignedHeader, texts: readonly string[]): string {
  const digest = headerDigest(header);
  const inner =
    `{"message_id":${JSON.stringify(uuidv5(NEPHOMETER_NAMESPACE, digest))},` +
    `"publisher_id":${JSON.stringify(`nephometer.${header.agent_id}`)},` +
    `"event_type":"metering","priority":"SAMPLE","payload":[${texts.join(',')}],` +
    `"timestamp":"${formatTimestamp(header.created).replace('T', ' ')}","_unique_id":"${digest.slice(0, 32)}"}`;
  return `{"oslo.version":"2.0","oslo.message":${JSON.stringify(inner)},"${BATCH_KEY}":${headerJson(header)}}`;
}

/** In the order of the schema, in which a receiver rebuilds it, however the sender put its parts together. */
function headerJson(header: SignedHeader): string {
  const read = SignedHeader.safeParse(header);
  return JSON.stringify(read.success ? read.data : header);
}

/** A batch of ours as received: not verified yet. */
export interface BatchEnvelope {
  readonly kind: 'batch';
  readonly header: SignedHeader;
  readonly digest: string;
  /** JSON text of the header as received. */
  readonly headerText: string;
  /** The exact text of each metering message. */
  readonly texts: readonly string[];
}

/** Metering messages without a batch header: of a Ceilometer, or posted over HTTP. */
export interface HeaderlessEnvelope {
  readonly kind: 'headerless';
  readonly publisherId: string | null;
  readonly eventType: string | null;
  readonly texts: readonly string[];
}

/**
 * Reads a bus message or an HTTP body that carries metering messages: our envelope, oslo.messaging's (2.0 or the bare
 * notification of 1), a bare array, or one bare object. @throws Refusal `malformed`
 */
export function readMeteringEnvelope(body: Uint8Array): BatchEnvelope | HeaderlessEnvelope {
  return refusing(() => {
    const text = decodeUtf8(body);
    const start = text.trimStart();
    if (!/^[[{]/.test(start)) throw notMetering(start);
    if (start.startsWith('[')) return headerless(null, null, sliceItems(text));
    const outer = sliceMembers(text);
    const headerText = outer.get(BATCH_KEY);
    if (headerText !== undefined) return readBatch(text, outer, headerText);
    const inner = unwrap(outer);
    if (inner.has('counter_name')) return headerless(null, null, [text]);
    return headerless(stringMember(inner, 'publisher_id'), stringMember(inner, 'event_type'), payloadTexts(inner));
  });
}

/** What a metering message is, for whom has sent nothing, `null`, or something else altogether. */
function notMetering(text: string): Refusal {
  const found = text === '' ? 'an empty body' : JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  const right = 'a metering message (an object with counter_name), an array of them, or a batch in its envelope';
  return new Refusal('malformed', `Found ${found}; ${right} would be right.`);
}

function readBatch(text: string, outer: Map<string, string>, headerText: string): BatchEnvelope {
  const parsed = SignedHeader.safeParse(toPlain(parseJson(headerText)));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Refusal(
      'malformed',
      `${BATCH_KEY}.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a batch header'}`,
    );
  }
  const texts = payloadTexts(unwrap(outer));
  if (encodeBatch(parsed.data, texts) !== text) {
    throw new Refusal(
      'malformed',
      'The envelope is not spelled as its header and samples give it; it was changed on the way.',
    );
  }
  return { kind: 'batch', header: parsed.data, digest: headerDigest(parsed.data), headerText, texts };
}

/** The members of the notification inside an envelope; an object without `oslo.*` keys is the notification itself. */
function unwrap(outer: Map<string, string>): Map<string, string> {
  const version = outer.get('oslo.version');
  const message = outer.get('oslo.message');
  if (version === undefined || message === undefined) return outer;
  checkVersion(parseJson(version));
  const inner = parseJson(message);
  if (typeof inner !== 'string') throw new Refusal('malformed', 'oslo.message must be a string that holds JSON.');
  return sliceMembers(inner);
}

/** As oslo.messaging does: the major version must be 2, the minor at most 0. */
function checkVersion(version: unknown): void {
  if (typeof version === 'string' && /^2(\.0)?$/.test(version)) return;
  throw new Refusal('malformed', `oslo.version must be "2.0"; found ${JSON.stringify(version)}.`);
}

/** `payload` is an array of metering messages, or an object whose `samples` is (polling agents, API). */
function payloadTexts(inner: Map<string, string>): string[] {
  const payload = inner.get('payload') ?? rpcData(inner);
  if (payload === undefined) throw new Refusal('malformed', 'The notification has no payload.');
  if (payload.startsWith('[')) return sliceItems(payload);
  if (!payload.startsWith('{')) throw new Refusal('malformed', 'The payload must be an array of metering messages.');
  const members = sliceMembers(payload);
  const samples = members.get('samples');
  if (samples !== undefined) return sliceItems(samples);
  if (members.has('counter_name')) return [payload];
  throw new Refusal('malformed', 'The payload holds no metering messages: no array, no `samples`, no `counter_name`.');
}

/** RPC casts of 2012 to 2014: `{"method": "record_metering_data", "args": {"data": ...}}`. */
function rpcData(inner: Map<string, string>): string | undefined {
  const args = inner.get('args');
  return args === undefined ? undefined : sliceMembers(args).get('data');
}

function stringMember(members: Map<string, string>, name: string): string | null {
  const text = members.get(name);
  const value = text === undefined ? null : parseJson(text);
  return typeof value === 'string' ? value : null;
}

function headerless(publisherId: string | null, eventType: string | null, texts: string[]): HeaderlessEnvelope {
  return { kind: 'headerless', publisherId, eventType, texts };
}

/** A notification of another service, unwrapped. */
export interface NotificationEnvelope {
  readonly messageId: string;
  readonly publisherId: string;
  readonly eventType: string;
  /** Upper case: `INFO`, `ERROR`, `SAMPLE`, ... */
  readonly priority: string;
  /** As sent: `2016-04-13 09:51:24.512345`, UTC. */
  readonly timestamp: string;
  /** The `_context_*` keys without the prefix. */
  readonly ctxt: JsonObject;
  readonly payload: JsonObject;
  /** What stands where a payload should be, when it is neither an object nor an array: there is little to hear in it. */
  readonly oddPayload: string | null;
}

/** Reads a service notification in oslo.messaging's envelope 2.0 or the bare form of 1. @throws Refusal `malformed` or `field` */
export function readNotification(body: Uint8Array): NotificationEnvelope {
  return refusing(() => {
    const text = decodeUtf8(body);
    const outer = sliceMembers(text);
    const wrapped = outer.get('oslo.message') !== undefined && outer.get('oslo.version') !== undefined;
    if (wrapped) checkVersion(parseJson(outer.get('oslo.version') ?? 'null'));
    const innerText = wrapped ? parseJson(outer.get('oslo.message') ?? 'null') : text;
    if (typeof innerText !== 'string') throw new Refusal('malformed', 'oslo.message must be a string that holds JSON.');
    const inner = parseJson(innerText);
    if (!isJsonObject(inner)) throw new Refusal('malformed', 'A notification is an object.');
    return notificationOf(inner);
  });
}

function notificationOf(inner: JsonObject): NotificationEnvelope {
  const payload = inner.get('payload') ?? null;
  const prefix = '_context_';
  const context = [...inner].filter(([name]) => name.startsWith(prefix));
  return {
    messageId: text(inner, 'message_id'),
    publisherId: text(inner, 'publisher_id'),
    eventType: text(inner, 'event_type'),
    priority: text(inner, 'priority').toUpperCase(),
    timestamp: text(inner, 'timestamp'),
    ctxt: new Map(context.map(([name, value]) => [name.slice(prefix.length), value])),
    payload: isJsonObject(payload) ? payload : new Map([['payload', payload]]),
    oddPayload: isJsonObject(payload) || Array.isArray(payload) ? null : described(inner.get('payload')),
  };
}

/** As the sender would know it again: `"x"`, `12`, `null`; `none` where there is nothing. */
function described(value: JsonValue | undefined): string {
  if (value === undefined) return 'none';
  const text = value instanceof JsonNumber ? value.literal : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function text(inner: JsonObject, name: string): string {
  const value = inner.get(name);
  if (typeof value === 'string' && value !== '') return value;
  throw new Refusal('field', `A notification has a string ${name}; it is missing here or is something else.`);
}

function decodeUtf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new Refusal('malformed', 'The body is not UTF-8.');
  }
}

/** Whatever a reader trips over is the sender's fault: a refusal, never a crash. */
function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof MeteringError) throw cause;
    throw new Refusal('malformed', `Not a message in an envelope that is known here: ${messageOf(cause)}`);
  }
}
