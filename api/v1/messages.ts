import type { MessageIngest } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import { readBody } from '../body.ts';
import type { Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { readParameters } from './request.ts';
import { NoQuery } from './schemas.ts';

/** POST /v1/messages: whole metering messages from those without a broker, stored and readable when it is answered. */
export function postMessages(ingest: MessageIngest, limit: number): Handler {
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    const body = await readBody(ctx, limit);
    const results = await ingest.ingest(body, `${identityOf(ctx).name}@${ctx.req.socket.remoteAddress ?? 'unknown'}`);
    sendJson(ctx, JSON.stringify({ results }));
  };
}
