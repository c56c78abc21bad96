import {
  BehindRetention,
  BusUnavailable,
  createLogger,
  defaultConfig,
  MessageTooLarge,
  MetricRegistry,
  Refusal,
  StoreRefused,
  StoreUnavailable,
} from '@nephometer/core';
import t from 'tap';
import { createRouter } from '../app.ts';
import type { ApiOptions } from '../context.ts';
import { toHttpError } from '../errors.ts';
import { sampleOf, startApi } from '../kit.test.fixture.ts';
import { V1_ROUTES } from '../v1/routes.ts';
import { openApiDocument } from './document.ts';
import { PASSED_ERRORS } from './errors.ts';
import type { Operation, Parameter, Reference } from './types.ts';

const document = openApiDocument(V1_ROUTES);
const operations: [name: string, operation: Operation][] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
);

/** What the router serves under /v1, as the document would name it. */
function served(): string[] {
  const log = createLogger({ level: 'error', format: 'text', write: () => undefined });
  const everything = { config: defaultConfig({}), log, metrics: new MetricRegistry(), ingest: {}, bus: {} };
  const router = createRouter(everything as unknown as ApiOptions);
  const layers = router.stack.filter(({ path }) => String(path).startsWith('/v1'));
  return layers.flatMap(({ methods, path }) =>
    methods.filter((method) => method !== 'HEAD').map((method) => `${method.toLowerCase()} ${braced(String(path))}`),
  );
}

function braced(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}');
}

t.test('every route under /v1 is in the document, and nothing else is', (t) => {
  t.strictSame(served().sort(), operations.map(([name]) => name).sort());
  t.end();
});

t.test('every reference leads to something', (t) => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(([, target = '']) => target);
  t.ok(references.length > 50, `${references.length} references`);
  for (const target of new Set(references)) t.ok(resolve(target) !== undefined, target);
  t.end();
});

function resolve(target: string): unknown {
  const [root, ...steps] = target.split('/');
  if (root !== '#') return undefined;
  return steps.reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document);
}

function parametersOf({ parameters = [] }: Operation): Parameter[] {
  return parameters.map((one: Parameter | Reference) => ('$ref' in one ? (resolve(one.$ref) as Parameter) : one));
}

t.test('operations are called by one name each, belong to a tag, and declare every parameter of their path', (t) => {
  const ids = operations.map(([, { operationId }]) => operationId);
  t.equal(new Set(ids).size, ids.length, ids.join(' '));
  const tags = new Set(document.tags.map(({ name }) => name));
  for (const [name, operation] of operations) {
    t.match(operation.operationId, /^[a-z][A-Za-z]+$/, name);
    t.ok(
      operation.tags.every((tag) => tags.has(tag)),
      `${name} has a tag of the document`,
    );
    const parameters = parametersOf(operation);
    const inPath = parameters.filter((parameter) => parameter.in === 'path');
    t.strictSame(
      inPath.map((one) => one.name).sort(),
      [...name.matchAll(/\{(\w+)\}/g)].map(([, one = '']) => one).sort(),
      name,
    );
    t.ok(
      inPath.every(({ required, description }) => required === true && description !== undefined),
      name,
    );
    t.equal(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size, parameters.length, `${name}: none twice`);
    t.ok(
      Object.keys(operation.responses).some((status) => status.startsWith('2')),
      `${name} may succeed`,
    );
    t.match(operation.description, /\.$/, `${name} says who may`);
  }
  t.end();
});

t.test('a list that goes on says where its rows are and which parameter goes on', (t) => {
  for (const [name, operation] of operations) {
    const pages = operation['x-pages'];
    const rows = JSON.stringify(answerOf(operation) ?? {});
    if (name.startsWith('get '))
      t.equal(/"next":/.test(rows), pages !== undefined, `${name}: an answer with next is a list`);
    if (pages === undefined) continue;
    t.ok(
      parametersOf(operation).some((one) => one.name === pages.cursor),
      `${name} takes ${pages.cursor}`,
    );
    t.match(answerOf(operation), { properties: { [pages.items]: { type: 'array' } } }, name);
  }
  t.end();
});

function answerOf({ responses }: Operation): unknown {
  const success = responses['200'] ?? responses['201'];
  if (success === undefined || '$ref' in success) return undefined;
  return resolve(success.content?.['application/json']?.schema?.$ref ?? '');
}

t.test('examples are questions that are understood', (t) => {
  for (const { operationId, path, params = {}, query, body, example = {} } of V1_ROUTES) {
    const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
    t.strictSame(Object.keys(params).sort(), inPath.sort(), `${operationId} says what the parameters of its path are`);
    t.ok(
      Object.keys(example.params ?? {}).every((name) => inPath.includes(name)),
      operationId,
    );
    if (example.query !== undefined) {
      const asked = Object.fromEntries(new URLSearchParams(example.query));
      t.strictSame(query?.safeParse(asked).error?.issues ?? [], [], operationId);
    }
    if (body === undefined) continue;
    t.ok(example.body !== undefined, `${operationId} shows a body`);
    t.strictSame(body.safeParse(example.body).error?.issues ?? [], [], operationId);
  }
  t.end();
});

t.test('examples are answers', (t) => {
  const withExample = V1_ROUTES.filter(({ answer }) => answer.example !== undefined);
  t.ok(withExample.length >= 4);
  for (const { operationId, answer } of withExample) {
    t.strictSame(answer.schema?.safeParse(answer.example).error?.issues ?? [], [], operationId);
  }
  t.end();
});

t.test('errors from below have the status that the document says', (t) => {
  const thrown = [
    new BehindRetention('x'),
    new BusUnavailable('x'),
    new MessageTooLarge('x'),
    new Refusal('field', 'x'),
    new StoreRefused('x'),
    new StoreUnavailable('x'),
  ];
  t.strictSame(thrown.map(({ code }) => code).sort(), Object.keys(PASSED_ERRORS).sort());
  for (const error of thrown) {
    const documented = PASSED_ERRORS[error.code];
    t.match(toHttpError(error), { code: error.code, status: documented.status }, error.code);
  }
  t.end();
});

t.test('it is served to everybody, as OpenAPI 3.1, the same at every time', async (t) => {
  const { get } = await startApi(t, { samples: [sampleOf({})] });
  const answer = await get('/v1/openapi.json', null);
  t.equal(answer.status, 200);
  t.match(answer.headers.get('content-type'), /^application\/json/);
  t.strictSame(answer.json, JSON.parse(JSON.stringify(document)));
  t.equal(document.openapi, '3.1.0');
  t.equal((await get('/v1/openapi.json?a=1', null)).status, 400);
  t.equal((await get('/v1/whoami', null)).status, 401, 'what is beside it is closed');
});

t.test('what a URL spells as text is documented as what it means', (t) => {
  const parameters = Object.fromEntries(
    operations.flatMap(([, operation]) => parametersOf(operation)).map((one) => [one.name, one]),
  );
  t.match(parameters['limit'], { in: 'query', schema: { type: 'integer', minimum: 1 } });
  t.match(parameters['headers'], { schema: { type: 'boolean' } });
  t.match(parameters['from'], { schema: { type: 'string', format: 'date-time' } });
  t.match(parameters['project_id'], { explode: true, schema: { type: 'array' } });
  t.match(parameters['metadata'], { style: 'form', explode: true, 'x-prefix': 'metadata.' });
  t.match(document.components.parameters, { limit: {}, cursor: {} }, 'shared ones are written once');
  t.notOk(JSON.stringify(document).includes('"wire"'), 'nothing of the inside');
  t.end();
});
