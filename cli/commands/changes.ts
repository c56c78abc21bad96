import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT_CODES, messageOf } from '@nephometer/core';
import { ApiClient, ApiError } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, print, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { allPages } from '../pages.ts';
import { figurePairs, given, withFigure } from '../question.ts';
import type { FigureFlags } from '../question.ts';
import { groupText, localText, UNKNOWN } from '../words.ts';

interface Line {
  readonly from: string;
  readonly to: string;
  readonly group: Readonly<Record<string, string | null>>;
  readonly quantity: string | null;
  readonly unit: string | null;
  readonly coverage: string | null;
}

interface Change {
  readonly change: string;
  readonly causes: readonly string[];
  readonly before: Line | null;
  readonly after: Line | null;
}

interface Diff {
  readonly changes: readonly Change[];
  readonly next: string | null;
  readonly from_as_of: string;
  readonly to_as_of: string;
  readonly settled: boolean;
}

interface Changes {
  readonly changes: readonly Change[];
  readonly cursor: string;
  readonly more: boolean;
  readonly as_of: string;
}

type AnyFlags = ClientFlags & FormatFlag & FigureFlags;

/** `diff NAME` between two moments, `changes NAME` since a cursor: which lines are others, and why. */
export function addChanges(program: Command): void {
  withFigure(command(program, 'diff', 'which lines of usage are others at a later moment, and why'), null)
    .requiredOption('--from-as-of <when>', 'the earlier moment')
    .option('--to-as-of <when>', 'the later moment; default: now')
    .action(async (name: string, flags: AnyFlags & { fromAsOf: string; toAsOf?: string }) => {
      const client = new ApiClient(flags);
      const moments = given({ from_as_of: flags.fromAsOf, to_as_of: flags.toAsOf });
      const query = [...(await figurePairs(client, name, flags)), ...moments];
      const { page, rows } = await allPages(client, '/v1/usage/diff', query, ({ changes }: Diff) => changes);
      const settled = page.settled ? '' : ' (not settled yet)';
      const between = `between ${page.from_as_of} and ${page.to_as_of}${settled}, times of ${flags.tz}\n`;
      print(shown(rows, flags) + (flags.format === 'table' ? `\n${between}` : ''));
    });

  withFigure(command(program, 'changes', 'every line of usage that is new or another since last time'), null)
    .option('--cursor <cursor>', 'where the last call ended; without it, everything')
    .option('--cursor-file <file>', 'read the cursor from this file, where it is there, and leave the next one in it')
    .action(async (name: string, flags: AnyFlags & { cursor?: string; cursorFile?: string }) => {
      const client = new ApiClient(flags);
      const since = flags.cursor ?? readCursor(flags.cursorFile);
      const { rows, cursor } = await follow(client, await figurePairs(client, name, flags), since);
      print(shown(rows, flags));
      if (flags.cursorFile !== undefined) keepCursor(flags.cursorFile, cursor);
      else if (flags.format === 'table') print(`\ngo on with --cursor ${cursor}\n`);
      else process.stderr.write(`go on with --cursor ${cursor}\n`);
    });
}

function command(program: Command, name: string, description: string): Command {
  return withFormat(asClient(program.command(name).description(description)));
}

async function follow(
  client: ApiClient,
  query: QueryPairs,
  since: string | undefined,
): Promise<{ rows: Change[]; cursor: string }> {
  const rows: Change[] = [];
  for (let cursor = since; ;) {
    const page = await client.get<Changes>('/v1/changes', [...query, ...given({ cursor })]);
    rows.push(...page.changes);
    if (!page.more) return { rows, cursor: page.cursor };
    cursor = page.cursor;
  }
}

function readCursor(file: string | undefined): string | undefined {
  if (file === undefined || !existsSync(file)) return undefined;
  return readFileSync(file, 'utf8').trim();
}

/** After the rows are written: what is read twice does no harm, what is skipped would. */
function keepCursor(file: string, cursor: string): void {
  try {
    writeFileSync(`${file}.new`, `${cursor}\n`);
    renameSync(`${file}.new`, file);
  } catch (cause) {
    const found = `The cursor cannot be kept in ${file}: ${messageOf(cause)}.`;
    throw new ApiError(`${found} Go on with --cursor ${cursor}`, EXIT_CODES.failed.code);
  }
}

function shown(rows: readonly Change[], { format, tz }: AnyFlags): string {
  return formatRows(rows, columns(format === 'table' ? (at) => localText(at, tz) : (at) => at), format);
}

function columns(time: (at: string) => string): Column<Change>[] {
  const line = ({ before, after }: Change): Line | null => after ?? before;
  const timeOf = (at: string | undefined): string | null => (at === undefined ? null : time(at));
  return [
    { title: 'from', value: (row) => timeOf(line(row)?.from) },
    { title: 'to', value: (row) => timeOf(line(row)?.to) },
    { title: 'group', value: (row) => groupText(line(row)?.group ?? {}) },
    { title: 'before', value: ({ before }) => quantityOf(before), align: 'right' },
    { title: 'after', value: ({ after }) => quantityOf(after), align: 'right' },
    { title: 'unit', value: (row) => line(row)?.unit },
    { title: 'change', value: ({ change }) => change },
    { title: 'cause', value: ({ causes }) => causes.join(' ') },
  ];
}

/** A line that was not there has no figure; one that is there may have none that is known. */
function quantityOf(line: Line | null): string | null {
  return line === null ? null : (line.quantity ?? UNKNOWN);
}
