import { toPlain } from '@nephometer/core';
import { z } from 'zod';
import type { ZodType } from 'zod';
import { readJson } from '../body.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { complaintOf } from './complaint.ts';

/** Names that may be given more than once. */
const REPEATED = new Set(['project_id', 'user_id', 'resource_id', 'source']);
const METADATA = 'metadata.';

/** The URL's parameters by a schema. @throws HttpError 400 that names the parameter */
export function readParameters<T>(ctx: ApiContext, schema: ZodType<T>): T {
  const given: Record<string, string | string[]> = {};
  const metadata: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(ctx.querystring)) {
    // Objects have it already: assigned to, it would set no member, and the filter would be lost.
    if (name === '__proto__' || name === `${METADATA}__proto__`) throw badRequest(`${name}: cannot be asked for.`);
    const path = name.startsWith(METADATA) ? name.slice(METADATA.length) : null;
    if (path !== null) metadata[path] = [...(Object.hasOwn(metadata, path) ? (metadata[path] ?? []) : []), value];
    else if (REPEATED.has(name)) given[name] = [given[name] ?? [], value].flat();
    else if (Object.hasOwn(given, name)) throw badRequest(`${name}: given twice; once would be right.`);
    else given[name] = value;
  }
  const hasMetadata = Object.keys(metadata).length > 0;
  return check(schema, hasMetadata ? { ...given, metadata } : given);
}

/** A body by a schema. @throws HttpError 400, 413, 415 */
export async function readRequest<T>(ctx: ApiContext, schema: ZodType<T>, limit: number): Promise<T> {
  return check(schema, toPlain(await readJson(ctx, limit)));
}

function check<T>(schema: ZodType<T>, value: unknown): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw badRequest(complaintOf(read.error, value, schema));
}

/** Rows to answer. @throws HttpError 400 when more are asked for than may be */
export function rowLimit(
  limit: number | undefined,
  { default_limit, max_limit }: { readonly default_limit: number; readonly max_limit: number },
): number {
  if ((limit ?? 0) > max_limit) throw badRequest(`limit: found ${limit}; at most ${max_limit} would be right.`);
  return limit ?? default_limit;
}

const Cursor = z.tuple([z.int(), z.string()]);
type Cursor = z.infer<typeof Cursor>;

/** Where a list goes on: behind this time, and of the rows of this time behind this id. */
export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

export function decodeCursor(name: string, text: string): Cursor {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    throw badRequest(
      `${name}: found ${JSON.stringify(text.slice(0, 60))}; \`next\` of the answer before would be right.`,
    );
  }
}
