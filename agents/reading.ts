import { fromPlain, isJsonObject, kindOf, messageOf, parseVolume, SAMPLE_TYPES } from '@nephometer/core';
import type {
  Clock,
  Counter,
  JsonObject,
  JsonValue,
  MeterDescription,
  Micros,
  Pollster,
  Reading,
  Resource,
  SampleType,
  Volume,
} from '@nephometer/core';

/** A reading that cannot be taken as it is: names the plugin and the field. */
export class ReadingError extends Error {
  constructor(plugin: string, field: string, detail: string) {
    super(`${plugin}: ${field} ${detail}`);
  }
}

/** What all readings of one pollster run share. */
export interface ReadingMoment {
  /** When the run began, by the wall clock: the timestamp of all its samples. No value of them was read before it. */
  readonly timestamp: Micros;
  /** The same on the steady clock, in seconds. */
  readonly monotonicTime: number;
}

export function momentOf(clock: Clock): ReadingMoment {
  return { timestamp: clock.now(), monotonicTime: clock.monotonic() / 1e6 };
}

/** Turns readings of one run into counters. Metadata of a resource is converted once a run. */
export class ReadingReader {
  readonly #plugin: Pollster;
  readonly #moment: ReadingMoment;
  readonly #metadata = new WeakMap<object, JsonObject>();

  constructor(plugin: Pollster, moment: ReadingMoment) {
    this.#plugin = plugin;
    this.#moment = moment;
  }

  /** @throws ReadingError */
  read(reading: Reading): Counter {
    const meter = this.#text(reading.meter, 'meter');
    const { resource } = reading;
    return {
      meter,
      ...this.#kind(reading, meter),
      volume: this.#volume(reading, meter),
      resourceId: this.#text(reading.resourceId ?? resource.id, 'resourceId'),
      projectId: this.#owner(reading.projectId, resource.projectId, 'projectId'),
      userId: this.#owner(reading.userId, resource.userId, 'userId'),
      timestamp: this.#moment.timestamp,
      metadata: this.#merged(resource, reading.metadata),
      monotonicTime: this.#moment.monotonicTime,
    };
  }

  #kind(reading: Reading, meter: string): { type: SampleType; unit: string | null } {
    const { meters } = this.#plugin;
    if (meters !== 'dynamic') {
      const known: MeterDescription | undefined = Object.hasOwn(meters, meter) ? meters[meter] : undefined;
      if (known !== undefined) return { type: known.type, unit: known.unit };
      const declared = Object.keys(meters).join(', ');
      throw this.#wrong('meter', `"${meter}" is not among those that the plugin declares: ${declared}`);
    }
    const type = SAMPLE_TYPES.find((one) => one === reading.type);
    if (type === undefined) {
      throw this.#wrong('type', `of ${meter} must be gauge, delta or cumulative; found ${shown(reading.type)}`);
    }
    const unit = reading.unit ?? null;
    if (unit !== null && typeof unit !== 'string') {
      throw this.#wrong('unit', `of ${meter} must be a string or null; found ${shown(unit)}`);
    }
    return { type, unit };
  }

  #volume({ volume }: Reading, meter: string): Volume {
    try {
      if (typeof volume === 'string') return parseVolume(volume.trim());
      const number = typeof volume === 'number' || typeof volume === 'bigint' ? fromPlain(volume) : null;
      if (number === null || typeof number !== 'object' || !('literal' in number)) {
        throw new RangeError(`Found ${shown(volume)}; a number, a bigint or decimal text would be right.`);
      }
      return parseVolume(number.literal);
    } catch (cause) {
      throw this.#wrong('volume', `of ${meter}: ${messageOf(cause)}`);
    }
  }

  #owner(own: string | null | undefined, resources: string | null | undefined, field: string): string | null {
    const value = own === undefined ? (resources ?? null) : own;
    if (value === null) return null;
    if (typeof value === 'string' && isWellFormed(value)) return value;
    throw this.#wrong(field, `must be a string or null; found ${shown(value)}`);
  }

  #text(value: unknown, field: string): string {
    if (typeof value === 'string' && value !== '' && isWellFormed(value)) return value;
    throw this.#wrong(field, `must be a non-empty string of whole Unicode characters; found ${shown(value)}`);
  }

  #merged(resource: Resource, own: Reading['metadata']): JsonObject {
    let base = this.#metadata.get(resource);
    if (base === undefined) this.#metadata.set(resource, (base = this.#object(resource.metadata)));
    return own === undefined ? base : new Map([...base, ...this.#object(own)]);
  }

  #object(metadata: Reading['metadata']): JsonObject {
    if (metadata === undefined || metadata === null) return new Map();
    let value: JsonValue;
    try {
      value = fromPlain(metadata);
    } catch (cause) {
      throw this.#wrong('metadata', messageOf(cause));
    }
    if (isJsonObject(value)) return value;
    throw this.#wrong('metadata', `must be an object; found ${kindOf(value)}`);
  }

  #wrong(field: string, detail: string): ReadingError {
    return new ReadingError(this.#plugin.name, field, detail);
  }
}

/** A resource as a discovery must give it. @throws ReadingError */
export function checkResource(value: unknown, giver: string): Resource {
  if (typeof value !== 'object' || value === null) {
    throw new ReadingError(giver, 'resource', `must be an object with an id; found ${shown(value)}`);
  }
  const { id } = value as { id?: unknown };
  if (typeof id === 'string' && id !== '' && isWellFormed(id)) return value as Resource;
  throw new ReadingError(giver, 'resource.id', `must be a non-empty string; found ${shown(id)}`);
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 60) : `${value as number | bigint | boolean}`);
}
