import { isJsonObject, JsonNumber } from '../json.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { compare, parseDecimal } from '../decimal.ts';
import type { MetadataCondition, SampleFilter } from '../ports/store.ts';
import type { Sample, StoredSample } from './sample.ts';

/**
 * The value at a dotted path below resource_metadata, undefined when there is none. A key may itself hold dots or
 * colons, so at each level the whole rest is tried as one key before it is cut.
 */
export function metadataAt(metadata: JsonObject, path: string): JsonValue | undefined {
  const whole = metadata.get(path);
  if (whole !== undefined) return whole;
  for (let cut = path.search(/[.:]/); cut >= 0; cut = nextCut(path, cut)) {
    const below = metadata.get(path.slice(0, cut));
    const found = isJsonObject(below) ? metadataAt(below, path.slice(cut + 1)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function nextCut(path: string, cut: number): number {
  const next = path.slice(cut + 1).search(/[.:]/);
  return next < 0 ? -1 : cut + 1 + next;
}

/** The text of a scalar at a path, for grouping; null when there is none. */
export function metadataText(metadata: JsonObject, path: string): string | null {
  const value = metadataAt(metadata, path);
  return value === undefined || value === null ? null : scalarText(value);
}

function scalarText(value: JsonValue): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (value instanceof JsonNumber) return value.literal;
  return null;
}

/** Whether every metadata condition holds; numbers compare by exact value, everything else with its type. */
export function matchesMetadata(metadata: JsonObject, conditions: readonly MetadataCondition[]): boolean {
  return conditions.every(({ path, value }) => {
    const found = metadataAt(metadata, path);
    if (found === undefined) return false;
    if (found instanceof JsonNumber) return typeof value === 'number' && sameNumber(found, value);
    return found === value;
  });
}

function sameNumber(found: JsonNumber, value: number): boolean {
  try {
    return compare(parseDecimal(found.literal), parseDecimal(String(value))) === 0;
  } catch {
    return Number(found.literal) === value;
  }
}

/**
 * Whether a sample meets all conditions of a filter: the meaning that every store's own query must have. Of a sample that
 * does not say its batch, the batch is left to the caller.
 */
export function matchesFilter(sample: Sample | StoredSample, filter: SampleFilter): boolean {
  return (
    (filter.meter === undefined || sample.meter === filter.meter) &&
    (filter.resourceId === undefined || sample.resourceId === filter.resourceId) &&
    (filter.source === undefined || sample.source === filter.source) &&
    (filter.userId === undefined || sample.userId === filter.userId) &&
    (filter.projectIds === undefined || (sample.projectId !== null && filter.projectIds.includes(sample.projectId))) &&
    (filter.messageId === undefined || sample.messageId === filter.messageId) &&
    (filter.batchDigest === undefined || !('batchDigest' in sample) || sample.batchDigest === filter.batchDigest) &&
    withinBounds(sample, filter) &&
    matchesMetadata(sample.metadata, filter.metadata ?? [])
  );
}

function withinBounds(sample: Sample, { from, to }: SampleFilter): boolean {
  const afterStart =
    from === undefined || sample.timestamp > from.at || (from.inclusive && sample.timestamp === from.at);
  const beforeEnd = to === undefined || sample.timestamp < to.at || (to.inclusive && sample.timestamp === to.at);
  return afterStart && beforeEnd;
}
