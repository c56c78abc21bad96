import type { Command } from 'commander';
import { ApiClient, given } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, jsonText, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { allPages } from '../pages.ts';
import { figurePairs, withFigure } from '../question.ts';
import type { FigureFlags } from '../question.ts';
import { warningLines } from '../warnings.ts';
import type { Warning } from '../warnings.ts';
import { groupColumns, knownOr, localText, momentText, percent, UNKNOWN } from '../words.ts';

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
  readonly id: string;
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
  readonly skipped: readonly {
    readonly reason: string;
    readonly type: string;
    readonly unit: string | null;
    readonly series: number;
  }[];
  readonly warnings: readonly Warning[];
}

/** `usage METER|DEFINITION`: what was used, as a table that a person can read. */
export function addUsage(program: Command): void {
  const usage = withFormat(asClient(program.command('usage').description('what was used in a period, with its gaps')));
  withFigure(usage, { from: 'this month', asOf: 'now' })
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
      if (flags.format === 'json') print(jsonText(usage));
      else if (flags.format === 'csv') print(formatRows(rows, csvColumns(rows, flags), 'csv'));
      else print(tableText(usage, flags));
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

/** With what a biller joins on. */
function csvColumns(rows: readonly Line[], flags: UsageFlags): Column<Line>[] {
  return [
    ...columns(rows, flags, plain),
    { title: 'revision', value: ({ revision }) => revision },
    { title: 'id', value: ({ id }) => id },
  ];
}

function columns(rows: readonly Line[], flags: UsageFlags, spelling: Spelling): Column<Line>[] {
  const { time, quantity, bound, share, group } = spelling;
  const { estimate, projection, projectTo, evidence } = flags;
  const projected: Column<Line>[] = [
    { title: 'projected', value: (line) => line.projected?.quantity, align: 'right' },
    { title: 'up to', value: (line) => (line.projected ? time(line.projected.to) : null) },
  ];
  return [
    { title: 'from', value: (line) => time(line.from) },
    { title: 'to', value: (line) => time(line.to) },
    ...groupColumns(rows, (line) => line.group, group),
    { title: 'quantity', value: quantity, align: 'right' },
    { title: 'unit', value: ({ unit }) => unit },
    { title: 'coverage', value: ({ coverage }) => share(coverage), align: 'right' },
    { title: 'lower', value: (line) => bound(line, line.lower), align: 'right' },
    { title: 'upper', value: (line) => bound(line, line.upper), align: 'right' },
    ...(estimate === true
      ? [{ title: 'estimated', value: (line: Line) => line.estimated, align: 'right' as const }]
      : []),
    ...(projection === true || projectTo !== undefined ? projected : []),
    { title: 'resets', value: ({ resets }) => resets, align: 'right' },
    { title: 'samples', value: ({ samples }) => samples, align: 'right' },
    { title: 'finality', value: ({ finality }) => finality },
    ...(evidence === true ? [{ title: 'evidence', value: (line: Line) => line.evidence, isWhole: true }] : []),
  ];
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
    group: knownOr,
  };
  const table = formatRows(lines, columns(lines, flags, spelling), 'table');
  const more = usage.next === null ? '' : 'There are more lines; --limit kept them back.\n';
  const said = `${legend(usage)}${more}${skippedLines(usage)}${warningLines(usage.warnings)}`;
  return `${table}\n${gapTable(lines, time, flags)}${said}${footer(usage)}`;
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

function legend({ lines, skipped }: Usage): string {
  if (lines.length === 0 && skipped.length > 0) return '';
  if (lines.length === 0) return 'Nothing was there to be measured: no usage, and no gap.\n';
  const isPart = lines.some(({ quantity, coverage }) => quantity !== null && coverage !== '1');
  const isUnknown = lines.some(({ quantity, coverage }) => quantity === null || coverage === null);
  return (
    (isPart
      ? `${PARTLY} measured in part: the true figure lies between lower and upper; --gaps says what is missing\n`
      : '') + (isUnknown ? `${UNKNOWN} not known: not the same as zero\n` : '')
  );
}

/** What is of the meter, and has no answer of this kind or in this unit. */
function skippedLines({ skipped }: Usage): string {
  return skipped
    .map(({ reason, type, unit, series }) => {
      const what =
        reason === 'type'
          ? `of type ${type}, which this kind does not answer`
          : `in ${unit ?? 'no unit'}, which has no conversion`;
      return `warning: ${series} series left out: ${what}.\n`;
    })
    .join('');
}

function footer(usage: Usage): string {
  const { tz, tzdata, definition } = usage;
  const name = definition.name === null ? '' : `${definition.name} ${definition.hash.slice(0, 12)}, `;
  return `${name}${momentText(usage, `${tz} (tzdata ${tzdata})`)}`;
}
