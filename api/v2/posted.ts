import { isJsonObject, JsonNumber, kindOf, messageOf, parseVolume, SAMPLE_TYPES } from '@nephometer/core';
import type { Config, Counter, Identity, JsonObject, JsonValue, Micros, Volume } from '@nephometer/core';
import { clientFault, invalidInput } from './faults.ts';
import { nestMetadata } from './metadata.ts';
import { pythonText } from './python.ts';
import { readTimestamp } from './timestamps.ts';

const DEFAULT_SOURCE = 'openstack';

/** What a posted sample does not say itself. */
export interface PostDefaults {
  /** The meter in the path, which each sample must name too. */
  readonly meter: string;
  readonly identity: Identity;
  /** From the headers `X-User-Id` and `X-Project-Id`. */
  readonly userId: string | null;
  readonly projectId: string | null;
  readonly now: Micros;
  readonly signing: Pick<Config['signing'], 'clock_ahead' | 'headerless_behind'>;
}

export interface Posted {
  readonly counter: Counter;
  readonly source: string;
  /** As it was posted, for the answer. */
  readonly metadata: JsonObject;
}

const ATTRIBUTES = new Set([
  'source',
  'counter_name',
  'counter_type',
  'counter_unit',
  'counter_volume',
  'user_id',
  'project_id',
  'resource_id',
  'timestamp',
  'recorded_at',
  'resource_metadata',
  'message_id',
]);
const MANDATORY = ['counter_name', 'counter_type', 'counter_unit', 'counter_volume', 'resource_id'];

/** Reads one OldSample of a POST. @throws HttpError 400 */
export function readPosted(item: JsonValue, defaults: PostDefaults): Posted {
  if (!isJsonObject(item)) throw clientFault(`A sample is an object; found ${kindOf(item)}.`);
  checkAttributes(item, defaults.meter);
  const metadata = metadataOf(item);
  const projectId = projectOf(item, defaults);
  const counter: Counter = {
    meter: defaults.meter,
    type: typeOf(item),
    unit: textOf(item, 'counter_unit'),
    volume: volumeOf(item),
    resourceId: textOf(item, 'resource_id') ?? '',
    projectId,
    userId: textOf(item, 'user_id') || (defaults.identity.userId ?? defaults.userId),
    timestamp: timestampOf(item, defaults),
    metadata: nestMetadata(metadata),
    monotonicTime: null,
  };
  if (counter.resourceId === '') throw invalidInput('resource_id', '', 'A sample needs a resource.');
  const source = `${projectId ?? 'None'}:${textOf(item, 'source') || DEFAULT_SOURCE}`;
  return { counter, source, metadata };
}

function checkAttributes(item: JsonObject, meter: string): void {
  const unknown = [...item.keys()].filter((name) => !ATTRIBUTES.has(name));
  if (unknown.length > 0) throw clientFault(`Unknown attribute: ${unknown.join(', ')}`);
  for (const name of MANDATORY) if (!item.has(name)) throw invalidInput(name, null, 'Mandatory field missing.');
  const name = textOf(item, 'counter_name');
  if (name !== meter) throw invalidInput('counter_name', name, `should be ${meter}`);
  const messageId = textOf(item, 'message_id');
  if (messageId) throw invalidInput('message_id', messageId, 'The message_id must not be set');
}

function textOf(item: JsonObject, name: string): string | null {
  const value = item.get(name) ?? null;
  if (value === null || typeof value === 'string') return value;
  throw invalidInput(name, pythonText(value), `Wrong type. Expected a string, got ${kindOf(value)}`);
}

function typeOf(item: JsonObject): Counter['type'] {
  const given = textOf(item, 'counter_type');
  const type = SAMPLE_TYPES.find((known) => known === given);
  if (type !== undefined) return type;
  throw invalidInput('counter_type', given, `The counter type must be: ${SAMPLE_TYPES.join(', ')}`);
}

/** The literal is kept as it was posted: `1.0` stays `1.0`. */
function volumeOf(item: JsonObject): Volume {
  const value = item.get('counter_volume') ?? null;
  const literal = value instanceof JsonNumber ? value.literal : typeof value === 'string' ? value.trim() : null;
  try {
    if (literal !== null) return parseVolume(literal);
  } catch (cause) {
    throw invalidInput('counter_volume', literal, messageOf(cause));
  }
  throw invalidInput('counter_volume', pythonText(value), `Wrong type. Expected a number, got ${kindOf(value)}`);
}

function metadataOf(item: JsonObject): JsonObject {
  const value = item.get('resource_metadata') ?? null;
  if (value === null) return new Map();
  if (isJsonObject(value)) return value;
  throw invalidInput('resource_metadata', pythonText(value), `Wrong type. Expected an object, got ${kindOf(value)}`);
}

function projectOf(item: JsonObject, { identity, projectId: fromHeader }: PostDefaults): string | null {
  const { projects } = identity;
  const own = projects?.length === 1 ? (projects[0] ?? null) : null;
  const projectId = textOf(item, 'project_id') || (fromHeader ?? own);
  const isForeign = identity.role !== 'admin' && projects !== null && !projects.includes(projectId ?? '');
  if (isForeign) throw invalidInput('project_id', projectId, 'can not post samples to other projects');
  return projectId;
}

function timestampOf(item: JsonObject, { now, signing }: PostDefaults): Micros {
  const text = textOf(item, 'timestamp');
  if (!text) return now;
  const at = readTimestamp('timestamp', text);
  if (at > now + signing.clock_ahead) {
    throw invalidInput('timestamp', text, 'further ahead of the clock of this server than signing.clock_ahead allows');
  }
  if (signing.headerless_behind !== undefined && at < now - signing.headerless_behind) {
    throw invalidInput('timestamp', text, 'further back than signing.headerless_behind allows');
  }
  return at;
}
