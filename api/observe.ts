import { messageOf } from '@nephometer/core';
import type { Clock, Logger, MetricRegistry } from '@nephometer/core';
import type { Middleware } from 'koa';
import type { ApiState } from './context.ts';
import { faultBody, isV2, problemBody, toHttpError } from './errors.ts';

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];

/** Outermost: counts and times every request, and says at debug who asked what. */
export function observeRequests(metrics: MetricRegistry, log: Logger, clock: Clock): Middleware<ApiState> {
  const requests = metrics.counter('nephometer_api_requests_total', 'Requests answered, by route and status.');
  const seconds = metrics.histogram(
    'nephometer_api_request_seconds',
    'Time from the request to the start of the answer.',
    SECONDS,
  );
  return async (ctx, next) => {
    const start = clock.monotonic();
    await next();
    const elapsed = (clock.monotonic() - start) / 1e6;
    const route = routeOf(ctx);
    requests.add(1, { route, status: String(ctx.status) });
    seconds.observe(elapsed, { route });
    const { method, path, status } = ctx;
    log.debug({ method, path, status, seconds: elapsed, who: ctx.state.identity?.name ?? null }, 'Request answered.');
  };
}

const PROCESS_PATHS = new Set(['/healthz', '/readyz', '/metrics', '/varz']);

/** The pattern, never the path: ids in a label would make a series each. */
function routeOf({
  _matchedRoute: matched,
  path,
}: {
  readonly _matchedRoute?: unknown;
  readonly path: string;
}): string {
  if (typeof matched === 'string') return matched;
  return PROCESS_PATHS.has(path) ? path : 'none';
}

/** Turns whatever is thrown below into the answer that its path promises. */
export function answerErrors(log: Logger): Middleware<ApiState> {
  return async (ctx, next) => {
    try {
      await next();
    } catch (cause) {
      const error = toHttpError(cause);
      if (error.status === 500) {
        log.error(
          { method: ctx.method, path: ctx.path, cause: messageOf(cause), stack: stackOf(cause) },
          'A request failed.',
        );
      }
      ctx.status = error.status;
      ctx.set(error.headers);
      const ofV2 = isV2(ctx.path);
      ctx.type = ofV2 ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8';
      ctx.body = ofV2 ? faultBody(error) : problemBody(error, ctx.path);
    }
  };
}

function stackOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.stack : undefined;
}
