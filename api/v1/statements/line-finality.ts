import { parseTimestamp } from '@nephometer/core';
import type { Micros, UsageLine } from '@nephometer/core';
import { HttpError } from '../../errors.ts';
import type { UsageDesk } from '../usage/desk.ts';
import { lineShape } from '../usage/line-shape.ts';
import type { Finality } from '../usage/line-shape.ts';
import type { UsageQuestion } from '../usage/question.ts';
import type { StatementHead } from './book.ts';

export interface AskedUsage {
  readonly question: UsageQuestion;
  readonly asOf: Micros;
  /** The same question as of another moment. */
  readonly at: (asOf: Micros) => Promise<UsageQuestion>;
}

/**
 * What lines of an answer are, in their order:
 *
 * | finality      | when                                                                                      |
 * |---------------|-------------------------------------------------------------------------------------------|
 * | `closed`      | a statement of the line's projects covers it, and its quantity is what it was at the closing |
 * | `adjusted`    | likewise, and its quantity is another now                                                 |
 * | `provisional` | otherwise: also where its projects were closed as of different moments, and where the question |
 * |               | asks for other figures than its definition gives                                          |
 *
 * Statements closed after the moment that is asked as of do not count, so that the same question has the same bytes.
 */
export async function finalityOf(
  desk: UsageDesk,
  { question, asOf: now, at }: AskedUsage,
  lines: readonly UsageLine[],
): Promise<Finality[]> {
  const { name } = question.definition;
  const heads = name === null || !question.isByDefinition ? [] : await headsOf(desk, name, now);
  const closed = heads.length === 0 ? [] : lines.map((line) => closedAsOf(line, question, heads));
  const references = new Map<Micros, ReadonlyMap<string, string | null> | null>();
  for (const asOf of closed) {
    if (asOf !== null && !references.has(asOf)) {
      references.set(asOf, await quantitiesAt(desk, at, asOf));
    }
  }
  return lines.map((line, i) => {
    const asOf = closed[i] ?? null;
    if (asOf === null) return 'provisional';
    const frozen = references.get(asOf)?.get(lineShape(line, question, asOf).id);
    return frozen === line.quantity ? 'closed' : 'adjusted';
  });
}

async function headsOf(desk: UsageDesk, name: string, asOf: Micros): Promise<StatementHead[]> {
  const all = await desk.statements.all();
  return all.filter((head) => head.recordedAt <= asOf && head.definitions.some((one) => one.name === name));
}

/** The moment that all projects of a line were closed as of; null where one is not, or at another moment. */
function closedAsOf(line: UsageLine, { query }: UsageQuestion, heads: readonly StatementHead[]): Micros | null {
  const ofGroup = line.group['project_id'];
  const projects = ofGroup === undefined ? query.filter.get('project_id') : [ofGroup];
  if (projects === undefined || projects.length === 0) return null;
  const moments = new Set(projects.map((project) => coveringMoment(line, project, heads)));
  const [only = null] = moments;
  return moments.size === 1 ? only : null;
}

/** Of several statements over one time the one closed first counts. */
function coveringMoment(line: UsageLine, project: string | null, heads: readonly StatementHead[]): Micros | null {
  const head = heads.find(
    ({ project_id, from, to }) =>
      project_id === project && parseTimestamp(from) <= line.from && line.to <= parseTimestamp(to),
  );
  return head === undefined ? null : parseTimestamp(head.as_of);
}

/** By line. Null where the question had no answer then: its definition was another. */
async function quantitiesAt(
  desk: UsageDesk,
  at: AskedUsage['at'],
  asOf: Micros,
): Promise<ReadonlyMap<string, string | null> | null> {
  try {
    const question = await at(asOf);
    const { lines } = await desk.answer(question, { asOf, settled: true });
    return new Map(lines.map((line) => [lineShape(line, question, asOf).id, line.quantity]));
  } catch (cause) {
    if (cause instanceof HttpError && cause.status === 400) return null;
    throw cause;
  }
}
