import { formatInstant } from '@nephometer/core';
import type { Micros, StatementContent, StatementPart } from '@nephometer/core';
import { badRequest, httpError } from '../../errors.ts';
import { UsageFields } from '../usage/fields.ts';
import { momentOf } from '../usage/question.ts';
import type { StatementHead } from './book.ts';
import type { Closing } from './close.ts';
import { nameOf } from './low-lines.ts';
import type { StatementRequest } from './schemas.ts';

/** @throws HttpError 400 */
export function periodOf({ period, from, to, tz }: Pick<StatementRequest, 'period' | 'from' | 'to' | 'tz'>): {
  from: Micros;
  to: Micros;
} {
  if (period !== undefined) {
    if (from !== undefined || to !== undefined)
      throw badRequest('period: found beside from and to; one or the other would be right.');
    const [year = 0, month = 0] = period.split('-').map(Number);
    const next = month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, '0')}`;
    return { from: momentOf('period', `${period}-01`, tz), to: momentOf('period', `${next}-01`, tz) };
  }
  if (from === undefined || to === undefined) {
    throw badRequest(`${from === undefined ? 'from' : 'to'}: found nothing; a period, or from and to, would be right.`);
  }
  const times = { from: momentOf('from', from, tz), to: momentOf('to', to, tz) };
  if (times.from >= times.to) throw badRequest('to: lies before from; a later moment would be right.');
  return times;
}

/** What was asked for and said has to be what is closed. @throws HttpError 409 */
export function assertSame(head: StatementHead, { asked, moment }: Closing): void {
  const { definitions, group_by, as_of, tz, window, anchor = null, min_coverage } = asked;
  const names = head.definitions.map(({ name }) => name);
  const other =
    found('tz', head.tz, tz) ??
    found('window', head.window, window) ??
    found('anchor', head.anchor, anchor) ??
    (as_of === undefined ? null : found('as_of', head.as_of, formatInstant(moment.asOf))) ??
    (min_coverage === undefined ? null : found('min_coverage', head.min_coverage, min_coverage)) ??
    (definitions === undefined ? null : found('definitions', names.toSorted(), [...new Set(definitions)].sort())) ??
    (group_by === undefined
      ? null
      : (head.definitions.map((one) => found('group_by', one.group_by, group_by)).find((one) => one !== null) ?? null));
  if (other === null) return;
  throw httpError(
    'MTR_STATEMENT_EXISTS',
    `${nameOf(head.project_id)} has a statement of this period already, ${head.id}: ${other}. A closed period is not closed ` +
      'anew; what changed since is in its adjustments.',
  );
}

function found(name: string, closed: unknown, asked: unknown): string | null {
  const [was, is] = [JSON.stringify(closed), JSON.stringify(asked)];
  return was === is ? null : `${name} is ${was}, asked for is ${is}`;
}

type Whose = Pick<StatementContent, 'from' | 'to' | 'tz' | 'window' | 'anchor' | 'project_id'>;

/** The question of /v1/usage that a part of a statement answers. */
export function fieldsOf(definition: string, groupBy: readonly string[] | null, whose: Whose): UsageFields {
  const { from, to, tz, window, anchor, project_id } = whose;
  return UsageFields.parse({
    definition,
    from,
    to,
    tz,
    window,
    project_id,
    ...(anchor === null ? {} : { anchor }),
    ...(groupBy === null ? {} : { group_by: [...groupBy] }),
    gaps: true,
  });
}

export function askedOf(statement: StatementContent, part: StatementPart): UsageFields {
  return fieldsOf(part.definition.name, part.group_by, statement);
}
