import { z } from 'zod';
import type { ZodType } from 'zod';
import { TAGS } from '../v1/route.ts';
import type { Route } from '../v1/route.ts';
import * as answers from '../v1/answers.ts';
import * as exportSchemas from '../v1/exports/schemas.ts';
import * as requests from '../v1/requests.ts';
import * as usageAnswers from '../v1/usage/answers.ts';
import * as usageFields from '../v1/usage/fields.ts';
import { ERROR_MEANINGS } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import { componentSchemas } from './json-schema.ts';
import { operationOf, problemResponse, responseName } from './operation.ts';
import type { JsonSchema, OpenApiDocument, Operation, Parameter, Reference, ResponseObject } from './types.ts';

/** Schemas that get the name of their export. Others are called by the operation that uses them. */
const EXPORTED: Readonly<Record<string, unknown>> = {
  ...requests,
  ...answers,
  ...usageFields,
  ...usageAnswers,
  ...exportSchemas,
};

const DESCRIPTION =
  'What every project used, hour by hour, in figures that a billing system can invoice and a customer can check. ' +
  'Quantities and volumes are exact decimals in strings; times are UTC, `2026-03-01T00:00:00Z`, with up to six digits of ' +
  'fraction. Errors are `application/problem+json` with a stable `code`. Later versions may add properties to answers.';

/** RFC 9457, and our code. */
const PROBLEM: JsonSchema = {
  type: 'object',
  description: 'What went wrong (RFC 9457).',
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string', description: 'The name of the status.' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'What was found, where, and what would be right.' },
    instance: { type: 'string', description: 'The path that was asked.' },
    code: { type: 'string', description: 'Stable; for programs.' },
  },
  required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
};

/** The OpenAPI 3.1 document of these routes. The same routes give the same bytes. */
export function openApiDocument(routes: readonly Route[]): OpenApiDocument {
  const names = namesOf(routes);
  const refer = (schema: ZodType): Reference => ({ $ref: `#/components/schemas/${names.get(schema) ?? ''}` });
  const operations = routes.map((route) => ({ route, operation: operationOf(route, refer) }));
  const parameters = sharedParameters(operations.map(({ operation }) => operation));
  const paths: Record<string, Record<string, Operation>> = {};
  for (const { route, operation } of operations) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: withShared(operation, parameters) };
  }
  const components = { schemas: { Problem: PROBLEM, ...schemasOf(routes, names) }, responses: responsesOf(operations) };
  const used = new Set(routes.map(({ tag }) => tag));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Nephometer',
      version: 'v1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }, { bearer: [] }],
    tags: Object.entries(TAGS)
      .filter(([name]) => used.has(name as Route['tag']))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: referenced(components.schemas, [paths, components.responses]),
      parameters,
      responses: components.responses,
      securitySchemes: {
        token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token', description: 'As Ceilometer had it.' },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The same token, for clients that know only this form.',
        },
      },
    },
  };
}

/** Every schema that a route names, and every exported one, since they may stand within those. */
function namesOf(routes: readonly Route[]): Map<ZodType, string> {
  const names = new Map<ZodType, string>();
  for (const { operationId, body, answer } of routes) {
    const name = operationId.charAt(0).toUpperCase() + operationId.slice(1);
    if (answer.schema !== null && !names.has(answer.schema)) names.set(answer.schema, `${name}Answer`);
    if (body !== undefined && !names.has(body)) names.set(body, `${name}Request`);
  }
  for (const [name, schema] of Object.entries(EXPORTED)) {
    if (schema instanceof z.ZodType && !/Query$|^Instant$/.test(name)) names.set(schema, name);
  }
  return names;
}

/** Bodies as they are sent, all others as they are answered. */
function schemasOf(routes: readonly Route[], names: ReadonlyMap<ZodType, string>): Record<string, JsonSchema> {
  const bodies = new Set(routes.flatMap(({ body }) => body ?? []));
  const sent = new Map<string, ZodType>();
  const answered = new Map<string, ZodType>();
  for (const [schema, name] of names) (bodies.has(schema) ? sent : answered).set(name, schema);
  return { ...componentSchemas(answered, 'output'), ...componentSchemas(sent, 'input') };
}

/** Only what something leads to. */
function referenced(all: Readonly<Record<string, JsonSchema>>, roots: unknown): Record<string, JsonSchema> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (found.has(name)) continue;
      found.add(name);
      visit(all[name] ?? {});
    }
  };
  visit(roots);
  return Object.fromEntries([...found].sort().map((name) => [name, all[name] ?? {}]));
}

/** Parameters that several operations take, word for word. */
function sharedParameters(operations: readonly Operation[]): Record<string, Parameter> {
  const uses = new Map<string, { parameter: Parameter; count: number }>();
  for (const parameter of operations.flatMap(({ parameters = [] }) => parameters)) {
    if ('$ref' in parameter || parameter.in === 'path') continue;
    const text = JSON.stringify(parameter);
    uses.set(text, { parameter, count: (uses.get(text)?.count ?? 0) + 1 });
  }
  const shared: Record<string, Parameter> = {};
  for (const { parameter, count } of uses.values()) if (count > 1) shared[parameter.name] ??= parameter;
  return shared;
}

function withShared(operation: Operation, shared: Readonly<Record<string, Parameter>>): Operation {
  if (operation.parameters === undefined) return operation;
  const parameters = operation.parameters.map((parameter) => {
    if ('$ref' in parameter) return parameter;
    const isShared = JSON.stringify(shared[parameter.name]) === JSON.stringify(parameter);
    return isShared ? { $ref: `#/components/parameters/${parameter.name}` } : parameter;
  });
  return { ...operation, parameters };
}

function responsesOf(operations: readonly { readonly operation: Operation }[]): Record<string, ResponseObject> {
  const text = JSON.stringify(operations);
  const codes = Object.keys(ERROR_MEANINGS) as ErrorCode[];
  const used = codes.filter((code) => text.includes(`"#/components/responses/${responseName(code)}"`));
  return Object.fromEntries(used.map((code) => [responseName(code), problemResponse([code])]));
}
