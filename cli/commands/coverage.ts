import { Option } from 'commander';
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
import { localText, momentText, percent } from '../words.ts';

interface Gap {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

interface Row {
  readonly agent_id?: string | null;
  readonly source?: string;
  readonly meter?: string;
  readonly resource_id?: string | null;
  readonly state?: string;
  readonly coverage: string | null;
  readonly basis: string;
  readonly gaps: readonly Gap[];
}

interface Coverage {
  readonly coverage: readonly Row[];
  readonly as_of: string;
  readonly settled: boolean;
}

interface CoverageFlags extends ClientFlags, FormatFlag, PeriodFlags {
  readonly by: string;
  readonly agent?: string;
  readonly meter?: string;
  readonly project?: string;
  readonly resource?: string;
}

const BY = ['agent', 'source', 'meter', 'resource'];

/** `coverage`: what was measured and what was not, with the reason of each gap. */
export function addCoverage(program: Command): void {
  withPeriod(
    withFormat(asClient(program.command('coverage').description('what was measured and what was not, and why'))),
  )
    .addOption(new Option('--by <what>', 'one row each').choices(BY).default('agent'))
    .option('--agent <agent_id>', 'only of this agent')
    .option('-m, --meter <name>', 'only of this meter, of `meter` and `resource`')
    .option('--project <project_id>', 'only what is of this project')
    .option('--resource <resource_id>', 'only of this resource')
    .action(async (flags: CoverageFlags) => {
      const { by, agent, meter, project, resource } = flags;
      const chosen = given({ by, agent_id: agent, meter, project_id: project, resource_id: resource });
      const client = new ApiClient(flags);
      const answer = await client.get<Coverage>('/v1/coverage', [...periodPairs(flags), ...chosen]);
      print(
        flags.format === 'table' ? tableText(answer, flags) : formatRows(answer.coverage, columns(by), flags.format),
      );
    });
}

type Name = 'agent_id' | 'source' | 'meter' | 'resource_id' | 'state';

/** What a row is of. */
const NAMES: Readonly<Record<string, readonly Name[]>> = {
  agent: ['agent_id', 'state'],
  source: ['agent_id', 'source'],
  meter: ['meter', 'source'],
  resource: ['meter', 'resource_id', 'source'],
};

function columns(by: string, share: (coverage: string | null) => string | null = (text) => text): Column<Row>[] {
  const names = (NAMES[by] ?? []).map((name) => ({ title: name, value: (row: Row) => row[name] ?? '' }));
  return [
    ...names,
    { title: 'coverage', value: ({ coverage }) => share(coverage), align: 'right' },
    { title: 'known by', value: ({ basis }) => basis },
    { title: 'gaps', value: ({ gaps }) => gaps.length, align: 'right' },
  ];
}

function tableText(answer: Coverage, { by, tz }: CoverageFlags): string {
  const { coverage } = answer;
  const gaps = coverage.flatMap((row) => row.gaps.map((gap) => ({ ...gap, of: nameOf(row, by) })));
  const rows: Column<(typeof gaps)[number]>[] = [
    { title: 'gap from', value: (gap) => localText(gap.from, tz) },
    { title: 'to', value: (gap) => localText(gap.to, tz) },
    { title: 'reason', value: ({ reason }) => reason },
    { title: by, value: ({ of }) => of },
  ];
  const listed = gaps.length === 0 ? 'No gaps.\n' : formatRows(gaps, rows, 'table');
  return `${formatRows(coverage, columns(by, percent), 'table')}\n${listed}\n${momentText(answer, tz)}`;
}

function nameOf(row: Row, by: string): string {
  const names = (NAMES[by] ?? []).filter((name) => name !== 'state');
  return names.map((name) => row[name] ?? '').join(' ');
}
