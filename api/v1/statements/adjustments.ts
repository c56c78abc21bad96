import { add, formatInstant, parseDecimal, parseTimestamp, Statement, subtract, toText } from '@nephometer/core';
import type { StatementPart } from '@nephometer/core';
import type { ApiOptions, Handler } from '../../context.ts';
import { sendJson } from '../../respond.ts';
import { rowLimit } from '../request.ts';
import { readFields } from '../usage/ask.ts';
import { deskOf } from '../usage/desk.ts';
import type { Moment, UsageDesk } from '../usage/desk.ts';
import { changesBetween, otherQuestion, standpoint } from '../usage/diff.ts';
import type { Change, Standpoint } from '../usage/diff.ts';
import type { UsageFields } from '../usage/fields.ts';
import { placeText, readPlace } from '../usage/usage.ts';
import { askedOf } from './asked.ts';
import { SERVER, statementsOf } from './close.ts';
import { AdjustmentsQuery, POLICY } from './schemas.ts';
import { wantedHead } from './show.ts';

interface Adjustment extends Change {
  readonly definition: string;
  readonly unit: string | null;
  /** After less before; null where either is not known. */
  readonly difference: string | null;
}

/** GET /v1/statements/{id}/adjustments: what a closed period would come to now, line by line, and why. */
export function showAdjustments(options: ApiOptions): Handler {
  const { config } = options;
  const statements = statementsOf(options);
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, AdjustmentsQuery, config.api.max_body);
    const head = await wantedHead(ctx, statements);
    const statement = Statement.parse(JSON.parse(await statements.book.text(head)));
    const place = asked.cursor === undefined ? null : readPlace(asked.cursor);
    if (place !== null && place.key !== head.id) throw otherQuestion();
    const moment = place === null ? desk.moment(asked.as_of, head.tz) : desk.momentAt(place.asOf);
    const closed = { asOf: parseTimestamp(statement.as_of), settled: true };
    const all: Adjustment[] = [];
    for (const part of statement.usage) all.push(...(await ofPart(desk, statement, part, closed, moment)));
    const offset = place?.offset ?? 0;
    const end = offset + rowLimit(asked.limit, config.api);
    const next = end < all.length ? placeText({ asOf: moment.asOf, offset: end, key: head.id }) : null;
    const frame = {
      statement_id: head.id,
      project_id: head.project_id,
      closed_as_of: head.as_of,
      as_of: formatInstant(moment.asOf),
      settled: moment.settled,
      policy: POLICY,
      adjustments: all.slice(offset, end),
      totals: totalsOf(all),
      next,
    };
    sendJson(ctx, JSON.stringify(frame));
  };
}

async function ofPart(
  desk: UsageDesk,
  statement: Statement,
  part: StatementPart,
  closed: Moment,
  moment: Moment,
): Promise<Adjustment[]> {
  const asked = askedOf(statement, part);
  const before = await standpoint(desk, asked, SERVER, closed, moment);
  const after = await standpointNow(desk, asked, moment, before);
  const changes = await changesBetween(desk, before, after);
  return changes.map((change) => adjustmentOf(change, part.definition.name));
}

/** A quantity that is not in force any more is still what the period was closed by. */
async function standpointNow(
  desk: UsageDesk,
  asked: UsageFields,
  moment: Moment,
  { question }: Standpoint,
): Promise<Standpoint> {
  const { asOf } = moment;
  const isInForce = (await desk.definitions.list(asOf)).some(({ definition }) => definition.name === asked.definition);
  if (isInForce) return standpoint(desk, asked, SERVER, moment, moment);
  return { question: { ...question, query: { ...question.query, asOf } }, asOf };
}

function adjustmentOf({ id, change, causes, before, after }: Change, definition: string): Adjustment {
  const [was, is] = [quantityOf(before), quantityOf(after)];
  const difference = was === null || is === null ? null : toText(subtract(parseDecimal(is), parseDecimal(was)));
  const unit = (after ?? before)?.['unit'];
  return {
    definition,
    id,
    change,
    causes,
    unit: typeof unit === 'string' ? unit : null,
    difference,
    before: before === null ? null : { ...before, finality: 'closed' },
    after: after === null ? null : { ...after, finality: 'adjusted' },
  };
}

/** What is not there is nothing; null where it is not known. */
function quantityOf(line: Change['before']): string | null {
  if (line === null) return '0';
  const quantity = line['quantity'];
  return typeof quantity === 'string' ? quantity : null;
}

/** By definition and unit; null where a difference is not known. */
function totalsOf(all: readonly Adjustment[]): Record<string, unknown>[] {
  const totals = new Map<
    string,
    { definition: string; unit: string | null; lines: number; difference: string | null }
  >();
  for (const { definition, unit, difference } of all) {
    const key = JSON.stringify([definition, unit]);
    const known = totals.get(key);
    if (known === undefined) totals.set(key, { definition, unit, lines: 1, difference });
    else {
      known.lines += 1;
      known.difference =
        known.difference === null || difference === null
          ? null
          : toText(add(parseDecimal(known.difference), parseDecimal(difference)));
    }
  }
  return [...totals.values()];
}
