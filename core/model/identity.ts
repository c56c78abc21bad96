import crypto from 'node:crypto';
import type { Micros } from '../time.ts';
import { NEPHOMETER_NAMESPACE, uuidv5 } from '../uuid.ts';
import { compare } from '../decimal.ts';
import { jsonEqual } from '../json.ts';
import type { Sample } from './sample.ts';

/** Joins parts so that no two different lists give the same text: each part is preceded by its length in bytes. */
export function lengthDelimited(parts: readonly string[]): string {
  return parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join('');
}

export interface PolledIdentity {
  readonly agentId: string;
  readonly epoch: string;
  /** Name of the polling source. */
  readonly source: string;
  /** Final meter name, after the pipeline. */
  readonly meter: string;
  readonly resourceId: string;
  readonly slot: Micros;
}

/** message_id of a polled sample: the same reading made or sent twice is the same sample. */
export function polledSampleId(of: PolledIdentity): string {
  const parts = ['polled', of.agentId, of.epoch, of.source, of.meter, of.resourceId, String(of.slot)];
  return uuidv5(NEPHOMETER_NAMESPACE, lengthDelimited(parts));
}

/** message_id of a sample made from a notification: handling the notification again makes the same sample. */
export function notifiedSampleId(notificationId: string, definition: string, index: number): string {
  return uuidv5(NEPHOMETER_NAMESPACE, lengthDelimited(['notified', notificationId, definition, String(index)]));
}

/** Twice as fast, which the ids and contents of every sample feel; Node 20 has it since 20.12. */
const hash: typeof crypto.hash | undefined = crypto.hash;

/** SHA-256 of a text, lower-case hex. */
export function sha256(text: string | Uint8Array): string {
  return hash === undefined ? crypto.createHash('sha256').update(text).digest('hex') : hash('sha256', text);
}

/**
 * Whether two samples of one message_id say the same. Signature, `monotonic_time` and the spelling of the time or
 * of a number may differ (Ceilometer's polling and notification agents send such copies); all else makes a conflict.
 */
export function sameContent(a: Sample, b: Sample): boolean {
  return (
    a.source === b.source &&
    a.meter === b.meter &&
    a.type === b.type &&
    a.unit === b.unit &&
    compare(a.volume, b.volume) === 0 &&
    a.userId === b.userId &&
    a.projectId === b.projectId &&
    a.resourceId === b.resourceId &&
    a.timestamp === b.timestamp &&
    jsonEqual(a.metadata, b.metadata)
  );
}
