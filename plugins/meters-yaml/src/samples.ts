import { isJsonObject, JsonNumber } from '@nephometer/core/plugin';
import type { JsonObject, JsonValue, NotificationSample, PluginLog } from '@nephometer/core/plugin';
import { TYPES } from './definition.ts';
import type { Field, LookupField, MetadataPart, MeterDefinition, VolumeSource } from './definition.ts';
import { findAll, findFirst, isEmpty } from './evaluate.ts';
import { parseExpression } from './jsonpath.ts';
import type { Expression } from './jsonpath.ts';
import { instantOf, secondsBetween } from './instants.ts';
import type { MetersOptions } from './options.ts';

const CONTEXT_USER = parseExpression('$.ctxt.user_id|$.ctxt.user');
const CONTEXT_PROJECT = parseExpression('$.ctxt.project_id|$.ctxt.tenant_id');

/** A definition cannot be applied to a notification; the notification makes no sample of that meter. */
class Mismatch extends Error {}

/** The samples that one definition makes of a notification (`{ctxt, publisher_id, event_type, payload, metadata}`). */
export function samplesOf(
  definition: MeterDefinition,
  notification: JsonObject,
  options: MetersOptions,
  log: PluginLog,
): NotificationSample[] {
  try {
    return new Reading(definition, notification, options).samples();
  } catch (cause) {
    if (!(cause instanceof Mismatch)) throw cause;
    const fields = { definition: definition.place, event_type: notification.get('event_type'), detail: cause.message };
    log.warn(fields, 'A notification does not fit a meter definition and makes no sample of that meter.');
    return [];
  }
}

/** One definition against one notification. `column` gives the values of a field, one a sample. */
class Reading {
  readonly #definition: MeterDefinition;
  readonly #root: JsonObject;
  readonly #options: MetersOptions;
  readonly #count: number;

  constructor(definition: MeterDefinition, notification: JsonObject, options: MetersOptions) {
    this.#definition = definition;
    this.#root = notification;
    this.#options = options;
    this.#count = this.#countSamples();
  }

  samples(): NotificationSample[] {
    const d = this.#definition;
    const meters = this.#texts('name', d.name);
    const types = this.#texts('type', d.type);
    const units = this.#texts('unit', d.unit);
    const volumes = this.#volumes(d.volume);
    const resources = this.#column('resource_id', d.resourceId);
    const users = this.#owners('user_id', d.userId, CONTEXT_USER);
    const projects = this.#owners('project_id', d.projectId, CONTEXT_PROJECT);
    const timestamps = d.timestamp === null ? [] : this.#column('timestamp', d.timestamp);
    return Array.from({ length: this.#count }, (_, i) => i).flatMap((i) => {
      const type = TYPES.find((one) => one === types[i]);
      const volume = volumeText(volumes[i] ?? null);
      const resourceId = idText(resources[i] ?? null);
      // As in Ceilometer, what has no volume yet (an image that is queued) is no sample.
      if (type === undefined || volume === null || resourceId === null) return [];
      const timestamp = timestamps[i];
      return {
        meter: meters[i] ?? '',
        type,
        unit: units[i] ?? null,
        volume,
        resourceId,
        userId: idText(users[i] ?? null),
        projectId: idText(projects[i] ?? null),
        ...(typeof timestamp === 'string' ? { timestamp } : {}),
        metadata: this.#metadata(i),
      };
    });
  }

