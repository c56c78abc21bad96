import { identityOf, visibleTo } from '../auth.ts';
import type { ApiContext, ApiOptions, Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { UrlArguments } from './arguments.ts';
import { entityNotFound } from './faults.ts';
import { Q_ARGUMENTS, readQuery, RESOURCE_KEYS } from './query.ts';
import { resourceText } from './shapes.ts';

const ARGUMENTS = [...Q_ARGUMENTS, 'limit', 'meter_links'];

/** GET /v2/resources */
export function listResources({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const args = new UrlArguments(ctx.querystring, ARGUMENTS);
    const limit = args.limit(config.api);
    const withMeters = (args.integer('meter_links') ?? 1) !== 0;
    const { filter } = readQuery(args, RESOURCE_KEYS, identityOf(ctx));
    const rows = await store.resources({ ...filter, limit });
    const base = baseUrl(ctx, config.api.public_url);
    sendJson(ctx, `[${rows.map((row) => resourceText(row, base, withMeters)).join(',')}]`);
  };
}

/** GET /v2/resources/{id} */
export function showResource({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    void new UrlArguments(ctx.querystring, []);
    const resourceId = ctx.params['id'] ?? '';
    const [row] = await store.resources({ ...visibleTo(identityOf(ctx)), resourceId, limit: 1 });
    if (row === undefined) throw entityNotFound('Resource', resourceId);
    sendJson(ctx, resourceText(row, baseUrl(ctx, config.api.public_url), true));
  };
}

/** What links begin with. */
export function baseUrl(ctx: ApiContext, publicUrl: string | undefined): string {
  return (publicUrl ?? `${ctx.protocol}://${ctx.host}`).replace(/\/+$/, '');
}
