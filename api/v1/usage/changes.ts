import { formatInstant } from '@nephometer/core';
import { z } from 'zod';
import { identityOf } from '../../auth.ts';
import type { ApiOptions, Handler } from '../../context.ts';
import { badRequest } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { rowLimit } from '../request.ts';
import { readFields } from './ask.ts';
import { deskOf } from './desk.ts';
import { changesBetween, otherQuestion, standpoint } from './diff.ts';
import { ChangesFields } from './fields.ts';

/**
 * How far a biller has come: it has all that was known at `since`; while `upTo` is set it reads the changes up to that
 * moment, and has had so many of them.
 */
const Progress = z.tuple([z.int().nullable(), z.int().nullable(), z.int().nonnegative(), z.string()]);

/** GET /v1/changes: the lines that changed since the cursor, up to the newest settled moment. */
export function listChanges(options: ApiOptions): Handler {
  const { config } = options;
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, ChangesFields, config.api.max_body);
    const [since, upTo, offset, key] =
      asked.cursor === undefined ? ([null, null, 0, null] as const) : readProgress(asked.cursor);
    const identity = identityOf(ctx);
    const end = upTo === null ? desk.settledNow() : desk.momentAt(upTo);
    const after = await standpoint(desk, asked, identity, end, end);
    if (key !== null && key !== after.question.key) throw otherQuestion();
    const before = since === null ? null : await standpoint(desk, asked, identity, desk.momentAt(since), end);
    const changes = await changesBetween(desk, before, after);
    const reached = offset + rowLimit(asked.limit, config.api);
    const more = reached < changes.length;
    const next = more ? [since, end.asOf, reached] : [end.asOf, null, 0];
    const frame = {
      changes: changes.slice(offset, reached),
      cursor: Buffer.from(JSON.stringify([...next, after.question.key])).toString('base64url'),
      more,
      as_of: formatInstant(end.asOf),
    };
    sendJson(ctx, JSON.stringify(frame));
  };
}

function readProgress(text: string): z.infer<typeof Progress> {
  try {
    return Progress.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    throw badRequest(
      `cursor: found ${JSON.stringify(text.slice(0, 60))}; \`cursor\` of the answer before would be right.`,
    );
  }
}
