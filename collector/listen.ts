import {
  formatTimestamp,
  fromPlain,
  isJsonObject,
  messageOf,
  MINUTE,
  notifiedSampleId,
  parseTimestamp,
  parseVolume,
  Refusal,
  SAMPLE_TYPES,
  SECOND,
  toPlain,
} from '@nephometer/core';
import type {
  Clock,
  Counter,
  JsonObject,
  JsonValue,
  Micros,
  Notification,
  NotificationEnvelope,
  NotificationSample,
  Volume,
} from '@nephometer/core';
import type { ActiveListener } from './match.ts';
import { pause } from './wait.ts';

/** A counter that a listener made of a notification, with the id that it has however often that happens. */
export interface NotifiedCounter {
  readonly counter: Counter;
  readonly messageId: string;
}

/** What a listener made of one notification, and why parts of it were refused. */
export interface Heard {
  readonly counters: readonly NotifiedCounter[];
  readonly refusals: readonly Refusal[];
}

export interface ListenOptions {
  readonly clock: Clock;
  /** A listener that fails this often on one notification has failed. */
  readonly maxAttempts: number;
  /** Longest that a listener may take. */
  readonly timeout: Micros;
  readonly hangs: Hangs;
  /** How far ahead of our clock a sample may be. */
  readonly clockAhead: Micros;
}

export const LISTENER_TIMEOUT: Micros = 10 * SECOND;
const FIRST_RETRY: Micros = SECOND / 20;

/** A listener that hangs this often in a row is left alone for a while. */
const MOST_HANGS = 3;
const LEFT_ALONE: Micros = MINUTE;

/** Listeners that hang hold what waits for them; here is written down which do. */
export class Hangs {
  readonly #byListener = new Map<string, { inARow: number; until: Micros }>();

  /** Until when a listener is left alone, by the steady clock; null when it is asked. */
  aside(name: string, now: Micros): Micros | null {
    const until = this.#byListener.get(name)?.until ?? -Infinity;
    return now < until ? until : null;
  }

  answered(name: string): void {
    this.#byListener.delete(name);
  }

  hung(name: string, now: Micros): void {
    const inARow = (this.#byListener.get(name)?.inARow ?? 0) + 1;
    this.#byListener.set(name, { inARow, until: inARow >= MOST_HANGS ? now + LEFT_ALONE : -Infinity });
  }
}

class Hung extends Error {}

/**
 * Hands a notification to a listener and gives its samples an identity: a function of the notification, the plugin,
 * the meter and the place among the samples of that meter, so that hearing it again makes the same samples.
 * A listener that throws is asked again; one that hangs is not, since the call still runs. Never throws.
 */
export async function onNotification(
  envelope: NotificationEnvelope,
  listener: ActiveListener,
  options: ListenOptions,
): Promise<Heard> {
  const { clock, maxAttempts, hangs } = options;
  const { name } = listener;
  if (hangs.aside(name, clock.monotonic()) !== null) {
    const why = `The listener ${name} did not finish ${MOST_HANGS} times in a row and is left alone for a minute`;
    return failed(`${why}; it was not asked about ${envelope.eventType}. Replay this when it is mended.`);
  }
  let last: unknown = null;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (attempt > 0) await pause(clock, FIRST_RETRY * 2 ** Math.min(attempt - 1, 6));
    try {
      const samples = await withTimeout(() => callListener(envelope, listener), options);
      hangs.answered(name);
      return countersOf(samples, envelope, name, options);
    } catch (cause) {
      if (cause instanceof Hung) {
        hangs.hung(name, clock.monotonic());
        return failed(`The listener ${name} failed on ${envelope.eventType}: ${cause.message}`);
      }
      hangs.answered(name);
      last = cause;
    }
  }
  return failed(
    `The listener ${name} failed ${maxAttempts} times on ${envelope.eventType}, at last with: ${messageOf(last)}`,
  );
}

function failed(sentence: string): Heard {
  return { counters: [], refusals: [new Refusal('poison', sentence)] };
}

