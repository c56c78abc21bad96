import { JsonSyntaxError, parseJson, readBounded } from '@nephometer/core';
import type { JsonValue } from '@nephometer/core';
import type { ApiContext } from './context.ts';
import { badRequest, HttpError, httpError } from './errors.ts';

/** The bytes of a request body of JSON. @throws HttpError 413 before more than `limit` is read, 415, 400 when it breaks off */
export async function readBody(ctx: ApiContext, limit: number): Promise<Buffer> {
  checkType(ctx);
  if (Number(ctx.get('Content-Length') || 0) > limit) throw tooLarge(limit);
  try {
    return await readBounded(ctx.req, limit, () => tooLarge(limit));
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    throw badRequest('The request body broke off.');
  }
}

function checkType(ctx: ApiContext): void {
  const encoding = ctx.get('Content-Encoding');
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
    throw unsupported(`Found Content-Encoding ${encoding}; send the body as it is.`);
  }
  const type = ctx.get('Content-Type').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === '' || type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type)) return;
  throw unsupported(`Found Content-Type ${type}; application/json would be right.`);
}

function unsupported(detail: string): HttpError {
  return httpError('MTR_MEDIA_TYPE', detail);
}

function tooLarge(limit: number): HttpError {
  const detail = `The request body is larger than ${limit} bytes; send it in parts.`;
  // The rest of the body is not read, so this connection cannot carry another request.
  return httpError('MTR_BODY_TOO_LARGE', detail, { headers: { Connection: 'close' } });
}

/** A body of JSON, with every number's literal. @throws HttpError 400 that says where the JSON ends to be JSON */
export async function readJson(ctx: ApiContext, limit: number): Promise<JsonValue> {
  const bytes = await readBody(ctx, limit);
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    if (cause instanceof JsonSyntaxError) throw badRequest(cause.message);
    throw badRequest('The request body is not UTF-8.');
  }
}