  /** One without `lookup`; with it as many as the name, or the looked-up fields, have matches. */
  #countSamples(): number {
    const { lookup, name, resourceId, volume } = this.#definition;
    if (lookup.size === 0) return 1;
    if (lookup.has('name')) return name.expression === null ? 0 : findAll(name.expression, this.#root).length;
    if (lookup.has('resource_id')) return findAll(resourceId, this.#root).length;
    if (lookup.has('volume')) return findAll(volume.expression, this.#root).length;
    return 1;
  }

  #column(field: LookupField, expression: Expression): JsonValue[] {
    if (!this.#definition.lookup.has(field)) return this.#repeated(findFirst(expression, this.#root));
    const found = findAll(expression, this.#root);
    if (found.length === this.#count) return found;
    throw new Mismatch(`${field} is found ${found.length} times, the meter ${this.#count} times`);
  }

  #repeated<T>(value: T): T[] {
    return Array.from({ length: this.#count }, () => value);
  }

  /** What is found as a text; the literal text where nothing is found. */
  #texts(field: 'name' | 'type' | 'unit', { expression, literal }: Field): string[] {
    if (expression === null) return this.#repeated(literal);
    return this.#column(field, expression).map((value) => idText(value) ?? literal);
  }

  #owners(field: 'user_id' | 'project_id', declared: Expression | null | undefined, context: Expression): JsonValue[] {
    if (declared === null) return this.#repeated(null);
    const fallback = findFirst(context, this.#root);
    if (declared === undefined) return this.#repeated(fallback);
    return this.#column(field, declared).map((value) => value ?? fallback);
  }

  #volumes({ expression, plugin }: VolumeSource): JsonValue[] {
    if (plugin === null) return this.#column('volume', expression);
    const instants = findAll(expression, this.#root).map((value) =>
      typeof value === 'string' ? instantOf(value) : null,
    );
    const [from, to] = instants;
    const isPair = instants.length === 2 && from !== null && from !== undefined && to !== null && to !== undefined;
    return this.#repeated(isPair ? new JsonNumber(secondsBetween(from, to)) : null);
  }

  #metadata(index: number): JsonObject {
    const { metadata, userMetadata } = this.#definition;
    const members: JsonObject = new Map();
    for (const part of metadata) for (const [name, value] of this.#part(part, index)) members.set(name, value);
    const isWhole = metadata.some(({ kind }) => kind === 'object');
    if (userMetadata !== null) this.#addUserMetadata(userMetadata, members);
    if (!isWhole && members.size > 0) return members;
    const whole = isWhole ? members : (this.#root.get('payload') ?? null);
    return new Map<string, JsonValue>([
      ...(isJsonObject(whole) ? whole : []),
      ['event_type', this.#root.get('event_type') ?? null],
      ['host', this.#root.get('publisher_id') ?? null],
    ]);
  }

  #part(part: MetadataPart, index: number): Iterable<[string, JsonValue]> {
    if (part.kind === 'object') {
      const value = this.#column('metadata', part.expression)[index];
      return isJsonObject(value) ? value : [];
    }
    const inLookup = this.#definition.lookup.has('metadata');
    return [...part.fields].flatMap(([name, expression]): [string, JsonValue][] => {
      const value = inLookup
        ? (this.#column('metadata', expression)[index] ?? null)
        : findFirst(expression, this.#root);
      return isEmpty(value) ? [] : [[name, value]];
    });
  }

  /** Of what users attached, only what they marked for metering, under names without dots. */
  #addUserMetadata(expression: Expression, members: JsonObject): void {
    const attached = findFirst(expression, this.#root);
    if (!isJsonObject(attached)) return;
    const { reservedNamespaces, reservedLength } = this.#options;
    const kept: JsonObject = new Map();
    for (const prefix of reservedNamespaces) {
      for (const [key, value] of attached) {
        const name = key.slice(prefix.length).replaceAll('.', '_');
        if (!key.startsWith(prefix) || members.has(name)) continue;
        kept.set(name, typeof value === 'string' ? cut(value, reservedLength) : value);
      }
    }
    if (kept.size > 0) members.set('user_metadata', kept);
  }
}

/** By characters, never through the middle of one. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : Array.from(text).slice(0, most).join('');
}

/** The literal of a number, or of a text that holds one; null for anything else. */
function volumeText(value: JsonValue): string | null {
  const literal = value instanceof JsonNumber ? value.literal : typeof value === 'string' ? value.trim() : '';
  return literal !== '' && Number.isFinite(Number(literal)) ? literal : null;
}

function idText(value: JsonValue): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return value instanceof JsonNumber ? value.literal : null;
}
