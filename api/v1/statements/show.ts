import { csvRow, formatInstant, Statement } from '@nephometer/core';
import type { Identity } from '@nephometer/core';
import { identityOf } from '../../auth.ts';
import type { ApiContext, ApiOptions, Handler } from '../../context.ts';
import { httpError, notFound } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { decodeCursor, encodeCursor, rowLimit } from '../request.ts';
import { readFields } from '../usage/ask.ts';
import { deskOf } from '../usage/desk.ts';
import { COLUMNS, csvCell } from '../usage/line-shape.ts';
import { momentOf } from '../usage/question.ts';
import { USAGE_TYPES } from '../usage/usage.ts';
import { headShape } from './book.ts';
import type { StatementHead } from './book.ts';
import { statementsOf } from './close.ts';
import type { StatementDesk } from './close.ts';
import { StatementsQuery } from './schemas.ts';

/** A statement is of a whole project: whoever may see one user's part of it may not see this. */
export function maySee({ role, projects, userId }: Identity, { project_id: id }: StatementHead): boolean {
  return role === 'admin' || (userId === null && id !== null && (projects ?? []).includes(id));
}

/** GET /v1/statements: newest period first, then by project. */
export function listStatements(options: ApiOptions): Handler {
  const { config } = options;
  const desk = statementsOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, StatementsQuery, config.api.max_body);
    const { tz, project_id: project } = asked;
    const from = asked.from === undefined ? '' : formatInstant(momentOf('from', asked.from, tz));
    const to = asked.to === undefined ? '~' : formatInstant(momentOf('to', asked.to, tz));
    const seen = (await desk.book.all())
      .filter((head) => maySee(identityOf(ctx), head) && head.to > from && head.from < to)
      .filter((head) => project === undefined || head.project_id === project)
      .sort(compareHeads);
    const [offset] = asked.cursor === undefined ? [0] : decodeCursor('cursor', asked.cursor);
    const end = offset + rowLimit(asked.limit, config.api);
    const { asOf: now } = deskOf(options).settledNow();
    const statements = seen.slice(offset, end).map((head) => headShape(head, now));
    const next = end < seen.length ? encodeCursor([end, '']) : null;
    sendJson(ctx, JSON.stringify({ statements, next }));
  };
}

function compareHeads(a: StatementHead, b: StatementHead): number {
  if (a.from !== b.from) return a.from < b.from ? 1 : -1;
  const [left, right] = [a.project_id ?? '', b.project_id ?? ''];
  return left === right ? (a.to < b.to ? 1 : -1) : left < right ? -1 : 1;
}

/** The statement that the path names. @throws HttpError 404 also for those that this token may not see */
export async function wantedHead(ctx: ApiContext, desk: StatementDesk): Promise<StatementHead> {
  const id = ctx.params['statement_id'] ?? '';
  const head = await desk.book.find(id);
  if (head !== null && maySee(identityOf(ctx), head)) return head;
  throw notFound(`There is no statement ${id}.`);
}

/** GET /v1/statements/{id}: the same bytes for ever; its lines alone as NDJSON and CSV. */
export function showStatement(options: ApiOptions): Handler {
  const desk = statementsOf(options);
  return async (ctx) => {
    const head = await wantedHead(ctx, desk);
    const text = await desk.book.text(head);
    const isSettled = head.recordedAt <= deskOf(options).settledNow().asOf;
    const accepted = ctx.accepts(...Object.values(USAGE_TYPES));
    ctx.set('Nephometer-As-Of', head.as_of);
    ctx.set('Nephometer-Settled', String(isSettled));
    ctx.set('ETag', `"${head.body}"`);
    if (accepted === USAGE_TYPES.json) return sendJson(ctx, text);
    if (accepted === false) {
      const types = Object.values(USAGE_TYPES).join(', ');
      throw httpError('MTR_NOT_ACCEPTABLE', `Accept: found ${ctx.get('Accept')}; one of ${types} would be right.`);
    }
    const statement = Statement.parse(JSON.parse(text));
    ctx.type = `${accepted}; charset=utf-8`;
    ctx.body = accepted === USAGE_TYPES.csv ? csvOf(statement) : ndjsonOf(statement);
  };
}

function ndjsonOf({ statement_id, project_id, usage }: Statement): string {
  const rows = usage.flatMap(({ definition, lines }) =>
    lines.map((line) => ({ statement_id, project_id, definition: definition.name, ...line })),
  );
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** One column a field that any definition groups by. */
function csvOf({ statement_id, project_id, as_of, usage }: Statement): string {
  const fields = [...new Set(usage.flatMap(({ group_by }) => group_by))];
  const header = ['statement_id', 'project_id', 'definition', 'from', 'to', ...fields.map((field) => `group.${field}`)];
  const rows = usage.flatMap(({ definition, lines }) =>
    lines.map((line) => [
      statement_id,
      project_id,
      definition.name,
      line.from,
      line.to,
      ...fields.map((field) => line.group[field] ?? null),
      ...COLUMNS.map((column) => line[column]),
      as_of,
      line.id,
    ]),
  );
  return [[...header, ...COLUMNS, 'as_of', 'id'], ...rows].map((row) => csvRow(row.map(csvCell))).join('');
}
