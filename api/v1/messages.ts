import type { MessageIngest } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import { readBody } from '../body.ts';
import type { Handler } from '../context.ts';
import { unavailable } from '../errors.ts';
import { sendJson } from '../respond.ts';
import { readParameters } from './request.ts';
import { NoQuery } from './requests.ts';

/** Posts that are read and recorded at a time: each may hold `api.max_body`, and memory must stay bounded. */
const MOST_POSTS = 8;

/** POST /v1/messages: whole metering messages from those without a broker, stored and readable when it is answered. */
export function postMessages(ingest: MessageIngest, limit: number): Handler {
  let running = 0;
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    if (running >= MOST_POSTS) throw unavailable('MTR_BUSY', `${MOST_POSTS} posts are being recorded already.`);
    running += 1;
    try {
      const body = await readBody(ctx, limit);
      const results = await ingest.ingest(body, `${identityOf(ctx).name}@${ctx.req.socket.remoteAddress ?? 'unknown'}`);
      sendJson(ctx, JSON.stringify({ results }));
    } finally {
      running -= 1;
    }
  };
}
