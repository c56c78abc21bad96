import type { ZodObject } from 'zod';
import type { Route } from '../v1/route.ts';
import { ERROR_MEANINGS } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import { querySchemas } from './json-schema.ts';
import type { JsonSchema, MediaType, Operation, Parameter, Reference, ResponseObject } from './types.ts';

/** How schemas are named in the document. */
export type Refer = (schema: NonNullable<Route['body']>) => Reference;

const METADATA = 'metadata.';

export function operationOf(route: Route, refer: Refer): Operation {
  const { operationId, tag, summary, roles, body, pages, example = {} } = route;
  const parameters = [...pathParameters(route), ...queryParameters(route.query)];
  return {
    operationId,
    tags: [tag],
    summary,
    description: descriptionOf(route),
    ...(roles === 'open' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : {
          requestBody: { required: true as const, content: { 'application/json': bodyOf(refer(body), example.body) } },
        }),
    responses: { ...successOf(route, refer), ...errorsOf(route) },
    ...(typeof roles === 'string' ? {} : { 'x-roles': roles }),
    ...(example.query === undefined ? {} : { 'x-query': example.query }),
    ...(pages === undefined ? {} : { 'x-pages': pages }),
  };
}

function descriptionOf({ description, roles, pages }: Route): string {
  const who =
    roles === 'open'
      ? 'No token is needed.'
      : roles === 'any'
        ? 'For every token.'
        : `For the roles ${roles.map((role) => `\`${role}\``).join(' and ')}.`.replace(/roles (`\w+`)\.$/, 'role $1.');
  const paging =
    pages === undefined
      ? []
      : [`Give \`next\` back as \`${pages.cursor}\` for the next page; null: that was the last.`];
  return [description ?? [], who, paging].flat().join(' ');
}

function bodyOf(schema: Reference, example: unknown): MediaType {
  return { schema, ...(example === undefined ? {} : { example }) };
}

function pathParameters({ path, params = {}, example = {} }: Route): Parameter[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const description = params[name];
    const value = example.params?.[name];
    return {
      name,
      in: 'path',
      required: true,
      ...(description === undefined ? {} : { description }),
      schema: { type: 'string' },
      ...(value === undefined ? {} : { example: value }),
    };
  });
}

function queryParameters(query: ZodObject | undefined): Parameter[] {
  if (query === undefined) return [];
  const { properties, required } = querySchemas(query);
  return Object.entries(properties).map(([name, { description, ...schema }]) => {
    const isRequired = required.includes(name);
    return {
      name,
      in: 'query',
      ...(isRequired ? { required: true as const } : {}),
      ...(description === undefined ? {} : { description }),
      ...styleOf(name, schema),
    };
  });
}

/** `metadata.PATH=value`: an object whose keys are parameters of their own, as `form` with `explode` writes it. */
function styleOf(name: string, schema: JsonSchema): Pick<Parameter, 'schema' | 'style' | 'explode' | 'x-prefix'> {
  if (schema.type === 'array') return { style: 'form', explode: true, schema };
  if (name !== 'metadata') return { schema };
  const keys = { patternProperties: { '^metadata\\.': { type: 'string' } }, additionalProperties: false };
  return { style: 'form', explode: true, schema: { type: 'object', ...keys }, 'x-prefix': METADATA };
}

function successOf({ answer, summary }: Route, refer: Refer): Record<string, ResponseObject> {
  const { status = 200, schema, types = {}, example } = answer;
  if (schema === null && Object.keys(types).length === 0)
    return { [status]: { description: 'Done; there is nothing to say.' } };
  const shown = example === undefined ? {} : { example };
  const content: Record<string, MediaType> =
    schema === null ? {} : { 'application/json': { schema: refer(schema), ...shown } };
  for (const [type, description] of Object.entries(types)) content[type] = { schema: { type: 'string', description } };
  return { [status]: { description: `${summary}.`, content } };
}

/** Every error that the route may answer; codes of one status share a response. */
function errorsOf(route: Route): Record<string, ResponseObject | Reference> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(route)) {
    const { status } = ERROR_MEANINGS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const statuses = [...byStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(statuses.map(([status, codes]) => [status, errorResponse(codes)]));
}

function codesOf({ roles, body, errors = [] }: Route): ErrorCode[] {
  const asked: ErrorCode[] = roles === 'open' ? [] : ['MTR_UNAUTHENTICATED'];
  const role: ErrorCode[] = typeof roles === 'string' ? [] : ['MTR_FORBIDDEN'];
  const sent: ErrorCode[] = body === undefined ? [] : ['MTR_BODY_TOO_LARGE', 'MTR_MEDIA_TYPE'];
  const below: ErrorCode[] = roles === 'open' ? [] : ['MTR_STORE_UNAVAILABLE'];
  return [...new Set<ErrorCode>(['MTR_BAD_REQUEST', ...asked, ...role, ...sent, ...errors, 'MTR_INTERNAL', ...below])];
}

function errorResponse(codes: readonly ErrorCode[]): ResponseObject | Reference {
  const [code] = codes;
  if (code !== undefined && codes.length === 1) return { $ref: `#/components/responses/${responseName(code)}` };
  return problemResponse(codes);
}

/** `MTR_NOT_FOUND`: `NotFound`. */
export function responseName(code: ErrorCode): string {
  const words = code.toLowerCase().split('_').slice(1);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

export function problemResponse(codes: readonly ErrorCode[]): ResponseObject {
  const narrowed = { properties: { code: { enum: codes } } };
  const schema: JsonSchema = { allOf: [{ $ref: '#/components/schemas/Problem' }, narrowed] };
  const status = codes[0] === undefined ? 0 : ERROR_MEANINGS[codes[0]].status;
  const retry = { description: 'Seconds to wait.', schema: { type: 'integer' } };
  return {
    description: codes.map((code) => `\`${code}\`: ${ERROR_MEANINGS[code].meaning}`).join(' '),
    ...(status === 503 ? { headers: { 'Retry-After': retry } } : {}),
    content: { 'application/problem+json': { schema } },
  };
}
