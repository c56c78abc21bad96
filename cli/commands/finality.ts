import type { Command } from 'commander';
import { ApiClient } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, print, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { periodPairs, withPeriod } from '../period.ts';
import type { PeriodFlags } from '../period.ts';
import { given } from '../question.ts';
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
  )
    .argument('<project_id>', 'whose figures')
    .action(async (project: string, flags: ClientFlags & FormatFlag & PeriodFlags) => {
      const query = [...periodPairs(flags), ...given({ project_id: project })];
      const answer = await new ApiClient(flags).get<Finality>('/v1/finality', query);
      if (flags.format === 'json') print(`${JSON.stringify(answer, null, 2)}\n`);
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
  const { project_id, from, to, state, statements, watermark, open, expected_close: close, last_arrival } = answer;
  const time = (at: string): string => localText(at, tz);
  const ids = statements.map(({ statement_id: id }) => id).join(', ');
  const lines = [
    `Project ${project_id}, ${time(from)} to ${time(to)}: ${STATES[state]}${ids === '' ? '' : `, statement ${ids}`}.`,
    watermark === null ? 'No agent has reported all of it.' : `Every agent has reported up to ${time(watermark)}.`,
    ...(close === null ? [] : [`It is closed at ${time(close)}.`]),
    `What was measured in it is taken until ${time(last_arrival)}.`,
  ];
  const awaited = open.length === 0 ? '' : `\n${formatRows(open, openColumns(time), 'table')}`;
  return `${lines.join('\n')}\n${awaited}\n${momentText(answer, tz)}`;
}
