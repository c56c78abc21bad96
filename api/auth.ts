import { isLoopback, missingToken, tokenFromHeaders } from '@nephometer/core';
import type { Identity, Role, SampleFilter, TokenBook } from '@nephometer/core';
import type { Middleware } from 'koa';
import type { ApiContext, ApiState } from './context.ts';
import { httpError } from './errors.ts';
import type { HttpError } from './errors.ts';

/** Answered to everybody: a probe has no token, and a client finds the versions and the documentation before it has one. */
const OPEN = new Set(['/', '/healthz', '/readyz', '/v1/openapi.json', '/v1/statements/key', '/docs']);
/** About the process, not about usage: open where only this machine can ask. */
const PROCESS = new Set(['/metrics', '/varz']);

/** Finds out who asks, and refuses whoever cannot say. */
export function authenticate(tokens: TokenBook, host: string): Middleware<ApiState> {
  const open = isLoopback(host) ? new Set([...OPEN, ...PROCESS]) : OPEN;
  return async (ctx, next) => {
    ctx.state.identity = null;
    if (!open.has(ctx.path)) {
      const token = tokenFromHeaders(ctx.headers);
      if (token === null) throw unauthenticated(missingToken(ctx.headers), 'Bearer realm="nephometer"');
      ctx.state.identity = await tokens.identify(token);
      if (ctx.state.identity === null) {
        const unknown = 'The token in X-Auth-Token or Authorization is not known, or was revoked.';
        throw unauthenticated(unknown, 'Bearer realm="nephometer", error="invalid_token"');
      }
      if (PROCESS.has(ctx.path)) demandRole(ctx, ['admin']);
    }
    await next();
  };
}

function unauthenticated(why: string, challenge: string): HttpError {
  const detail = `The request you have made requires authentication. ${why}`;
  return httpError('MTR_UNAUTHENTICATED', detail, { headers: { 'WWW-Authenticate': challenge } });
}

/** Lets these roles through; on a route, so that a path that does not exist is 404 for all. */
export function allow(...roles: Role[]): (ctx: ApiContext, next: () => Promise<unknown>) => Promise<void> {
  return async (ctx, next) => {
    demandRole(ctx, roles);
    await next();
  };
}

function demandRole(ctx: Pick<ApiContext, 'path' | 'state'>, roles: readonly Role[]): void {
  const { role } = identityOf(ctx);
  if (roles.includes(role)) return;
  // What clients of Ceilometer know.
  if (ctx.path.startsWith('/v2/')) throw httpError('MTR_FORBIDDEN', 'RBAC Authorization Failed');
  throw httpError('MTR_FORBIDDEN', `This token is a ${role}'s; one of ${roles.join(' or ')} would be right.`);
}

export function identityOf(ctx: { readonly state: ApiState }): Identity {
  const { identity } = ctx.state;
  if (identity === null) throw new TypeError('A route that wants an identity is open to everybody.');
  return identity;
}

/** What this identity may see, as conditions of every question that it asks. Empty for admins. */
export function visibleTo(identity: Identity): Pick<SampleFilter, 'projectIds' | 'userId'> {
  if (identity.role === 'admin') return {};
  const user = identity.userId === null ? {} : { userId: identity.userId };
  return { projectIds: identity.projects ?? [], ...user };
}
