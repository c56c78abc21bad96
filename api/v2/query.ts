import type { Identity, MetadataCondition, Micros, SampleFilter, TimeBound } from '@nephometer/core';
import { MINUTE } from '@nephometer/core';
import { visibleTo } from '../auth.ts';
import type { UrlArguments } from './arguments.ts';
import { clientFault, invalidInput, notAuthorized, unknownArgument } from './faults.ts';
import { guessLiteral, quoted } from './python.ts';
import type { Literal } from './python.ts';
import { readTimestamp } from './timestamps.ts';

const OPERATORS = ['lt', 'le', 'eq', 'ne', 'ge', 'gt'] as const;
type Operator = (typeof OPERATORS)[number];

/** One condition of `q`: the i-th field, op, type and value belong together. */
interface Condition {
  readonly field: string;
  readonly op: Operator;
  readonly type: string;
  readonly value: string;
}

export const Q_ARGUMENTS = ['q.field', 'q.op', 'q.type', 'q.value'] as const;

/** What a route accepts in `q`, by the names that its error texts list. */
export interface QueryKeys {
  readonly valid: readonly string[];
  readonly timestamps: boolean;
}

export const SAMPLE_KEYS: QueryKeys = {
  valid: ['message_id', 'meter', 'project', 'resource', 'search_offset', 'source', 'timestamp', 'user'],
  timestamps: true,
};
export const RESOURCE_KEYS: QueryKeys = {
  valid: ['project', 'resource', 'search_offset', 'source', 'timestamp', 'user'],
  timestamps: true,
};
export const METER_KEYS: QueryKeys = { valid: ['project', 'resource', 'source', 'user'], timestamps: false };

export interface ReadQuery {
  readonly filter: SampleFilter;
  /** The range asked for, before `search_offset` widened it. */
  readonly start: Micros | null;
  readonly end: Micros | null;
}

/** Reads `q` into a filter, narrowed to what this identity may see. @throws HttpError 400, 401 */
export function readQuery(args: UrlArguments, keys: QueryKeys, identity: Identity): ReadQuery {
  const conditions = readConditions(args);
  for (const condition of conditions) checkOwner(condition, identity);
  for (const condition of conditions) checkCondition(condition, conditions, keys);
  const offset = searchOffset(conditions);
  const start = bound(conditions, ['gt', 'ge'], (a, b) => a > b);
  const end = bound(conditions, ['lt', 'le'], (a, b) => a < b);
  const filter: SampleFilter = {
    ...equalities(conditions, identity),
    ...(start === null ? {} : { from: { ...start, at: start.at - offset } }),
    ...(end === null ? {} : { to: { ...end, at: end.at + offset } }),
  };
  return { filter, start: start?.at ?? null, end: end?.at ?? null };
}

function readConditions(args: UrlArguments): Condition[] {
  const [fields, ops, types, values] = Q_ARGUMENTS.map((name) => args.all(name));
  const count = Math.max(...[fields, ops, types, values].map((list) => list?.length ?? 0));
  return Array.from({ length: count }, (_, i) => {
    const field = fields?.[i];
    const value = values?.[i];
    if (field === undefined) throw invalidInput('field', null, 'Mandatory field missing.');
    if (value === undefined) throw invalidInput('value', null, `Mandatory field missing; ${field} needs one.`);
    return { field, op: operatorOf(ops?.[i] ?? ''), type: types?.[i] ?? '', value };
  });
}

function operatorOf(text: string): Operator {
  const op = OPERATORS.find((known) => known === (text === '' ? 'eq' : text));
  if (op !== undefined) return op;
  throw invalidInput('op', text, `Value should be one of: ${OPERATORS.join(', ')}`);
}

/** Asking for somebody else's samples is an error, not an empty answer. */
function checkOwner({ field, value }: Condition, identity: Identity): void {
  const { projectIds, userId } = visibleTo(identity);
  const key = keyOf(field);
  if (key === 'project' && projectIds?.includes(value) === false) throw notAuthorized('project', value);
  if (key === 'user' && userId !== undefined && userId !== value) throw notAuthorized('user', value);
}

const ALIASES: Readonly<Record<string, string>> = { user_id: 'user', project_id: 'project', resource_id: 'resource' };

function keyOf(field: string): string {
  return ALIASES[field] ?? field;
}

const TIMESTAMP_OPERATORS: readonly Operator[] = ['lt', 'le', 'gt', 'ge'];

