import { formatInstant } from '@nephometer/core';
import type { ApiOptions, Handler } from '../../context.ts';
import { identityOf } from '../../auth.ts';
import { HttpError } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { readRequest } from '../request.ts';
import { deskOf } from '../usage/desk.ts';
import { headShape } from './book.ts';
import { statementsOf } from './close.ts';
import type { Closed, Closing, StatementDesk } from './close.ts';
import { CoverageTooLow, nameOf } from './low-lines.ts';
import type { LowLine } from './low-lines.ts';
import { StatementRequest } from './schemas.ts';

/** A project that has no statement, and why. */
export interface Refused {
  readonly project_id: string | null;
  readonly reason: string;
  readonly lines: readonly LowLine[];
}

export interface ClosedAll {
  readonly statements: readonly Closed[];
  readonly refused: readonly Refused[];
}

/** POST /v1/statements: closes a period for one project, or for each that used anything. */
export function createStatements(options: ApiOptions): Handler {
  const desk = statementsOf(options);
  return async (ctx) => {
    const asked = await readRequest(ctx, StatementRequest, options.config.api.max_body);
    const closing = desk.closing(asked, identityOf(ctx).name);
    const { statements, refused } =
      asked.project_id === undefined
        ? await closeEvery(desk, closing)
        : { statements: [await desk.close(asked.project_id, closing)], refused: [] };
    const { asOf: now } = deskOf(options).settledNow();
    ctx.status = statements.some(({ created }) => created) ? 201 : 200;
    const shapes = statements.map(({ head, created }) => ({ ...headShape(head, now), created }));
    sendJson(ctx, JSON.stringify({ statements: shapes, refused }));
  };
}

/** Each project that used anything; those that should have, and of which nothing was measured, are refused. */
export async function closeEvery(desk: StatementDesk, closing: Closing): Promise<ClosedAll> {
  const measured = await desk.projects(closing);
  const [closed, open]: [string[], Refused[]] = [[], []];
  for (const [project_id, why] of await desk.unmeasured(measured, closing)) {
    const [from, to] = [formatInstant(closing.from), formatInstant(closing.to)];
    const reason =
      `${nameOf(project_id)}: nothing was measured of it from ${from} to ${to}, though ${why}. If nothing was used, close ` +
      'it by its name.';
    if (await desk.isClosed(project_id, closing)) closed.push(project_id);
    else open.push({ project_id, reason, lines: [] });
  }
  const { statements, refused } = await closeAll(desk, [...measured, ...closed], closing);
  return { statements, refused: [...refused, ...open] };
}

/** What is wrong with one project does not keep the others from being closed. */
export async function closeAll(
  desk: StatementDesk,
  projects: readonly (string | null)[],
  closing: Closing,
): Promise<ClosedAll> {
  const statements: Closed[] = [];
  const refused: Refused[] = [];
  for (const project_id of projects) {
    try {
      statements.push(await desk.close(project_id, closing));
    } catch (cause) {
      if (!(cause instanceof HttpError)) throw cause;
      const lines = cause instanceof CoverageTooLow ? cause.lines : [];
      refused.push({ project_id, reason: cause.message, lines });
    }
  }
  return { statements, refused };
}
