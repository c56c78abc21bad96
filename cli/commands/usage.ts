import type { Command } from 'commander';
import { ApiClient } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { allPages } from '../pages.ts';
import { figurePairs, given, withFigure } from '../question.ts';
import type { FigureFlags } from '../question.ts';
import { warningLines } from '../warnings.ts';
import type { Warning } from '../warnings.ts';
import { localText, percent, UNKNOWN } from '../words.ts';

interface UsageFlags extends ClientFlags, FormatFlag, FigureFlags {
  readonly projection?: boolean;
  readonly projectTo?: string;
  readonly gaps?: boolean;
  readonly evidence?: boolean;
  readonly limit?: number;
}

interface Gap {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly resource_id: string;
}

interface Line {
  readonly from: string;
  readonly to: string;
  readonly group: Readonly<Record<string, string | null>>;
  readonly quantity: string | null;
  readonly unit: string | null;
  readonly lower: string | null;
  readonly upper: string | null;
  readonly estimated: string | null;
  readonly coverage: string | null;
  readonly resets: number;
  readonly samples: number;
  readonly revision: string | null;
  readonly finality: string;
  readonly gaps?: readonly Gap[];
  readonly projected?: { readonly to: string; readonly quantity: string } | null;
  readonly evidence?: string;
}

interface Usage {
  readonly lines: readonly Line[];
  readonly next: string | null;
  readonly as_of: string;
  readonly settled: boolean;
  readonly definition: { readonly name: string | null; readonly hash: string };
  readonly tz: string;
  readonly tzdata: string;
  readonly warnings: readonly Warning[];
}

/** `usage METER|DEFINITION`: what was used, as a table that a person can read. */
export function addUsage(program: Command): void {
  const usage = withFormat(asClient(program.command('usage').description('what was used in a period, with its gaps')));
  withFigure(usage, 'now')
    .option('--projection', 'what it comes to at the end of the window, did it go on as so far, too')
    .option('--project-to <when>', 'up to when, of --projection')
    .option('--gaps', 'list the gaps with their reasons')
    .option('--evidence', 'where the samples of each line are listed: see `evidence`')
    .option('--limit <lines>', 'most lines', wholeNumber)
    .action(async (name: string, flags: UsageFlags) => {
      const client = new ApiClient(flags);
      const query = [...(await figurePairs(client, name, flags)), ...morePairs(flags)];
      const { page, rows } = await allPages(client, '/v1/usage', query, ({ lines }: Usage) => lines, flags.limit);
      const usage = { ...page, lines: rows };
      print(flags.format === 'table' ? tableText(usage, flags) : formatRows(rows, columns(flags, plain), flags.format));
    });
}

function morePairs({ projection, projectTo, gaps, evidence }: UsageFlags): QueryPairs {
  const yes = (flag: boolean | undefined): string | undefined => (flag === true ? 'true' : undefined);
  return given({
    projection: projection === true || projectTo !== undefined ? 'linear' : undefined,
    project_to: projectTo,
    gaps: yes(gaps),
    evidence: yes(evidence),
  });
}

interface Spelling {
  readonly time: (at: string) => string;
  readonly quantity: (line: Line) => string | null;
  readonly bound: (line: Line, bound: string | null) => string | null;
  readonly share: (coverage: string | null) => string | null;
  readonly group: (value: string | null | undefined) => string | null | undefined;
}

/** As the API says it: for programs. */
const plain: Spelling = {
  time: (at) => at,
  quantity: ({ quantity }) => quantity,
  bound: (_line, bound) => bound,
  share: (coverage) => coverage,
  group: (value) => value,
};