function checkCondition({ field, op }: Condition, all: readonly Condition[], keys: QueryKeys): void {
  if (field === 'timestamp' || field === 'search_offset') {
    if (!keys.timestamps) throw unknownArgument(field, 'not valid for this resource');
    const isKnown = field === 'timestamp' ? TIMESTAMP_OPERATORS.includes(op) : op === 'eq';
    if (!isKnown) throw invalidInput('op', op, `unimplemented operator for ${field}`);
    if (all.some((other) => other.field === 'timestamp')) return;
    throw invalidInput('field', 'search_offset', 'search_offset cannot be used without timestamp');
  }
  if (metadataPath(field) === null && !keys.valid.includes(keyOf(field))) {
    const valid = `[${keys.valid.map((key) => `'${key}'`).join(', ')}]`;
    throw unknownArgument(keyOf(field), `unrecognized field in query: ${listText(all)}, valid keys: ${valid}`);
  }
  if (op !== 'eq') throw invalidInput('op', op, `unimplemented operator for ${field}`);
}

function listText(conditions: readonly Condition[]): string {
  const texts = conditions.map(({ field, op, value, type }) => {
    return `<Query ${quoted(field)} '${op}' ${quoted(value)} ${type === '' ? 'None' : quoted(type)}>`;
  });
  return `[${texts.join(', ')}]`;
}

function metadataPath(field: string): string | null {
  return /^(?:resource_)?metadata\.(.+)$/s.exec(field)?.[1] ?? null;
}

function searchOffset(conditions: readonly Condition[]): Micros {
  const text = conditions.findLast(({ field }) => field === 'search_offset')?.value ?? '0';
  if (/^\s*[+-]?\d{1,9}\s*$/.test(text)) return Number(text) * MINUTE;
  throw invalidInput('search_offset', text, 'unable to convert to int');
}

/** The narrowest of the bounds on one side. */
function bound(
  conditions: readonly Condition[],
  [exclusive, inclusive]: readonly [Operator, Operator],
  isNarrower: (a: Micros, b: Micros) => boolean,
): TimeBound | null {
  let narrowest: TimeBound | null = null;
  for (const { field, op, value } of conditions) {
    if (field !== 'timestamp' || value === '' || (op !== exclusive && op !== inclusive)) continue;
    const found = { at: readTimestamp('timestamp', value), inclusive: op === inclusive };
    const isTie = found.at === narrowest?.at && !found.inclusive;
    if (narrowest === null || isTie || isNarrower(found.at, narrowest.at)) narrowest = found;
  }
  return narrowest;
}

const FILTER_NAMES: Readonly<Record<string, 'resourceId' | 'userId' | 'source' | 'meter' | 'messageId'>> = {
  resource: 'resourceId',
  user: 'userId',
  source: 'source',
  meter: 'meter',
  message_id: 'messageId',
};

function equalities(conditions: readonly Condition[], identity: Identity): SampleFilter {
  const filter: { -readonly [K in keyof SampleFilter]: SampleFilter[K] } = visibleTo(identity);
  const metadata: MetadataCondition[] = [];
  let contradicts = false;
  for (const { field, value, type } of conditions) {
    const path = metadataPath(field);
    const name = FILTER_NAMES[keyOf(field)];
    if (path !== null) metadata.push({ path, value: typed(value, type) });
    else if (keyOf(field) === 'project') filter.projectIds = narrowed(filter.projectIds, value);
    else if (name !== undefined) {
      contradicts ||= filter[name] !== undefined && filter[name] !== value;
      filter[name] = value;
    }
  }
  // One attribute cannot have two values: nothing matches, and a list of no projects says so to the store.
  return { ...filter, ...(metadata.length > 0 ? { metadata } : {}), ...(contradicts ? { projectIds: [] } : {}) };
}

function narrowed(projects: readonly string[] | undefined, wanted: string): readonly string[] {
  return projects === undefined || projects.includes(wanted) ? [wanted] : [];
}

const TYPES = ['integer', 'float', 'string', 'boolean', 'datetime'] as const;

function typed(value: string, type: string): Literal {
  if (type === '') return guessLiteral(value);
  const known = TYPES.find((name) => name === type);
  if (known === undefined) {
    const supported = `[${TYPES.map((name) => `'${name}'`).join(', ')}]`;
    throw clientFault(`The data type ${type} is not supported. The supported data type list is: ${supported}`);
  }
  const converted = CONVERTERS[known](value);
  if (converted !== undefined) return converted;
  throw clientFault(`Unable to convert the value ${value} to the expected data type ${type}.`);
}

const TRUE = ['1', 't', 'true', 'on', 'y', 'yes'];
const FALSE = ['0', 'f', 'false', 'off', 'n', 'no'];
const FLOAT = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;

/** Undefined where the text is none of the type. */
const CONVERTERS: Readonly<Record<(typeof TYPES)[number], (text: string) => Literal | undefined>> = {
  integer: (text) => (/^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : undefined),
  float: (text) => (FLOAT.test(text) ? Number(text) : undefined),
  string: (text) => text,
  boolean: (text) => {
    const word = text.trim().toLowerCase();
    return TRUE.includes(word) ? true : FALSE.includes(word) ? false : undefined;
  },
  datetime: (text) => {
    try {
      readTimestamp('value', text);
      return text;
    } catch {
      return undefined;
    }
  },
};
