import { Option } from 'commander';
import type { Command } from 'commander';
import { EXIT_CODES, formatTimestamp, parseTimestamp, systemClock, toLocal, USAGE_KINDS } from '@nephometer/core';
import { ApiClient, ApiError } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { questionFields, withQuestion } from '../question.ts';
import type { QuestionFlags } from '../question.ts';
import { warningLines } from '../warnings.ts';
import type { Warning } from '../warnings.ts';

interface UsageFlags extends ClientFlags, FormatFlag, QuestionFlags {
  readonly kind?: string;
  readonly gaps?: boolean;
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
  const usage = withFormat(asClient(program.command('usage').description('what was used in a period, with its gaps')))
    .argument('<name>', 'a named quantity such as instance_hours, or a meter (with --kind)')
    .addOption(new Option('-k, --kind <kind>', 'what is asked of a meter').choices([...USAGE_KINDS]));
  withQuestion(usage, { from: 'this month', to: 'now', asOf: 'now' })
    .option('--gaps', 'list the gaps with their reasons')
    .option('--limit <lines>', 'most lines', wholeNumber)
    .action(async (name: string, flags: UsageFlags) => {
      const client = new ApiClient(flags);
      const usage = await askUsage(
        client,
        [...(await whatPairs(client, name, flags)), ...questionPairs(flags)],
        flags.limit,
      );
      print(
        flags.format === 'table'
          ? tableText(usage, flags)
          : formatRows(usage.lines, columns(flags, plain), flags.format),
      );
    });
}

/** A named quantity where there is one of that name, else a meter. */
async function whatPairs(client: ApiClient, name: string, { kind }: UsageFlags): Promise<QueryPairs> {
  if (kind !== undefined) {
    return [
      ['meter', name],
      ['kind', kind],
    ];
  }
  const { definitions } = await client.get<{ definitions: { name: string }[] }>('/v1/definitions');
  const names = definitions.map((definition) => definition.name);
  if (names.includes(name)) return [['definition', name]];
  throw new ApiError(
    `"${name}" is no named quantity; for a meter say with --kind what is asked of it (${USAGE_KINDS.join(', ')}), or name ` +
      `one of: ${names.join(', ')}`,
    EXIT_CODES.usage.code,
  );
}

function questionPairs(flags: UsageFlags): QueryPairs {
  const fields = questionFields({ ...flags, from: flags.from ?? firstOfMonth(flags.tz) });
  return [
    ...Object.entries(fields).flatMap(([name, values]) => [values].flat().map((value) => [name, value] as const)),
    ...(flags.gaps === true ? [['gaps', 'true'] as const] : []),
  ];
}

function firstOfMonth(tz: string): string {
  try {
    return `${formatTimestamp(toLocal(systemClock.now(), tz)).slice(0, 7)}-01`;
  } catch (cause) {
    if (cause instanceof RangeError) throw new ApiError(cause.message, EXIT_CODES.usage.code);
    throw cause;
  }
}

const PAGE = 1000;

/** All pages of one moment. */
async function askUsage(client: ApiClient, query: QueryPairs, limit = Infinity): Promise<Usage> {
  const lines: Line[] = [];
  for (let cursor: QueryPairs = []; ;) {
    const size = Math.min(PAGE, limit - lines.length);
    const page = await client.get<Usage>('/v1/usage', [...query, ['limit', String(size)], ...cursor]);
    lines.push(...page.lines);
    if (page.next === null || lines.length >= limit) return { ...page, lines };
    cursor = [['cursor', page.next]];
  }
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
    { title: 'resets', value: ({ resets }) => resets, align: 'right' },
    { title: 'samples', value: ({ samples }) => samples, align: 'right' },
    { title: 'finality', value: ({ finality }) => finality },
  ];
}

function groupNames({ groupBy = [] }: UsageFlags): string[] {
  return groupBy.flatMap((fields) => fields.split(',')).filter((field) => field !== '');
}

const PARTLY = '~';
const UNKNOWN = '?';
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

function percent(coverage: string | null): string | null {
  return coverage === null ? UNKNOWN : `${Math.floor(Number(coverage) * 10_000) / 100} %`;
}

/** Wall clock of the zone, to the minute where there is no more to say. */
function localText(at: string, tz: string): string {
  const text = formatTimestamp(toLocal(parseTimestamp(at), tz)).replace('T', ' ');
  return text.endsWith(':00') ? text.slice(0, -3) : text;
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
