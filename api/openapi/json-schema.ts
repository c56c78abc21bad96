import { z } from 'zod';
import type { ZodType } from 'zod';
import type { JsonSchema } from './types.ts';

/** Named schemas as the document's components, each named one that stands in another a reference. */
export function componentSchemas(
  named: ReadonlyMap<string, ZodType>,
  io: 'input' | 'output',
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of named) registry.add(schema, { id });
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { uri, io, unrepresentable: 'any' });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, tidy(schema as RawSchema, io)]));
}

/** The properties of a question in the URL, one schema a parameter. */
export function querySchemas(query: z.ZodObject): {
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
} {
  const { properties = {}, required = [] } = tidy(
    z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' }) as RawSchema,
    'input',
  );
  const spelled = Object.entries(properties).map(([name, schema]) => [name, inUrl(schema)] as const);
  return { properties: Object.fromEntries(spelled), required };
}

/** Of what a body may spell in several ways, the way of a URL: a list where several may be given, else a scalar. */
function inUrl(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  if (anyOf === undefined) return schema;
  const types = anyOf.flatMap(({ type }) => type ?? []);
  if (types.includes('array')) return { ...rest, type: 'array', items: { type: 'string' } };
  const scalar = ['boolean', 'integer', 'number'].find((type) => types.includes(type));
  if (scalar === undefined) return { ...rest, ...anyOf.find(({ type }) => type === 'string'), ...rest };
  return { ...rest, type: scalar };
}

interface RawSchema extends JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly wire?: JsonSchema;
}

/**
 * As a reader of the document wants it: `string | null` in one type, no bounds that only say what JavaScript's numbers
 * are, and answers open for properties that a later version adds.
 */
function tidy(raw: RawSchema, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, $id: _id, wire, additionalProperties, ...rest } = raw;
  const kept = Object.fromEntries(Object.entries(rest).filter(([key, value]) => !isNoise(key, value)));
  const schema = Object.fromEntries(Object.entries(kept).map(([key, value]) => [key, tidyWithin(key, value, io)]));
  const isClosed = io === 'output' && additionalProperties === false;
  const more =
    additionalProperties === undefined || isClosed
      ? {}
      : { additionalProperties: tidyWithin('additionalProperties', additionalProperties, io) as boolean | JsonSchema };
  const whole: JsonSchema = { ...schema, ...more };
  if (wire !== undefined) return described(wire, whole);
  return withNull(whole);
}

function isNoise(key: string, value: unknown): boolean {
  return (key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

function tidyWithin(key: string, value: unknown, io: 'input' | 'output'): unknown {
  switch (key) {
    case 'properties':
    case 'patternProperties':
      return Object.fromEntries(
        Object.entries(value as Record<string, RawSchema>).map(([name, schema]) => [name, tidy(schema, io)]),
      );
    case 'items':
    case 'additionalProperties':
      return typeof value === 'object' ? tidy(value as RawSchema, io) : value;
    case 'prefixItems':
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
      return (value as RawSchema[]).map((schema) => tidy(schema, io));
    default:
      return value;
  }
}

function described(wire: JsonSchema, { description, default: preset }: JsonSchema): JsonSchema {
  return {
    ...wire,
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
  };
}

/** `anyOf: [X, null]` as one schema whose type is `[X, "null"]`, where X has one type. */
function withNull(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema;
  const [value, nothing, ...more] = anyOf ?? [];
  if (value === undefined || nothing?.type !== 'null' || more.length > 0) return schema;
  if (typeof value.type !== 'string' || value.const !== undefined) return schema;
  const choices = value.enum === undefined ? {} : { enum: [...value.enum, null] };
  return { ...value, ...choices, ...rest, type: [value.type, 'null'] };
}
