import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT_CODES, messageOf } from '@nephometer/core';
import { ApiClient, ApiError, given } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, jsonText, print, printed, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { allPages } from '../pages.ts';
import { figurePairs, withFigure } from '../question.ts';
import type { FigureFlags } from '../question.ts';
import { groupColumns, groupText, lineOf, localText, UNKNOWN } from '../words.ts';

interface Line {
  readonly from: string;
  readonly to: string;
  readonly group: Readonly<Record<string, string | null>>;
  readonly quantity: string | null;
  readonly unit: string | null;
  readonly coverage: string | null;
  readonly revision: string | null;
}

interface Change {
  readonly id: string;
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
  const diff = program.command('diff').description('which lines of usage are others at a later moment, and why');
  withFigure(withFormat(asClient(diff)), { from: 'this month', asOf: null })
    .requiredOption('--from-as-of <when>', 'the earlier moment')
    .option('--to-as-of <when>', 'the later moment; default: now')
    .action(async (name: string, flags: AnyFlags & { fromAsOf: string; toAsOf?: string }) => {
      const client = new ApiClient(flags);
      const moments = given({ from_as_of: flags.fromAsOf, to_as_of: flags.toAsOf });
      const query = [...(await figurePairs(client, name, flags)), ...moments];
      const { page, rows } = await allPages(client, '/v1/usage/diff', query, ({ changes }: Diff) => changes);
      const settled = page.settled ? '' : ' (not settled yet)';
      const between = `\nbetween ${page.from_as_of} and ${page.to_as_of}${settled}, times of ${flags.tz}\n`;
      print(shown({ ...page, changes: rows }, flags) + (flags.format === 'table' ? between : ''));
    });

  const changes = program.command('changes').description('every line of usage that is new or another since last time');
  // The period is part of what a cursor goes on with, so it is not one that changes with the calendar.
  withFigure(withFormat(asClient(changes)), { from: null, asOf: null })
    .option('--cursor <cursor>', 'where the last call ended; without it, everything')
    .option('--cursor-file <file>', 'read the cursor from this file, where it is there, and leave the next one in it')
    .action(async (name: string, flags: AnyFlags & { cursor?: string; cursorFile?: string }) => {
      const client = new ApiClient(flags);
      const since = flags.cursor ?? readCursor(flags.cursorFile);
      const answer = await follow(client, await figurePairs(client, name, flags), since);
      const next = flags.format === 'table' && flags.cursorFile === undefined;
      await printed(shown(answer, flags) + (next ? `\ngo on with --cursor ${answer.cursor}\n` : ''));
      if (flags.cursorFile !== undefined) keepCursor(flags.cursorFile, answer.cursor);
      else if (flags.format === 'csv') process.stderr.write(`go on with --cursor ${answer.cursor}\n`);
    });
}

/** All that changed since the cursor, in one answer. */
async function follow(client: ApiClient, query: QueryPairs, since: string | undefined): Promise<Changes> {
  const changes: Change[] = [];
  for (let cursor = since; ;) {
    const page = await client.get<Changes>('/v1/changes', [...query, ...given({ cursor })]);
    changes.push(...page.changes);
    if (!page.more) return { ...page, changes };
    cursor = page.cursor;
  }
}

function readCursor(file: string | undefined): string | undefined {
  if (file === undefined || !existsSync(file)) return undefined;
  const wrong = (why: string): ApiError =>
    new ApiError(`There is no cursor in ${file}: ${why}. Without the file everything is new.`, EXIT_CODES.usage.code);
  let cursor: string;
  try {
    cursor = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw wrong(messageOf(cause));
  }
  if (cursor === '') throw wrong('it is empty');
  return cursor;
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

function shown(answer: { readonly changes: readonly Change[] }, { format, tz }: AnyFlags): string {
  if (format === 'json') return jsonText(answer);
  const rows = answer.changes;
  return formatRows(rows, format === 'table' ? tableColumns(tz) : csvColumns(rows), format);
}

function tableColumns(tz: string): Column<Change>[] {
  const timeOf = (at: string | undefined): string | null => (at === undefined ? null : localText(at, tz));
  return [
    { title: 'from', value: (row) => timeOf(lineOf(row)?.from) },
    { title: 'to', value: (row) => timeOf(lineOf(row)?.to) },
    { title: 'group', value: (row) => groupText(lineOf(row)?.group ?? {}) },
    { title: 'before', value: ({ before }) => quantityOf(before), align: 'right' },
    { title: 'after', value: ({ after }) => quantityOf(after), align: 'right' },
    { title: 'unit', value: (row) => lineOf(row)?.unit },
    { title: 'change', value: ({ change }) => change },
    { title: 'cause', value: ({ causes }) => causes.join(' ') },
  ];
}

/** With what a biller joins on; what is not known is empty. */
function csvColumns(rows: readonly Change[]): Column<Change>[] {
  return [
    { title: 'id', value: ({ id }) => id },
    { title: 'change', value: ({ change }) => change },
    { title: 'causes', value: ({ causes }) => causes.join(' ') },
    { title: 'from', value: (row) => lineOf(row)?.from },
    { title: 'to', value: (row) => lineOf(row)?.to },
    ...groupColumns(rows, (row) => lineOf(row)?.group),
    { title: 'unit', value: (row) => lineOf(row)?.unit },
    { title: 'before', value: ({ before }) => before?.quantity },
    { title: 'after', value: ({ after }) => after?.quantity },
    { title: 'coverage', value: ({ after }) => after?.coverage },
    { title: 'revision', value: ({ after }) => after?.revision },
  ];
}

/** A line that was not there has no figure; one that is there may have none that is known. */
function quantityOf(line: Line | null): string | null {
  return line === null ? null : (line.quantity ?? UNKNOWN);
}
