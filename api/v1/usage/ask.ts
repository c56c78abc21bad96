import { toPlain } from '@nephometer/core';
import type { ZodType } from 'zod';
import { readJson } from '../../body.ts';
import type { ApiContext } from '../../context.ts';
import { badRequest } from '../../errors.ts';
import { complaintOf } from '../complaint.ts';

/** Names that may be given more than once. */
const REPEATED = new Set(['group_by', 'project_id', 'user_id', 'resource_id', 'source']);
const METADATA = 'metadata.';

/** The fields of a question: of a GET from the URL, of a POST from the body. @throws HttpError 400 that names the field */
export async function readFields<T>(ctx: ApiContext, schema: ZodType<T>, maxBody: number): Promise<T> {
  return checkFields(await givenFields(ctx, maxBody), schema);
}

/** As they were spelled. */
export function givenFields(ctx: ApiContext, maxBody: number): Promise<unknown> {
  return ctx.method === 'POST' ? bodyFields(ctx, maxBody) : Promise.resolve(urlFields(ctx.querystring));
}

/** @throws HttpError 400 that names the field */
export function checkFields<T>(given: unknown, schema: ZodType<T>): T {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  throw badRequest(complaintOf(read.error, given, schema));
}

function urlFields(querystring: string): Record<string, unknown> {
  const given: Record<string, string | string[]> = {};
  const metadata = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(querystring)) {
    assertPlain(name);
    const path = name.startsWith(METADATA) ? name.slice(METADATA.length) : null;
    if (path !== null) metadata.set(path, [...(metadata.get(path) ?? []), value]);
    else if (REPEATED.has(name)) given[name] = [given[name] ?? [], value].flat();
    else if (Object.hasOwn(given, name)) throw badRequest(`${name}: given twice; once would be right.`);
    else given[name] = value;
  }
  return metadata.size > 0 ? { ...given, metadata: Object.fromEntries(metadata) } : given;
}

/** An object cannot hold it under that name. @throws HttpError 400 */
function assertPlain(name: string): void {
  if (name !== '__proto__' && name !== `${METADATA}__proto__`) return;
  throw badRequest(`${name}: cannot be asked for; another name would be right.`);
}

/** A body may spell `metadata.PATH` as the URL does. */
async function bodyFields(ctx: ApiContext, maxBody: number): Promise<unknown> {
  if (ctx.querystring !== '')
    throw badRequest('Found parameters in the URL of a POST; all in the body would be right.');
  const body = toPlain(await readJson(ctx, maxBody));
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const given: Record<string, unknown> = {};
  const metadata: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    assertPlain(name);
    if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = value;
    else if (name === 'metadata' && typeof value === 'object') Object.assign(metadata, value);
    else given[name] = value;
  }
  return Object.keys(metadata).length > 0 ? { ...given, metadata } : given;
}