async function callListener(
  envelope: NotificationEnvelope,
  { listener, context }: ActiveListener,
): Promise<readonly NotificationSample[]> {
  const samples = await listener.onNotification(notificationOf(envelope), context);
  // A plugin in plain JavaScript may return anything.
  if (Array.isArray(samples)) return samples;
  throw new TypeError(`it returned ${typeof samples}; an array of samples would be right`);
}

function notificationOf({
  messageId,
  publisherId,
  eventType,
  priority,
  timestamp,
  ctxt,
  payload,
}: NotificationEnvelope): Notification {
  const metadata = { message_id: messageId, timestamp };
  const exact: JsonObject = new Map<string, JsonValue>([
    ['ctxt', ctxt],
    ['publisher_id', publisherId],
    ['event_type', eventType],
    ['payload', payload],
    ['metadata', new Map(Object.entries(metadata))],
  ]);
  return { eventType, publisherId, priority, metadata, payload: plainObject(payload), ctxt: plainObject(ctxt), exact };
}

function plainObject(members: JsonObject): Record<string, unknown> {
  return Object.fromEntries([...members].map(([name, value]) => [name, toPlain(value)]));
}

async function withTimeout<T>(call: () => Promise<T>, { clock, timeout }: ListenOptions): Promise<T> {
  let cancel = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    const timer = clock.after(timeout, () => reject(new Hung(`it did not finish within ${timeout / SECOND} s`)));
    cancel = () => timer.cancel();
  });
  try {
    return await Promise.race([call(), late]);
  } finally {
    cancel();
  }
}

function countersOf(
  samples: readonly NotificationSample[],
  envelope: NotificationEnvelope,
  plugin: string,
  options: ListenOptions,
): Heard {
  const counters: NotifiedCounter[] = [];
  const refusals: Refusal[] = [];
  const places = new Map<string, number>();
  for (const sample of samples) {
    try {
      const counter = counterOf(sample, envelope, options);
      const place = places.get(counter.meter) ?? 0;
      places.set(counter.meter, place + 1);
      const messageId = notifiedSampleId(envelope.messageId, `${plugin}:${counter.meter}`, place);
      counters.push({ counter, messageId });
    } catch (cause) {
      const reason = cause instanceof Refusal ? cause.reason : 'field';
      refusals.push(new Refusal(reason, `A sample of the listener ${plugin}: ${messageOf(cause)}`));
    }
  }
  return { counters, refusals };
}

/** @throws Refusal `field`, `volume`, `timestamp` or `future` */
function counterOf(sample: NotificationSample, envelope: NotificationEnvelope, options: ListenOptions): Counter {
  const type = SAMPLE_TYPES.find((known) => known === sample.type);
  if (type === undefined) throw new Refusal('field', `type must be gauge, delta or cumulative; found ${sample.type}.`);
  return {
    meter: text(sample.meter, 'meter'),
    type,
    unit: sample.unit ?? null,
    volume: volumeOf(sample),
    resourceId: text(sample.resourceId, 'resourceId'),
    projectId: sample.projectId ?? null,
    userId: sample.userId ?? null,
    timestamp: timestampOf(sample.timestamp ?? envelope.timestamp, options),
    metadata: metadataOf(sample),
    monotonicTime: null,
  };
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Refusal('field', `${name} must be a non-empty string; found ${String(value)}.`);
}

function volumeOf({ volume, meter }: NotificationSample): Volume {
  try {
    return parseVolume(String(volume === 0 ? 0 : volume));
  } catch (cause) {
    throw new Refusal('volume', `${meter}: ${messageOf(cause)}`);
  }
}

function timestampOf(value: string, { clock, clockAhead }: ListenOptions): Micros {
  let at: Micros;
  try {
    at = parseTimestamp(value);
  } catch (cause) {
    throw new Refusal('timestamp', messageOf(cause));
  }
  if (at <= clock.now() + clockAhead) return at;
  throw new Refusal('future', `It has the timestamp ${formatTimestamp(at)}; now is ${formatTimestamp(clock.now())}.`);
}

function metadataOf({ metadata, meter }: NotificationSample): JsonObject {
  const value = fromPlain(metadata ?? {});
  if (isJsonObject(value)) return value;
  throw new Refusal('field', `metadata of ${meter} must be an object.`);
}
