import { isJsonObject, JsonNumber } from '../../json.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { metadataAt, metadataText } from '../metadata.ts';
import type { Series } from '../sample.ts';
import type { UsageField, UsageSample } from './types.ts';

/** The value of a field that can change while a series goes on. Null: unknown, a bucket of its own. */
function attribute(sample: UsageSample, field: UsageField): string | null {
  if (field === 'project_id') return sample.projectId;
  if (field === 'user_id') return sample.userId;
  return metadataText(sample.metadata, field.slice('metadata.'.length));
}

/** Fields that a series has once and for all. */
export function seriesField(series: Series, field: UsageField): string | null | undefined {
  if (field === 'resource_id') return series.resourceId;
  return field === 'source' ? series.source : undefined;
}

/** Reads attributes of samples; the same values give the same Map, so that a change is seen by identity. */
export class AttributeReader {
  readonly #fields: readonly UsageField[];
  readonly #known = new Map<string, ReadonlyMap<UsageField, string | null>>();

  constructor(fields: readonly UsageField[]) {
    this.#fields = [...new Set(fields)].filter((field) => field !== 'resource_id' && field !== 'source').sort();
  }

  read(sample: UsageSample): ReadonlyMap<UsageField, string | null> {
    const values = this.#fields.map((field) => attribute(sample, field));
    const key = values.length === 1 && values[0] !== null ? `"${values[0]}` : JSON.stringify(values);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = new Map(this.#fields.map((field, i) => [field, values[i] ?? null]));
      this.#known.set(key, known);
    }
    return known;
  }
}

/**
 * Whether a sample says that its resource is no more. It ends the hold at its timestamp; as a reading it counts.
 *
 * | metadata                       | says so when                                       |
 * |--------------------------------|----------------------------------------------------|
 * | `deleted`                      | true (also 1, or the text `true` in any case)      |
 * | `deleted_at`, `terminated_at`  | a text other than empty, `None` or `null`          |
 * | `event_type`                   | ends in `.delete` or `.delete.end`                 |
 * | `status`, `state`              | `deleted` in any case                              |
 */
export function isDeletion(metadata: JsonObject): boolean {
  if (metadata.size === 0) return false;
  return (
    isYes(metadata.get('deleted')) ||
    isTime(metadata.get('deleted_at')) ||
    isTime(metadata.get('terminated_at')) ||
    /\.delete(\.end)?$/.test(text(metadata.get('event_type'))) ||
    text(metadata.get('status')).toLowerCase() === 'deleted' ||
    text(metadata.get('state')).toLowerCase() === 'deleted'
  );
}

function isYes(value: JsonValue | undefined): boolean {
  if (value instanceof JsonNumber) return value.literal === '1';
  return value === true || text(value).toLowerCase() === 'true';
}

function isTime(value: JsonValue | undefined): boolean {
  return !['', 'none', 'null'].includes(text(value).toLowerCase());
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Metadata that tells one run of a counter from the next: where it differs, the counter started again. */
export const RESTART_MARKERS = ['boot_id', 'boot_time', 'start_time', 'started_at'] as const;

/** Whether two readings belong to one run of the counter; null when they do not both say. */
export function sameRun(a: UsageSample, b: UsageSample): boolean | null {
  let known: boolean | null = null;
  for (const marker of RESTART_MARKERS) {
    const [left, right] = [markerOf(a.metadata, marker), markerOf(b.metadata, marker)];
    if (left === null || right === null) continue;
    if (left !== right) return false;
    known = true;
  }
  return known;
}

function markerOf(metadata: JsonObject, marker: string): string | null {
  const value = metadataAt(metadata, marker);
  return value === undefined || isJsonObject(value) ? null : metadataText(metadata, marker);
}
