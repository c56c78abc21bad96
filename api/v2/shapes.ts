import { pythonFloat, toDouble } from '@nephometer/core';
import type { MeterRow, ResourceRow, StoredSample } from '@nephometer/core';
import { flattenMetadata } from './metadata.ts';
import { showTimestamp } from './timestamps.ts';

/*
 * The types of API v2 as JSON text. Written here and not by JSON.stringify, since volumes are floats and a float is shown with
 * its point: `1.0`, never `1`.
 */

export const json = JSON.stringify as (value: string | boolean | null) => string;
export const float = pythonFloat;

export function time(at: number): string {
  return `"${showTimestamp(at)}"`;
}

function metadataText(sample: StoredSample): string {
  return JSON.stringify(Object.fromEntries(flattenMetadata(sample.metadata)));
}

export function sampleText(sample: StoredSample): string {
  return (
    `{"id":${json(sample.messageId)},"meter":${json(sample.meter)},"type":"${sample.type}",` +
    `"unit":${json(sample.unit)},"volume":${float(toDouble(sample.volume))},${ownerText(sample)},` +
    `"resource_id":${json(sample.resourceId)},"source":${json(sample.source)},"timestamp":${time(sample.timestamp)},` +
    `"recorded_at":${time(sample.recordedAt)},"metadata":${metadataText(sample)}}`
  );
}

export function oldSampleText(sample: StoredSample): string {
  return (
    `{"source":${json(sample.source)},"counter_name":${json(sample.meter)},"counter_type":"${sample.type}",` +
    `"counter_unit":${json(sample.unit)},"counter_volume":${float(toDouble(sample.volume))},${ownerText(sample)},` +
    `"resource_id":${json(sample.resourceId)},"timestamp":${time(sample.timestamp)},` +
    `"recorded_at":${time(sample.recordedAt)},"resource_metadata":${metadataText(sample)},` +
    `"message_id":${json(sample.messageId)}}`
  );
}

function ownerText({ userId, projectId }: { userId: string | null; projectId: string | null }): string {
  return `"user_id":${json(userId)},"project_id":${json(projectId)}`;
}

/** A meter of one resource, or of all when the ids are null. */
export type MeterShape = {
  readonly [K in keyof MeterRow]: K extends 'meter' | 'type' ? MeterRow[K] : MeterRow[K] | null;
};

export function meterText(row: MeterShape): string {
  const meterId = Buffer.from(`${row.resourceId ?? 'None'}+${row.meter}`).toString('base64');
  return (
    `{"name":${json(row.meter)},"type":"${row.type}","unit":${json(row.unit)},` +
    `"resource_id":${json(row.resourceId)},${ownerText(row)},"source":${json(row.source)},"meter_id":"${meterId}"}`
  );
}

export function resourceText(row: ResourceRow, base: string, withMeters: boolean): string {
  const { newest } = row;
  const links = [linkText('self', `${base}/v2/resources/${urlText(row.resourceId)}`)];
  for (const meter of withMeters ? row.meters : []) {
    const query = `q.field=resource_id&q.value=${urlText(row.resourceId).replace(/[&+]/g, encodeURIComponent)}`;
    links.push(linkText(meter, `${base}/v2/meters/${urlText(meter)}?${query}`));
  }
  return (
    `{"resource_id":${json(row.resourceId)},"project_id":${json(newest.projectId)},"user_id":${json(newest.userId)},` +
    `"first_sample_timestamp":${time(row.firstTimestamp)},"last_sample_timestamp":${time(newest.timestamp)},` +
    `"metadata":${metadataText(newest)},"links":[${links.join(',')}],"source":${json(row.source)}}`
  );
}

function linkText(rel: string, href: string): string {
  return `{"href":${json(href)},"rel":${json(rel)}}`;
}

/** As it stands in a URL, slashes kept: the route takes them either way. Lone surrogates, which have no URL form, become U+FFFD. */
function urlText(text: string): string {
  return encodeURI(Buffer.from(text).toString()).replace(/[?#]/g, encodeURIComponent);
}