function columns(flags: UsageFlags, { time, quantity, bound, share, group }: Spelling): Column<Line>[] {
  const groups = groupNames(flags);
  return [
    { title: 'from', value: (line) => time(line.from) },
    { title: 'to', value: (line) => time(line.to) },
    ...groups.map((field) => ({ title: field, value: (line: Line) => group(line.group[field]) })),
    { title: 'quantity', value: quantity, align: 'right' },
    { title: 'unit', value: ({ unit }) => unit },
    { title: 'coverage', value: ({ coverage }) => share(coverage), align: 'right' },
    { title: 'lower', value: (line) => bound(line, line.lower), align: 'right' },
    { title: 'upper', value: (line) => bound(line, line.upper), align: 'right' },
    ...(flags.estimate === true
      ? [{ title: 'estimated', value: ({ estimated }: Line) => estimated, align: 'right' as const }]
      : []),
    ...(flags.projection === true || flags.projectTo !== undefined
      ? [{ title: 'projected', value: ({ projected }: Line) => projected?.quantity, align: 'right' as const }]
      : []),
    { title: 'resets', value: ({ resets }) => resets, align: 'right' },
    { title: 'samples', value: ({ samples }) => samples, align: 'right' },
    { title: 'finality', value: ({ finality }) => finality },
    ...(flags.evidence === true ? [{ title: 'evidence', value: ({ evidence }: Line) => evidence, isWhole: true }] : []),
  ];
}

function groupNames({ groupBy = [] }: UsageFlags): string[] {
  return groupBy.flatMap((fields) => fields.split(',')).filter((field) => field !== '');
}

const PARTLY = '~';
const NO_BOUND = 'no bound';

function tableText(usage: Usage, flags: UsageFlags): string {
  const { lines, tz } = usage;
  const time = (at: string): string => localText(at, tz);
  const spelling: Spelling = {
    time,
    quantity: markedQuantity,
    bound: ({ quantity }, bound) => bound ?? (quantity === null ? UNKNOWN : NO_BOUND),
    share: percent,
    group: (value: string | null | undefined) => value ?? '(not known)',
  };
  const asked = groupNames(flags);
  const named = asked.length > 0 ? asked : Object.keys(lines[0]?.group ?? {});
  const table = formatRows(lines, columns({ ...flags, groupBy: named }, spelling), 'table');
  return `${table}\n${gapTable(lines, time, flags)}${legend(lines)}${warningLines(usage.warnings)}${footer(usage)}`;
}

/** `~` in front: measured in part. */
function markedQuantity({ quantity, coverage }: Line): string {
  if (quantity === null) return UNKNOWN;
  return coverage === '1' ? quantity : `${PARTLY} ${quantity}`;
}

function gapTable(lines: readonly Line[], time: (at: string) => string, { gaps }: UsageFlags): string {
  if (gaps !== true) return '';
  const all = lines.flatMap((line) => line.gaps ?? []);
  if (all.length === 0) return 'No gaps.\n\n';
  const rows: Column<Gap>[] = [
    { title: 'gap from', value: (gap) => time(gap.from) },
    { title: 'to', value: (gap) => time(gap.to) },
    { title: 'reason', value: ({ reason }) => reason },
    { title: 'resource', value: ({ resource_id: id }) => id },
  ];
  return `${formatRows(all, rows, 'table')}\n`;
}

function legend(lines: readonly Line[]): string {
  if (lines.length === 0) return 'Nothing was there to be measured: no usage, and no gap.\n';
  const isPart = lines.some(({ quantity, coverage }) => quantity !== null && coverage !== '1');
  const isUnknown = lines.some(({ quantity, coverage }) => quantity === null || coverage === null);
  return (
    (isPart
      ? `${PARTLY} measured in part: the true figure lies between lower and upper; --gaps says what is missing\n`
      : '') + (isUnknown ? `${UNKNOWN} not known: not the same as zero\n` : '')
  );
}

function footer({ as_of: asOf, settled, tz, tzdata, definition }: Usage): string {
  const name = definition.name === null ? '' : `${definition.name} ${definition.hash.slice(0, 12)}, `;
  return `${name}as of ${asOf}${settled ? '' : ' (not settled yet)'}, times of ${tz} (tzdata ${tzdata})\n`;
}
