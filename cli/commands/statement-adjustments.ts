import type { Command } from 'commander';
import { ApiClient, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, print, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { allPages } from '../pages.ts';
import { groupText, lineOf } from '../words.ts';

interface Line {
  readonly from: string;
  readonly to: string;
  readonly group: Readonly<Record<string, string | null>>;
  readonly quantity: string | null;
  readonly coverage: string | null;
}

interface Adjustment {
  readonly definition: string;
  readonly change: string;
  readonly causes: readonly string[];
  readonly unit: string | null;
  readonly difference: string | null;
  readonly before: Line | null;
  readonly after: Line | null;
}

interface Total {
  readonly definition: string;
  readonly unit: string | null;
  readonly lines: number;
  readonly difference: string | null;
}

interface Page {
  readonly project_id: string | null;
  readonly closed_as_of: string;
  readonly as_of: string;
  readonly settled: boolean;
  readonly adjustments: readonly Adjustment[];
  readonly totals: readonly Total[];
  readonly next: string | null;
}

/** `statement adjustments ID`: what a closed period would come to now, line by line, and why. */
export function addAdjustments(statement: Command): void {
  withFormat(
    asClient(statement.command('adjustments').description('what changed since a period was closed, and why')).argument(
      '<id>',
      'of the statement',
    ),
  )
    .option('--as-of <when>', 'as it was known at that moment; default: now')
    .action(async (id: string, flags: ClientFlags & FormatFlag & { asOf?: string }) => {
      const path = `/v1/statements/${encodeURIComponent(id)}/adjustments`;
      const query = given({ as_of: flags.asOf });
      const { page, rows } = await allPages(new ApiClient(flags), path, query, ({ adjustments }: Page) => adjustments);
      print(flags.format === 'table' ? tableText(page, rows) : formatRows(rows, COLUMNS, flags.format));
    });
}

const COLUMNS: readonly Column<Adjustment>[] = [
  { title: 'quantity of', value: ({ definition }) => definition },
  { title: 'from', value: (row) => lineOf(row)?.from },
  { title: 'to', value: (row) => lineOf(row)?.to },
  { title: 'group', value: (row) => groupText(lineOf(row)?.group ?? {}) },
  { title: 'frozen', value: ({ before }) => before?.quantity, align: 'right' },
  { title: 'now', value: ({ after }) => after?.quantity, align: 'right' },
  { title: 'difference', value: ({ difference }) => difference, align: 'right' },
  { title: 'unit', value: ({ unit }) => unit },
  { title: 'coverage', value: coverageText },
  { title: 'change', value: ({ change }) => change },
  { title: 'cause', value: ({ causes }) => causes.join(' ') },
];

/** A line whose quantity stayed may have changed in what is known of it. */
function coverageText({ before, after }: Adjustment): string {
  const [was, is] = [before?.coverage ?? '?', after?.coverage ?? '?'];
  return was === is ? is : `${was} to ${is}`;
}

function tableText({ project_id, closed_as_of, as_of, settled, totals }: Page, rows: readonly Adjustment[]): string {
  const whose = project_id === null ? 'What belongs to nobody known' : `Project ${project_id}`;
  const head = `${whose}: closed as of ${closed_as_of}, compared with what is known as of ${as_of}.\n\n`;
  const sums: Column<Total>[] = [
    { title: 'in all', value: ({ definition }) => definition },
    { title: 'lines', value: ({ lines }) => lines, align: 'right' },
    { title: 'difference', value: ({ difference }) => difference ?? 'not known', align: 'right' },
    { title: 'unit', value: ({ unit }) => unit },
  ];
  const all = totals.length === 0 ? '' : `\n${formatRows(totals, sums, 'table')}`;
  return `${head}${formatRows(rows, COLUMNS, 'table')}${all}${settled ? '' : '\nNot settled: the same moment may still answer otherwise.\n'}`;
}
