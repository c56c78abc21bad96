import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import { EXIT_CODES, messageOf } from '@nephometer/core';
import { ApiClient, ApiError, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, jsonText, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { allPages } from '../pages.ts';
import { periodPairs, withPeriod } from '../period.ts';
import type { PeriodFlags } from '../period.ts';
import { localText, momentText } from '../words.ts';

interface List {
  readonly name: string;
  readonly at: string;
  readonly recorded_at: string;
  readonly agents: readonly string[] | null;
  readonly resources: number | null;
  readonly meters: readonly string[];
  readonly complete: boolean;
  readonly who: string;
}

interface Finding {
  readonly finding: string;
  readonly meter: string | null;
  readonly resource_id: string;
  readonly project_id: string | null;
  readonly list: string | null;
  readonly agent_id: string | null;
  readonly times: number;
  readonly first: string;
  readonly last: string;
}

interface Findings {
  readonly findings: readonly Finding[];
  readonly next: string | null;
  readonly lists: number;
  readonly as_of: string;
  readonly settled: boolean;
}

interface FindingsFlags extends ClientFlags, FormatFlag, PeriodFlags {
  readonly list?: string;
  readonly meter?: string;
  readonly finding?: string;
  readonly project?: string;
}

const KINDS = ['never-sampled', 'not-sampled-then', 'never-answered', 'unknown-resource'];

/** `inventory add|list` of what must be there, `findings` of what is there and was not sampled, or the other way round. */
export function addInventory(program: Command): void {
  const inventory = program.command('inventory').description('lists of what is there, to compare with what is sampled');
  asClient(inventory.command('add').description('say what is there, or which agents must be heard'))
    .argument('<file>', 'JSON with name, at, resources and their meters, or agents; `-` reads it from stdin')
    .action(async (file: string, flags: ClientFlags) => {
      const added = await new ApiClient(flags).post('/v1/inventory', readText(file));
      print(jsonText(added));
    });
  withFormat(asClient(inventory.command('list').description('the lists, newest first')))
    .option('--name <name>', 'only lists of this name')
    .option('--limit <rows>', 'most rows', wholeNumber)
    .action(async (flags: ClientFlags & FormatFlag & { name?: string; limit?: number }) => {
      const query = given({ name: flags.name, limit: flags.limit?.toString() });
      const { lists } = await new ApiClient(flags).get<{ lists: readonly List[] }>('/v1/inventory', query);
      print(formatRows(lists, LIST_COLUMNS, flags.format));
    });

  withPeriod(
    withFormat(
      asClient(program.command('findings').description('resources without samples, and samples without resource')),
    ),
  )
    .addOption(new Option('--finding <kind>', 'only of this kind').choices(KINDS))
    .option('--list <name>', 'only what this list shows')
    .option('-m, --meter <name>', 'only of this meter')
    .option('--project <project_id>', 'only what is of this project')
    .action(async (flags: FindingsFlags) => {
      const { finding, list, meter, project } = flags;
      const query = [...periodPairs(flags), ...given({ finding, list, meter, project_id: project })];
      const { page, rows } = await allPages(
        new ApiClient(flags),
        '/v1/findings',
        query,
        ({ findings }: Findings) => findings,
      );
      if (flags.format === 'json') return print(jsonText({ ...page, findings: rows }));
      if (flags.format === 'csv') return print(formatRows(rows, findingColumns(), 'csv'));
      const table = formatRows(
        rows,
        findingColumns((at) => localText(at, flags.tz)),
        'table',
      );
      const none =
        page.lists === 0
          ? `No ${list === undefined ? 'list' : `list ${list}`} is of this period: see \`inventory add\`.\n`
          : '';
      print(`${table}\n${none}${momentText(page, flags.tz)}`);
    });
}

const LIST_COLUMNS: readonly Column<List>[] = [
  { title: 'list', value: ({ name }) => name },
  { title: 'of (UTC)', value: ({ at }) => at },
  { title: 'resources', value: ({ resources }) => resources, align: 'right' },
  { title: 'agents', value: ({ agents }) => agents?.length, align: 'right' },
  { title: 'meters', value: ({ meters }) => meters.join(' ') },
  { title: 'complete', value: ({ complete }) => (complete ? 'yes' : 'no') },
  { title: 'who', value: ({ who }) => who },
  { title: 'recorded (UTC)', value: (row) => row.recorded_at },
];

function findingColumns(time: (at: string) => string = (at) => at): Column<Finding>[] {
  return [
    { title: 'finding', value: ({ finding }) => finding },
    { title: 'resource', value: (row) => row.resource_id },
    { title: 'meter', value: ({ meter }) => meter },
    { title: 'project', value: (row) => row.project_id },
    { title: 'shown by', value: (row) => row.list ?? row.agent_id },
    { title: 'times', value: ({ times }) => times, align: 'right' },
    { title: 'first', value: ({ first }) => time(first) },
    { title: 'last', value: ({ last }) => time(last) },
  ];
}

/** As it is: the server says what is wrong in it. */
function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    throw new ApiError(`Cannot read ${file}: ${messageOf(cause)}`, EXIT_CODES.usage.code);
  }
}
