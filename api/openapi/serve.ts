import type { Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { readParameters } from '../v1/request.ts';
import type { Route } from '../v1/route.ts';
import { NoQuery } from '../v1/requests.ts';
import { openApiDocument } from './document.ts';

/** GET /v1/openapi.json. The document never changes while the server runs. */
export function showDocument(routes: readonly Route[]): Handler {
  let text: string | null = null;
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    text ??= JSON.stringify(openApiDocument(routes));
    sendJson(ctx, text);
  };
}
