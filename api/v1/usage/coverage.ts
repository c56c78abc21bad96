import { compareText, expectedAgents, formatInstant, LOOKBACK, usageQuery } from '@nephometer/core';
import type { AgentCycle, Expected, Identity, Micros, UsageGap } from '@nephometer/core';
import { identityOf } from '../../auth.ts';
import type { ApiOptions, Handler } from '../../context.ts';
import { badRequest, httpError } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { readFields } from './ask.ts';
import { deskOf } from './desk.ts';
import type { Moment, UsageDesk } from './desk.ts';
import { momentOf, questionOf } from './question.ts';
import { CoverageFields } from './fields.ts';
import { shareOf, watchOf } from './agent-coverage.ts';

type CoverageFields = ReturnType<typeof CoverageFields.parse>;
type Rows = Record<string, unknown>[];

/** GET /v1/coverage: what was measured, what was not, and why. */
export function showCoverage(options: ApiOptions): Handler {
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, CoverageFields, options.config.api.max_body);
    const moment = desk.moment(asked.as_of, asked.tz);
    const from = momentOf('from', asked.from, asked.tz);
    const to = asked.to === undefined ? moment.asOf : momentOf('to', asked.to, asked.tz);
    if (from >= to) throw badRequest('to: lies before from; a later moment would be right.');
    checkChoice(asked);
    const identity = identityOf(ctx);
    const ofAgents = asked.by === 'agent' || asked.by === 'source';
    if (ofAgents && identity.role !== 'admin')
      throw httpError('MTR_FORBIDDEN', 'Agents are for admins to see; by=meter or by=resource would be right.');
    const coverage = ofAgents
      ? await agentRows(desk, asked, from, to, moment.asOf)
      : await meterRows(options, desk, asked, identity, moment);
    const times = { from: formatInstant(from), to: formatInstant(to), as_of: formatInstant(moment.asOf) };
    sendJson(ctx, JSON.stringify({ by: asked.by, ...times, settled: moment.settled, coverage }));
  };
}

/** What does not choose among the rows asked for would be ignored. */
function checkChoice({ by, agent_id, meter, project_id, resource_id }: CoverageFields): void {
  const [other, ...named] =
    by === 'agent' || by === 'source'
      ? (['by=meter or by=resource', { meter }, { project_id }, { resource_id }] as const)
      : (['by=agent or by=source', { agent_id }] as const);
  for (const [name, value] of named.flatMap((field) => Object.entries(field))) {
    if (value !== undefined) throw badRequest(`${name}: only means something with ${other}; by is ${by}.`);
  }
}

async function agentRows(
  desk: UsageDesk,
  { by, agent_id: wanted }: CoverageFields,
  from: Micros,
  to: Micros,
  asOf: Micros,
): Promise<Rows> {
  const { cycles, lost } = await desk.ledger.tried(from - LOOKBACK, to, asOf);
  const expected = expectedAgents(await desk.inventory.lists(asOf), from, to);
  const seen = cycles.map(({ agentId }) => agentId);
  const ids = [...new Set([...expected.keys(), ...seen])].filter((id) => id === (wanted ?? id)).sort(compareText);
  return ids.flatMap((agentId): Rows => {
    const span = expected.get(agentId);
    const own = cycles.filter((cycle) => cycle.agentId === agentId);
    const about = { agent_id: agentId, expected: span !== undefined };
    if (own.length === 0) {
      const gaps = [gapShape({ from: span?.from ?? from, to: span?.to ?? to, reason: 'agent-silent' })];
      return [{ ...about, state: 'never-seen', coverage: '0', basis: 'cycles', gaps }];
    }
    const sources = [...new Set(own.map(({ report }) => report.source))].sort(compareText);
    const parts = sources.map((source) => {
      const ticks = own.filter(({ report }) => report.source === source);
      return {
        source,
        watch: watchOf(
          ticks,
          lost.filter((span) => span.agentId === agentId),
          { from, to: untilOf(span, ticks, to), asOf, expectedFrom: span?.from ?? null },
        ),
      };
    });
    if (by === 'source') {
      return parts.map(({ source, watch }) => ({ ...about, source, state: 'measured', ...rowOf([watch]) }));
    }
    return [{ ...about, state: 'measured', ...rowOf(parts.map(({ watch }) => watch)) }];
  });
}

/** An agent that a later list does not name any more need not be heard after its last tick. */
function untilOf(span: Expected | undefined, ticks: readonly AgentCycle[], to: Micros): Micros {
  if (span === undefined || span.to >= to) return to;
  return Math.min(to, Math.max(span.to, ...ticks.map(({ report }) => report.scheduled)));
}

function rowOf(watches: readonly ReturnType<typeof watchOf>[]): Record<string, unknown> {
  const gaps = new Map(watches.flatMap((watch) => watch.gaps).map((gap) => [JSON.stringify(gap), gap]));
  const inOrder = [...gaps.values()].sort((a, b) => a.from - b.from || a.to - b.to || compareText(a.reason, b.reason));
  return { coverage: shareOf(watches), basis: 'cycles', gaps: inOrder.map(gapShape) };
}

function gapShape({ from, to, reason }: UsageGap): Record<string, unknown> {
  return { from: formatInstant(from), to: formatInstant(to), reason };
}

/** The time in which resources existed, of one meter or every one. */
async function meterRows(
  { store }: ApiOptions,
  desk: UsageDesk,
  asked: CoverageFields,
  identity: Identity,
  moment: Moment,
): Promise<Rows> {
  const { by, from, to, tz, meter: only, project_id, resource_id } = asked;
  const meters =
    only === undefined ? [...new Set((await store.meters({})).map(({ meter }) => meter))].sort(compareText) : [only];
  const rows: Rows = [];
  for (const meter of meters) {
    const spelled = { meter, kind: 'duration', from, to, tz, window: 'none', gaps: true, evidence: false } as const;
    const filters = {
      ...(project_id === undefined ? {} : { project_id }),
      ...(resource_id === undefined ? {} : { resource_id }),
    };
    const group_by = by === 'resource' ? (['resource_id', 'source'] as const) : [];
    const fields = { ...spelled, ...filters, group_by: [...group_by] };
    const question = questionOf(fields, null, identity, moment.asOf);
    const { lines } = await desk.answer({ ...question, query: usageQuery(question.query) }, moment);
    for (const { group, coverage, basis, gaps } of lines) {
      const one = by === 'resource' ? { resource_id: group['resource_id'] ?? null, source: group['source'] ?? '' } : {};
      rows.push({ meter, ...one, coverage, basis, gaps: gaps.map(gapShape) });
    }
  }
  return rows;
}
