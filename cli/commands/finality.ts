import type { Command } from 'commander';
import { ApiClient, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, jsonText, print, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { periodPairs, withPeriod } from '../period.ts';
import type { PeriodFlags } from '../period.ts';
import { localText, momentText } from '../words.ts';

interface Open {
  readonly reason: string;
  readonly from: string;
  readonly to: string;
  readonly agent_id?: string;
}

interface Finality {
  readonly project_id: string;
  readonly from: string;
  readonly to: string;
  readonly as_of: string;
  readonly settled: boolean;
  readonly state: 'open' | 'ready' | 'closed';
  readonly statements: readonly { readonly statement_id: string }[];
  readonly watermark: string | null;
  /** For admins. */
  readonly agents?: readonly { readonly agent_id: string; readonly watermark: string | null }[];
  readonly open: readonly Open[];
  readonly expected_close: string | null;
  readonly last_arrival: string;
}

const STATES = {
  open: 'open: something may still arrive or be decided',
  ready: 'ready: nothing is awaited',
  closed: 'closed',
} as const;

/** `finality PROJECT`: whether a period is final, and what is awaited. */
export function addFinality(program: Command): void {
  withPeriod(
    withFormat(asClient(program.command('finality').description('whether a period is final, and what is awaited'))),
    null,
  )
    .argument('<project_id>', 'whose figures')
    .action(async (project: string, flags: ClientFlags & FormatFlag & PeriodFlags) => {
      const query = [...periodPairs(flags), ...given({ project_id: project })];
      const answer = await new ApiClient(flags).get<Finality>('/v1/finality', query);
      if (flags.format === 'json') print(jsonText(answer));
      else if (flags.format === 'csv') print(formatRows(answer.open, openColumns(), 'csv'));
      else print(tableText(answer, flags.tz));
    });
}

function openColumns(time: (at: string) => string = (at) => at): Column<Open>[] {
  return [
    { title: 'awaited', value: ({ reason }) => reason },
    { title: 'from', value: ({ from }) => time(from) },
    { title: 'to', value: ({ to }) => time(to) },
    { title: 'agent', value: (row) => row.agent_id },
  ];
}

function tableText(answer: Finality, tz: string): string {
  const { project_id, from, to, state, statements, open, expected_close: close, last_arrival } = answer;
  const time = (at: string): string => localText(at, tz);
  const ids = statements.map(({ statement_id: id }) => id).join(', ');
  const lines = [
    `Project ${project_id}, ${time(from)} to ${time(to)}: ${STATES[state]}${ids === '' ? '' : `, statement ${ids}`}.`,
    reportedText(answer, time),
    ...(close === null ? [] : [`It is closed at ${time(close)}.`]),
    `What was measured in it is taken until ${time(last_arrival)}.`,
  ];
  const awaited = open.length === 0 ? '' : `\n${formatRows(open, openColumns(time), 'table')}`;
  return `${lines.join('\n')}\n${awaited}\n${momentText(answer, tz)}`;
}

function reportedText({ watermark, agents }: Finality, time: (at: string) => string): string {
  if (watermark !== null) return `Every agent has reported up to ${time(watermark)}.`;
  if (agents?.length === 0) return 'No agent is known to report.';
  const each = (agents ?? []).map(
    ({ agent_id: id, watermark: mark }) => `${id} ${mark === null ? 'nothing' : `up to ${time(mark)}`}`,
  );
  return `Not every agent has reported${each.length === 0 ? '' : `: ${each.join(', ')}`}.`;
}
