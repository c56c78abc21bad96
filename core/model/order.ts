import type { MeterRow, SampleQuery } from '../ports/store.ts';
import { byCodePoint } from '../signing/unicode.ts';
import type { Sample, StoredSample } from './sample.ts';

/** Text by Unicode code point: the order of every list that a store answers, whichever engine it stands on. */
export const compareText = byCodePoint;

/** Null comes first. */
export function compareNullable(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compareText(a, b);
}

type Place = Pick<Sample, 'timestamp' | 'messageId'>;

/** The order of samples: by timestamp as asked for; ties by message_id, ascending in both orders. */
export function comparePlace(a: Place, b: Place, order: SampleQuery['order'] = 'newest'): number {
  const byTime = order === 'oldest' ? a.timestamp - b.timestamp : b.timestamp - a.timestamp;
  return byTime || compareText(a.messageId, b.messageId);
}

/** As `comparePlace`; versions of one message_id in the order in which they were recorded. */
export function compareSamples(a: StoredSample, b: StoredSample, order: SampleQuery['order'] = 'newest'): number {
  return comparePlace(a, b, order) || a.recordedAt - b.recordedAt || a.batchIndex - b.batchIndex;
}

/** By meter name, resource and source; then by what else tells two rows apart. */
export function compareMeterRows(a: MeterRow, b: MeterRow): number {
  return (
    compareText(a.meter, b.meter) ||
    compareText(a.resourceId, b.resourceId) ||
    compareText(a.source, b.source) ||
    compareText(a.type, b.type) ||
    compareNullable(a.unit, b.unit) ||
    compareNullable(a.projectId, b.projectId) ||
    compareNullable(a.userId, b.userId)
  );
}
