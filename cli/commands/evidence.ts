import type { Command } from 'commander';
import { EXIT_CODES } from '@nephometer/core';
import { ApiClient, ApiError } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, jsonText, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { allPages } from '../pages.ts';

interface Sample {
  readonly message_id: string;
  readonly timestamp: string;
  readonly recorded_at: string;
  readonly counter_name: string;
  readonly counter_volume: string;
  readonly counter_unit: string | null;
  readonly resource_id: string;
  readonly agent_id: string | null;
  readonly key_id: string | null;
}

/** `evidence LINK`: the samples beneath a line of usage; `sample ID`: one of them, as it was signed, with its proof. */
export function addEvidence(program: Command): void {
  withFormat(asClient(program.command('evidence').description('the samples that a line of usage stands on')))
    .argument('<link>', 'evidence of the line, as `usage --evidence` shows it (in quotes: it holds `&`)')
    .option('--limit <rows>', 'most rows', wholeNumber)
    .action(async (link: string, flags: ClientFlags & FormatFlag & { limit?: number }) => {
      const samples = ({ samples: rows }: Page): readonly Sample[] => rows;
      const { rows } = await allPages(new ApiClient(flags), '/v1/samples', queryOf(link), samples, flags.limit);
      print(formatRows(rows, COLUMNS, flags.format));
    });

  asClient(program.command('sample').description('one sample as it was signed and received, with its proof'))
    .argument('<message_id>', 'id of the sample')
    .option('--raw', 'only the signed text, as it came')
    .action(async (id: string, flags: ClientFlags & { raw?: boolean }) => {
      const sample = await new ApiClient(flags).get<{ text: string }>(`/v1/samples/${encodeURIComponent(id)}`);
      print(flags.raw === true ? sample.text : jsonText(sample));
    });
}

interface Page {
  readonly samples: readonly Sample[];
  readonly next: string | null;
}

/** Pages are followed here: what the link says of them is left out. */
function queryOf(link: string): QueryPairs {
  const [path = '', query = ''] = link.split('?', 2);
  if (path !== '/v1/samples') {
    const right = '/v1/samples?meter=...&from=...&to=..., as `usage --evidence` shows it';
    throw new ApiError(`"${link}" is no evidence of a line; it looks like ${right}`, EXIT_CODES.usage.code);
  }
  return [...new URLSearchParams(query)].filter(([name]) => name !== 'limit' && name !== 'cursor');
}

const COLUMNS: readonly Column<Sample>[] = [
  { title: 'time (UTC)', value: ({ timestamp }) => timestamp },
  { title: 'meter', value: (row) => row.counter_name },
  { title: 'resource', value: (row) => row.resource_id },
  { title: 'volume', value: (row) => row.counter_volume, align: 'right' },
  { title: 'unit', value: (row) => row.counter_unit },
  { title: 'agent', value: (row) => row.agent_id },
  { title: 'key', value: (row) => row.key_id },
  { title: 'recorded (UTC)', value: (row) => row.recorded_at },
  { title: 'message id', value: (row) => row.message_id },
];
