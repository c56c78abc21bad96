import { isJsonObject, JsonNumber } from '@nephometer/core/plugin';
import type { JsonObject, JsonValue, Reading, Resource } from '@nephometer/core/plugin';
import type { Definition, Members } from './definition.ts';
import { areEqual, shown, spelled } from './expression/values.ts';
import { isVolume } from './numbers.ts';
import { parsePath, valueAt } from './path.ts';
import type { Path } from './path.ts';

/** What an entry gives: readings, and what of it could not be read. */
export interface EntryResult {
  readonly readings: readonly Reading[];
  /** Null where even the id cannot be told. */
  readonly resourceId: string | null;
  readonly problems: readonly string[];
  /** Values that value_mapping does not have. */
  readonly unmapped: readonly string[];
}

const USER_ID = parsePath('user_id');
const PROJECT_ID = parsePath('project_id');

/** The readings of one entry of an answer. A part that cannot be read leaves the others. */
export function readEntry(definition: Definition, entry: JsonValue, resource: Resource): EntryResult {
  const result = {
    readings: [] as Reading[],
    resourceId: null as string | null,
    problems: [] as string[],
    unmapped: [] as string[],
  };
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (cause) {
      result.problems.push(cause instanceof Error ? cause.message : String(cause));
    }
  };
  attempt(() => {
    const resourceId = idAt(definition.resourceId, entry, 'resource_id_attribute');
    result.resourceId = resourceId;
    const shared = {
      resource,
      resourceId,
      type: definition.type,
      unit: definition.unit,
      userId: ownerAt(definition.userId, USER_ID, entry, 'user_id_attribute'),
      projectId: ownerAt(definition.projectId, PROJECT_ID, entry, 'project_id_attribute'),
      metadata: metadataOf(definition, entry),
    };
    for (const [meter, from] of partsOf(definition, entry, attempt)) {
      attempt(() => {
        if (definition.skip.some((one) => one === meter.part)) return;
        const volume = volumeOf(definition, from, result.unmapped);
        if (volume !== null) result.readings.push({ ...shared, meter: meter.name, volume });
      });
    }
  });
  return result;
}

interface Meter {
  readonly name: string;
  /** What stands for `{key}`; null for a single meter. */
  readonly part: string | null;
}

function partsOf(
  { name, members }: Definition,
  entry: JsonValue,
  attempt: (work: () => void) => void,
): [Meter, JsonValue][] {
  if (members === null) return [[{ name, part: null }, entry]];
  const list = valueAt(members.list, entry);
  if (!Array.isArray(list)) throw new Error(`[${members.list.text}] must be a list of objects; found ${shown(list)}`);
  const parts: [Meter, JsonValue][] = [];
  for (const member of list) attempt(() => void parts.push([meterOf(name, members, member), member]));
  return parts;
}

function meterOf(name: string, { nameKey, list }: Members, member: JsonValue): Meter {
  const found = isJsonObject(member) ? member.get(nameKey) : undefined;
  const isName = (typeof found === 'string' && found !== '') || found instanceof JsonNumber;
  if (!isName) throw new Error(`a member of [${list.text}] has no ${nameKey} to name its meter; found ${shown(found)}`);
  const part = spelled(found);
  return { name: name.replace(/\{[\w-]+\}$/, () => part), part };
}

/** The digits of a value, mapped; null when it is one of those to be skipped. */
function volumeOf(definition: Definition, from: JsonValue, unmapped: string[]): string | null {
  const { value: path, skip, valueMapping, defaultValue } = definition;
  const value = valueAt(path, from);
  if (value === undefined) throw new Error(`value_attribute: there is no ${path.text} in ${shown(from)}`);
  if (skip.some((text) => isCalled(value, text))) return null;
  if (valueMapping.size > 0) {
    const mapped = [...valueMapping].find(([text]) => isCalled(value, text));
    if (mapped === undefined) unmapped.push(shown(value));
    return mapped?.[1] ?? defaultValue;
  }
  const digits = value instanceof JsonNumber ? value.literal : typeof value === 'string' ? value.trim() : '';
  if (isVolume(digits)) return digits;
  const hint =
    typeof value === 'string' || typeof value === 'boolean' ? '; value_mapping turns words into numbers' : '';
  throw new Error(`value_attribute: ${path.text} must be a number of at most 38 digits; found ${shown(value)}${hint}`);
}

/** Whether a value is the one that a definition's text names: numbers by value, true, false and null by name. */
function isCalled(value: JsonValue, text: string): boolean {
  if (typeof value === 'string') return value === text;
  if (value instanceof JsonNumber) return value.literal === text || areEqual(value, new JsonNumber(text));
  // A null as a key of a YAML map arrives as an empty text.
  if (value === null) return text === 'null' || text === '';
  return typeof value === 'boolean' && String(value) === text;
}

function idAt(path: Path, entry: JsonValue, key: string): string {
  const value = valueAt(path, entry);
  if (typeof value === 'string' && value !== '') return value;
  if (value instanceof JsonNumber) return value.literal;
  throw new Error(`${key}: ${path.text} must be a text or a number; found ${shown(value)} in ${shown(entry)}`);
}

/** A path that was written must be there: a sample without its payer would be billed to nobody, unseen. */
function ownerAt(written: Path | null, usual: Path, entry: JsonValue, key: string): string | null {
  const path = written ?? usual;
  const value = valueAt(path, entry);
  if (value === null || (value === undefined && written === null)) return null;
  return value === '' ? null : idAt(path, entry, key);
}

function metadataOf({ metadata, metadataMapping, preserveMapped }: Definition, entry: JsonValue): JsonObject {
  const fields: JsonObject = new Map();
  for (const { name, path } of metadata) {
    const value = valueAt(path, entry);
    if (value === undefined) continue;
    const renamed = metadataMapping.get(name);
    if (renamed === undefined || preserveMapped) fields.set(name, value);
    if (renamed !== undefined) fields.set(renamed, value);
  }
  return fields;
}
