import type { JsonSchema } from '@nephometer/api';

const SIMPLE: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
};

/** A JSON schema as a TypeScript type. */
export function typeOf(schema: JsonSchema, indent = ''): string {
  const { $ref, enum: choices, anyOf, oneOf, allOf, type } = schema;
  if ($ref !== undefined) return $ref.split('/').at(-1) ?? 'unknown';
  if (choices !== undefined) return choices.map((choice) => literal(choice)).join(' | ');
  if (schema.const !== undefined) return literal(schema.const);
  const union = anyOf ?? oneOf;
  if (union !== undefined) {
    const types = [...new Set(union.map((one) => typeOf(one, indent)))];
    return types.includes('unknown') ? 'unknown' : types.join(' | ');
  }
  if (allOf !== undefined) return allOf.map((one) => typeOf(one, indent)).join(' & ');
  if (type === undefined) return 'unknown';
  return [type]
    .flat()
    .map((one) => ofType(one, schema, indent))
    .join(' | ');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", String.raw`\'`)}'` : JSON.stringify(value);
}

function ofType(type: string, schema: JsonSchema, indent: string): string {
  if (type === 'array') return arrayType(schema, indent);
  if (type === 'object') return objectType(schema, indent);
  return SIMPLE[type] ?? 'unknown';
}

function arrayType({ items, prefixItems }: JsonSchema, indent: string): string {
  if (prefixItems !== undefined) return `readonly [${prefixItems.map((one) => typeOf(one, indent)).join(', ')}]`;
  const item = items === undefined ? 'unknown' : typeOf(items, indent);
  return item.includes(' ') && !/^\{[^{}]*\}$/.test(item) ? `readonly (${item})[]` : `readonly ${item}[]`;
}

function objectType(schema: JsonSchema, indent: string): string {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined) return `{\n${propertiesOf(schema, `${indent}  `)}${indent}}`;
  const value = typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'unknown';
  return `Readonly<Record<string, ${value}>>`;
}

function propertiesOf({ properties = {}, required = [] }: JsonSchema, indent: string): string {
  return Object.entries(properties)
    .map(([name, schema]) => property(name, schema, required.includes(name), indent))
    .join('');
}

/** One line of an interface, its description above it. */
export function property(name: string, schema: JsonSchema, isRequired: boolean, indent: string, type?: string): string {
  const { description } = schema;
  const comment = description === undefined ? '' : `${indent}/** ${commentText(description)} */\n`;
  const key = /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
  const value = type ?? typeOf(schema, indent);
  return `${comment}${indent}readonly ${key}${isRequired ? '' : '?'}: ${value}${isRequired ? '' : ' | undefined'};\n`;
}

export function commentText(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll('\n', ' ');
}
