import type { JsonSchema, OpenApiDocument, Operation, Parameter, Reference } from '@nephometer/api';
import { commentText, property, typeOf } from './client-types.ts';

interface Placed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** The source of the typed client: a type a component, and a method an operation. */
export function clientSource(document: OpenApiDocument): string {
  const operations: Placed[] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  return `/* Written by \`npm run docs\` from the OpenAPI document; do not edit. */
import { Transport } from './transport.ts';
import type { CallOptions, OperationShape } from './transport.ts';

${Object.entries(document.components.schemas)
  .map(([name, schema]) => declaration(name, schema))
  .join('\n')}
${operations.map((placed) => parametersOf(document, placed)).join('')}
/** How each operation is asked. */
export const OPERATIONS = {
${operations.map((placed) => shapeOf(document, placed)).join('')}} as const satisfies Readonly<Record<string, OperationShape>>;

/** ${commentText(document.info.description)} */
export class NephometerClient extends Transport {
${operations.map((placed) => methodsOf(document, placed)).join('\n')}}
`;
}

function declaration(name: string, schema: JsonSchema): string {
  const comment = schema.description === undefined ? '' : `/** ${commentText(schema.description)} */\n`;
  return `${comment}export type ${name} = ${typeOf(schema)};\n`;
}

function find(document: OpenApiDocument, one: Parameter | Reference): Parameter {
  if (!('$ref' in one)) return one;
  const found = document.components.parameters[one.$ref.split('/').at(-1) ?? ''];
  if (found === undefined) throw new Error(`The document has no ${one.$ref}.`);
  return found;
}

function parameters(document: OpenApiDocument, { parameters: list = [] }: Operation): Parameter[] {
  return list.map((one) => find(document, one));
}

function typeName({ operationId }: Operation): string {
  return `${operationId.charAt(0).toUpperCase()}${operationId.slice(1)}Parameters`;
}

function bodyOf({ requestBody }: Operation): JsonSchema | undefined {
  return requestBody?.content['application/json']?.schema;
}

function parametersOf(document: OpenApiDocument, { operation }: Placed): string {
  const rows = parameters(document, operation).map((one) => {
    const { name, schema, required, description } = one;
    const described = description === undefined ? schema : { ...schema, description };
    return property(name, described, required === true, '  ', parameterType(one));
  });
  const body = bodyOf(operation);
  if (body !== undefined) rows.push(property('body', {}, true, '  ', typeOf(body)));
  return rows.length === 0 ? '' : `\nexport interface ${typeName(operation)} {\n${rows.join('')}}\n`;
}

function parameterType({ schema, 'x-prefix': prefix }: Parameter): string {
  if (prefix !== undefined) return 'Readonly<Record<string, string | readonly string[]>>';
  if (schema.format === 'date-time') return 'string | Date';
  return schema.type === 'array' ? `${typeOf(schema.items ?? {})} | ${typeOf(schema)}` : typeOf(schema);
}

function shapeOf(document: OpenApiDocument, { method, path, operation }: Placed): string {
  const query = parameters(document, operation).filter((one) => one.in === 'query');
  const prefixed = query.flatMap(({ name, 'x-prefix': prefix }) => (prefix === undefined ? [] : [[name, prefix]]));
  const { items, cursor } = operation['x-pages'] ?? {};
  const shape = {
    method: method.toUpperCase(),
    path,
    query: query.map(({ name }) => name),
    ...(prefixed.length === 0 ? {} : { prefixed: Object.fromEntries(prefixed) as Record<string, string> }),
    ...(items === undefined ? {} : { pages: { items, cursor } }),
  };
  return `  ${operation.operationId}: ${JSON.stringify(shape)},\n`;
}

function methodsOf(document: OpenApiDocument, placed: Placed): string {
  const { method, path, operation } = placed;
  const { operationId, summary, description } = operation;
  const all = parameters(document, operation);
  const answer = answerType(operation);
  const isNeeded = bodyOf(operation) !== undefined || all.some(({ required }) => required === true);
  const hasAny = isNeeded || all.length > 0;
  const argument = hasAny ? `parameters: ${typeName(operation)}${isNeeded ? '' : ' = {}'}, ` : '';
  const passed = `OPERATIONS.${operationId}, ${hasAny ? 'parameters' : '{}'}, options`;
  const one = `  /**
   * ${method.toUpperCase()} ${path}: ${commentText(`${summary}. ${description}`)}
   * @throws NephometerError
   */
  ${operationId}(${argument}options?: CallOptions): Promise<${answer}> {
    return ${answer === STREAM ? 'this.bytes' : `this.call<${answer}>`}(${passed});
  }
`;
  const pages = operation['x-pages'];
  if (pages === undefined) return one;
  const row = `${answer}['${pages.items}'][number]`;
  return `${one}
  /** Every row of \`${operationId}\`, page after page. @throws NephometerError */
  ${pages.each}(${argument}options?: CallOptions): AsyncGenerator<${row}, void, undefined> {
    return this.each<${row}>(${passed});
  }
`;
}

/** Of an answer that is a file: its bytes, as they come. */
const STREAM = 'ReadableStream<Uint8Array>';

function answerType({ responses }: Operation): string {
  const success = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1];
  if (success === undefined || '$ref' in success) return 'unknown';
  const { content } = success;
  if (content === undefined) return 'void';
  const schema = content['application/json']?.schema;
  return schema === undefined ? STREAM : typeOf(schema);
}
