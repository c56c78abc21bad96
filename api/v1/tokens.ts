import type { Identity } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { httpError, notFound } from '../errors.ts';
import type { HttpError } from '../errors.ts';
import { sendJson } from '../respond.ts';
import { readParameters, readRequest } from './request.ts';
import { NoQuery, TokenRequest } from './requests.ts';
import { identityShape } from './shapes.ts';

const LARGEST_REQUEST = 64 * 1024;

/** POST /v1/tokens: the only answer that shows the token. */
export function createToken({ tokens, log }: ApiOptions): Handler {
  return async (ctx) => {
    const { name, role, projects, user_id: userId } = await readRequest(ctx, TokenRequest, LARGEST_REQUEST);
    const identity: Identity = { name, role, projects: projects ?? null, userId: userId ?? null };
    const { id, token } = await tokens.create(identity);
    log.info({ token: name, id, role, by: identityOf(ctx).name }, 'Token created.');
    ctx.status = 201;
    ctx.set('Cache-Control', 'no-store');
    sendJson(ctx, JSON.stringify({ id, token, ...identityShape(identity) }));
  };
}

/** GET /v1/tokens: those of the configuration too; never a token or its hash. */
export function listTokens({ tokens }: ApiOptions): Handler {
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    const list = (await tokens.list()).map((record) => {
      return { id: record.id, ...identityShape(record), revoked: record.revoked };
    });
    sendJson(ctx, JSON.stringify({ tokens: list }));
  };
}

/** DELETE /v1/tokens/{id} */
export function revokeToken({ tokens, log }: ApiOptions): Handler {
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    const id = ctx.params['id'] ?? '';
    if (!(await tokens.revoke(id))) throw await notRevocable(tokens, id);
    log.info({ id, by: identityOf(ctx).name }, 'Token revoked.');
    ctx.status = 204;
  };
}

async function notRevocable(tokens: ApiOptions['tokens'], id: string): Promise<HttpError> {
  const isDeclared = (await tokens.list()).some((record) => record.id === id && id.startsWith('config:'));
  if (!isDeclared) return notFound(`There is no token ${id} that could be revoked.`);
  return httpError('MTR_TOKEN_DECLARED', `The token ${id} stands in the configuration; remove it there (api.tokens).`);
}

/** GET /v1/whoami */
export async function whoAmI(ctx: Parameters<Handler>[0]): Promise<void> {
  readParameters(ctx, NoQuery);
  sendJson(ctx, JSON.stringify(identityShape(identityOf(ctx))));
}
