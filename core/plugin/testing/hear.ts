import { fromPlain, isJsonObject, parseJson, stringifyJson, toPlain } from '../../json.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { Listener, Notification, NotificationSample } from '../contract.ts';
import { contextFor } from './context.ts';
import type { PluginSetting } from './context.ts';
import { volumeText } from './findings.ts';
import { plainJson } from './poll.ts';

/** A sample that a listener made, under the names of the wire; plain JSON, for comparing and golden files. */
export interface PlainSample {
  readonly meter: string;
  readonly resource_id: string;
  readonly type: string;
  readonly unit: string | null;
  /** Decimal text, no digit lost. */
  readonly volume: string;
  readonly project_id: string | null;
  readonly user_id: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Only where the listener gives one of its own. */
  readonly timestamp?: string;
}

/**
 * Hands one notification to a listener: options as a user writes them, the notification as an object, JSON text, or in
 * oslo.messaging's envelope. @returns the samples in the listener's order
 */
export async function hearNotification<Options>(
  plugin: Listener<Options>,
  notification: unknown,
  options: unknown = {},
  setting: PluginSetting = {},
): Promise<PlainSample[]> {
  const context = await contextFor(plugin, options, setting);
  const samples = await plugin.onNotification(notificationFrom(notification), context);
  return samples.map(plainSample);
}

function plainSample(sample: NotificationSample): PlainSample {
  return {
    meter: sample.meter,
    resource_id: sample.resourceId,
    type: sample.type,
    unit: sample.unit,
    volume: volumeText(sample.volume),
    project_id: sample.projectId ?? null,
    user_id: sample.userId ?? null,
    metadata: plainJson(sample.metadata),
    ...(sample.timestamp === undefined ? {} : { timestamp: sample.timestamp }),
  };
}

/**
 * A notification as a listener gets it. Missing parts get plain stand-ins (`priority` INFO, the publisher `test.node-1`,
 * a fixed id and time), so that a test may give only `event_type` and `payload`.
 * @param message the object, its JSON text, or the text in the envelope `{"oslo.version", "oslo.message"}`
 */
export function notificationFrom(message: unknown): Notification {
  if (isNotification(message)) return message;
  let value: JsonValue = typeof message === 'string' ? parseJson(message) : fromPlain(message);
  if (isJsonObject(value) && typeof value.get('oslo.message') === 'string')
    value = parseJson(value.get('oslo.message') as string);
  if (!isJsonObject(value)) throw new TypeError('A notification is an object with event_type and payload.');
  const inner = value;
  const text = (name: string, standIn: string): string => {
    const found = inner.get(name);
    return typeof found === 'string' ? found : standIn;
  };
  const known = inner.get('metadata');
  const metadata: JsonObject = isJsonObject(known)
    ? known
    : new Map([
        ['message_id', text('message_id', '00000000-0000-4000-8000-000000000001')],
        ['timestamp', text('timestamp', '2026-01-01 00:00:00.000000')],
      ]);
  return notificationOf({
    ctxt: contextOf(inner),
    publisher_id: text('publisher_id', 'test.node-1'),
    event_type: text('event_type', ''),
    payload: inner.get('payload') ?? new Map(),
    metadata,
    priority: text('priority', 'INFO').toUpperCase(),
  });
}

interface Parts {
  readonly ctxt: JsonObject;
  readonly publisher_id: string;
  readonly event_type: string;
  readonly payload: JsonValue;
  readonly metadata: JsonObject;
  readonly priority: string;
}

function notificationOf({ priority, ...parts }: Parts): Notification {
  const exact: JsonObject = new Map(Object.entries(parts));
  return {
    eventType: parts.event_type,
    publisherId: parts.publisher_id,
    priority,
    metadata: toPlain(parts.metadata) as Notification['metadata'],
    payload: toPlain(parts.payload) as Notification['payload'],
    ctxt: toPlain(parts.ctxt) as Notification['ctxt'],
    exact,
  };
}

/** `ctxt` as it stands, or the `_context_*` keys that cross the broker. */
function contextOf(inner: JsonObject): JsonObject {
  const given = inner.get('ctxt');
  if (isJsonObject(given)) return given;
  const prefix = '_context_';
  return new Map(
    [...inner].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

function isNotification(message: unknown): message is Notification {
  return typeof message === 'object' && message !== null && 'exact' in message && 'eventType' in message;
}

/** All of a notification as text, to see whether a listener changed it. */
export function notificationText(notification: Notification): string {
  const { exact, ...plain } = notification;
  return stringifyJson(exact) + JSON.stringify(plain);
}
