import {
  isAsReceived,
  readMessage,
  parseJson,
  isJsonObject,
  parseVolume,
  sha256,
  stringifyJson,
  toDouble,
  toText,
} from '@nephometer/core';
import type { Micros, ReceivedSample, Sample, SampleType } from '@nephometer/core';
import { stringField, textFields } from './line.ts';
import type { Place, Point, Tags } from './line.ts';
import { tagText } from './text.ts';

/** A sample as a point holds it, before its ledger row says whether it counts. */
export interface PointSample {
  readonly sample: ReceivedSample;
  readonly digest: string;
  readonly index: number;
  readonly writer: string;
  readonly place: Place;
}

/** What identifies a sample's series and owner. */
export function sampleTags(sample: Sample): Tags {
  return {
    meter: tagText(sample.meter),
    project: tagText(sample.projectId),
    resource: tagText(sample.resourceId),
    source: tagText(sample.source),
    type: sample.type,
    unit: tagText(sample.unit),
    user: tagText(sample.userId),
  };
}

/** Longer ones stand in `record` alone. */
const LONGEST_COPY = 1000;

/**
 * `record` holds all that a read needs: a head in JSON, its length before it, and the message text. `volume`, `literal`
 * and `message_id` are copies for those who look into the database with other tools.
 */
export function samplePoint({ sample, digest, index, writer, place }: PointSample): Point {
  const spelled = isAsReceived(sample) || isSpelledByText(sample) ? null : explicitFields(sample);
  const head = JSON.stringify([digest, index, writer, place, sample.slot, spelled]);
  const { literal } = sample.volume;
  return {
    measurement: 'sample',
    tags: { ...sampleTags(sample), writer },
    fields: {
      volume: String(toDouble(sample.volume)),
      ...(literal.length <= LONGEST_COPY ? { literal: stringField(literal) } : {}),
      ...(sample.messageId.length <= LONGEST_COPY ? { message_id: stringField(sample.messageId) } : {}),
      ...textFields('record', `${head.length}:${head}${sample.text}`),
    },
    at: sample.timestamp,
    place,
  };
}

type Head = readonly [string, number, string, Place, Micros | null, Explicit | null];
type Explicit = readonly [
  string, string, string, SampleType, string | null, string, string, string | null, string | null, Micros, number | null,
  string, string,
]; // prettier-ignore

export function readRecord(record: string): PointSample {
  const colon = record.indexOf(':');
  const end = colon + 1 + Number(record.slice(0, colon));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by samplePoint
  const [digest, index, writer, place, slot, spelled] = JSON.parse(record.slice(colon + 1, end)) as Head;
  const text = record.slice(end);
  const sample = spelled === null ? readMessage(text).sample : sampleOf(spelled);
  return { sample: { ...sample, text, slot }, digest, index, writer, place };
}

/** Whether reading the text gives the same sample, so that the point need not hold it twice. */
function isSpelledByText(sample: ReceivedSample): boolean {
  try {
    const { text, slot: _slot, ...rest } = sample;
    return JSON.stringify(explicitFields(readMessage(text).sample)) === JSON.stringify(explicitFields(rest));
  } catch {
    return false;
  }
}

function explicitFields(sample: Sample): Explicit {
  return [
    sample.messageId,
    sample.source,
    sample.meter,
    sample.type,
    sample.unit,
    sample.volume.literal,
    sample.resourceId,
    sample.projectId,
    sample.userId,
    sample.timestamp,
    sample.monotonicTime,
    sample.signature,
    stringifyJson(sample.metadata),
  ];
}

function sampleOf(fields: Explicit): Sample {
  const [messageId, source, meter, type, unit, literal, resourceId, projectId, userId, timestamp, ...rest] = fields;
  const [monotonicTime, signature, metadataText] = rest;
  const metadata = parseJson(metadataText);
  return {
    messageId,
    source,
    meter,
    type,
    unit,
    volume: parseVolume(literal),
    resourceId,
    projectId,
    userId,
    timestamp,
    monotonicTime,
    signature,
    metadata: isJsonObject(metadata) ? metadata : new Map(),
  };
}

/** Equal for equal content; different for most different content, but for spellings of metadata (see `sameContent`). */
export function contentKey(sample: Sample): string {
  const { source, meter, type, unit, volume, userId, projectId, resourceId, timestamp, metadata } = sample;
  const parts = [source, meter, type, unit, toText(volume), userId, projectId, resourceId, timestamp];
  return sha256(`${JSON.stringify(parts)}${stringifyJson(metadata)}`).slice(0, 32);
}
