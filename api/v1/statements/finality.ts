import { compareText, expectedAgents, formatInstant, parseTimestamp } from '@nephometer/core';
import type { AgentCycle, LostSpan, Micros, Store } from '@nephometer/core';
import { identityOf } from '../../auth.ts';
import type { ApiOptions, Handler } from '../../context.ts';
import { badRequest, httpError } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { readFields } from '../usage/ask.ts';
import { deskOf } from '../usage/desk.ts';
import { momentOf } from '../usage/question.ts';
import type { StatementHead } from './book.ts';
import { statementsOf } from './close.ts';
import { FinalityQuery } from './schemas.ts';

/** What may still change figures of the period. Half-open. */
interface Open {
  readonly reason: string;
  readonly from: Micros;
  readonly to: Micros;
  readonly agentId: string | null;
}

interface AgentMark {
  readonly agentId: string;
  /** Up to here all it measured is recorded; null where nothing of it is. */
  readonly watermark: Micros | null;
  readonly lastTick: Micros | null;
  /** Up to here it was heard, holes or not. */
  readonly reached: Micros | null;
}

/** GET /v1/finality: is January final for this project, and if not, what is awaited. */
export function showFinality(options: ApiOptions): Handler {
  const { config, store } = options;
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, FinalityQuery, config.api.max_body);
    const { tz, project_id: project } = asked;
    const { role, projects } = identityOf(ctx);
    if (role !== 'admin' && !(projects ?? []).includes(project)) {
      throw httpError('MTR_FORBIDDEN', `This token may not see project ${project}.`);
    }
    const period = { from: momentOf('from', asked.from, tz), to: momentOf('to', asked.to, tz) };
    if (period.from >= period.to) throw badRequest('to: lies before from; a later moment would be right.');
    const { asOf, settled } = desk.moment(asked.as_of, tz);
    const { cycles, lost } = await desk.ledger.tried(period.from, period.to, asOf);
    const listed = expectedAgents(await desk.inventory.lists(asOf), period.from, Math.min(period.to, asOf));
    const reported = { from: period.from, to: Math.min(period.to, asOf) };
    const agents = marksOf(cycles, lost, reported, [...config.expected_agents, ...listed.keys()]);
    const conflicts = await conflictsOf(store, project, period, asOf);
    const open = opensOf(agents, lost, conflicts, period, asOf);
    const heads = await overlapping(options, project, period, asOf);
    const isClosed = heads.some((head) => covers(head, period));
    const marks = agents.map(({ watermark }) => watermark);
    const lowest = marks.length === 0 || marks.includes(null) ? null : Math.min(...marks.map((mark) => mark ?? 0));
    const expected = isClosed ? null : (options.expectedClose?.(project, period.from, period.to) ?? null);
    const frame = {
      project_id: project,
      from: formatInstant(period.from),
      to: formatInstant(period.to),
      as_of: formatInstant(asOf),
      settled,
      state: isClosed ? 'closed' : open.length === 0 ? 'ready' : 'open',
      statements: heads.map(headText),
      watermark: instantOrNull(lowest),
      ...(role === 'admin' ? { agents: agents.map(agentText) } : {}),
      open: open.map((one) => openText(one, role === 'admin')),
      expected_close: instantOrNull(expected),
      last_arrival: formatInstant(period.to + config.signing.clock_behind),
    };
    sendJson(ctx, JSON.stringify(frame));
  };
}

interface Span {
  readonly from: Micros;
  readonly to: Micros;
}

function marksOf(
  cycles: readonly AgentCycle[],
  lost: readonly LostSpan[],
  /** Up to now at most: what is to come has not been reported. */
  { from, to }: Span,
  expected: readonly string[],
): AgentMark[] {
  const ids = [...new Set([...expected, ...cycles.map(({ agentId }) => agentId)])].sort(compareText);
  return ids.map((agentId) => {
    let [last, reach] = [-Infinity, -Infinity];
    for (const cycle of cycles) {
      if (cycle.agentId !== agentId) continue;
      const { scheduled, interval } = cycle.report;
      last = Math.max(last, scheduled);
      reach = Math.max(reach, scheduled + (interval ?? 0));
    }
    if (last === -Infinity) return { agentId, watermark: null, lastTick: null, reached: null };
    const holes = lost.filter((span) => span.reason === 'not-yet-arrived' && span.agentId === agentId);
    const first = Math.min(...holes.map((span) => span.from), Infinity);
    const reached = Math.max(from, Math.min(reach, to));
    return { agentId, watermark: Math.max(from, Math.min(reached, first)), lastTick: last, reached };
  });
}

function opensOf(
  agents: readonly AgentMark[],
  lost: readonly LostSpan[],
  conflicts: readonly Span[],
  { from, to }: Span,
  asOf: Micros,
): Open[] {
  const open: Open[] = [];
  const add = (reason: string, span: Span, agentId: string | null): void => {
    const [start, end] = [Math.max(span.from, from), Math.min(span.to, to)];
    if (start < end) open.push({ reason, from: start, to: end, agentId });
  };
  add('period-open', { from: Math.max(from, asOf), to }, null);
  const now = Math.min(to, asOf);
  for (const { agentId, reached } of agents) {
    if (reached === null) add('agent-silent', { from, to: now }, agentId);
    else add('not-yet-arrived', { from: reached, to: now }, agentId);
  }
  for (const span of lost) add(span.reason, { from: span.from, to: Math.max(span.to, span.from + 1) }, span.agentId);
  for (const span of conflicts) add('conflict', span, null);
  return open.sort(
    (a, b) => a.from - b.from || compareText(a.reason, b.reason) || compareText(a.agentId ?? '', b.agentId ?? ''),
  );
}

async function conflictsOf(store: Store, project: string, { from, to }: Span, asOf: Micros): Promise<Span[]> {
  const spans: Span[] = [];
  for await (const { timestamp } of store.conflicts({
    projectIds: [project],
    to: { at: to, inclusive: false },
    asOf,
  })) {
    if (timestamp >= from) spans.push({ from: timestamp, to: timestamp + 1 });
  }
  return spans;
}

async function overlapping(
  options: ApiOptions,
  project: string,
  { from, to }: Span,
  asOf: Micros,
): Promise<StatementHead[]> {
  const heads = await statementsOf(options).book.all();
  return heads.filter(
    (head) =>
      head.project_id === project &&
      head.recordedAt <= asOf &&
      parseTimestamp(head.from) < to &&
      parseTimestamp(head.to) > from,
  );
}

function covers(head: StatementHead, { from, to }: Span): boolean {
  return parseTimestamp(head.from) <= from && to <= parseTimestamp(head.to);
}

function headText({ id, from, to, as_of, recordedAt }: StatementHead): Record<string, unknown> {
  return { statement_id: id, from, to, as_of, recorded_at: formatInstant(recordedAt) };
}

function agentText({ agentId, watermark, lastTick }: AgentMark): Record<string, unknown> {
  return { agent_id: agentId, watermark: instantOrNull(watermark), last_tick: instantOrNull(lastTick) };
}

/** Which agent it is, is for admins to see. */
function openText({ reason, from, to, agentId }: Open, showsAgent: boolean): Record<string, unknown> {
  const who = showsAgent && agentId !== null ? { agent_id: agentId } : {};
  return { reason, from: formatInstant(from), to: formatInstant(to), ...who };
}

function instantOrNull(at: Micros | null): string | null {
  return at === null ? null : formatInstant(at);
}
