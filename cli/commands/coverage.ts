import { Option } from 'commander';
import type { Command } from 'commander';
import { ApiClient, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, jsonText, print, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { periodPairs, withPeriod } from '../period.ts';
import type { PeriodFlags } from '../period.ts';
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
      if (flags.format === 'json') print(jsonText(answer));
      else print(flags.format === 'csv' ? csvText(answer, by) : tableText(answer, flags));
    });
}

type Name = 'agent_id' | 'source' | 'meter' | 'resource_id' | 'state';

/** What a row is of. */
const NAMES: Readonly<Record<string, readonly Name[]>> = {
  agent: ['agent_id', 'state'],
  source: ['agent_id', 'source'],
  meter: ['meter'],
  resource: ['meter', 'resource_id', 'source'],
};

/** Each gap a row; what has none has one without. */
function csvText({ coverage }: Coverage, by: string): string {
  const rows = coverage.flatMap((row) => (row.gaps.length === 0 ? [{ row }] : row.gaps.map((gap) => ({ row, gap }))));
  const columns: Column<{ readonly row: Row; readonly gap?: Gap }>[] = [
    ...(NAMES[by] ?? []).map((name) => ({ title: name, value: ({ row }: { readonly row: Row }) => row[name] })),
    { title: 'coverage', value: ({ row }) => row.coverage },
    { title: 'basis', value: ({ row }) => row.basis },
    { title: 'gap_from', value: ({ gap }) => gap?.from },
    { title: 'gap_to', value: ({ gap }) => gap?.to },
    { title: 'gap_reason', value: ({ gap }) => gap?.reason },
  ];
  return formatRows(rows, columns, 'csv');
}

function columns(by: string): Column<Row>[] {
  return [
    ...(NAMES[by] ?? []).map((name) => ({ title: name, value: (row: Row) => row[name] })),
    { title: 'coverage', value: ({ coverage }) => percent(coverage), align: 'right' },
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
  const none = coverage.length === 0 ? 'Nothing is known of it in this period.\n' : 'No gaps.\n';
  const listed = gaps.length === 0 ? none : formatRows(gaps, rows, 'table');
  return `${formatRows(coverage, columns(by), 'table')}\n${listed}\n${momentText(answer, tz)}`;
}

function nameOf(row: Row, by: string): string {
  const names = (NAMES[by] ?? []).filter((name) => name !== 'state');
  return names.map((name) => row[name] ?? '').join(' ');
}
