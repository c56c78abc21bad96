import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Statement } from '@nephometer/core';
import { Option } from 'commander';
import type { Command } from 'commander';
import { ApiClient } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, print, repeated, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { flaggedLine, warningLines } from '../warnings.ts';
import { groupText } from '../words.ts';
import { addAdjustments } from './statement-adjustments.ts';

interface Head {
  readonly statement_id: string;
  readonly project_id: string | null;
  readonly from: string;
  readonly to: string;
  readonly tz: string;
  readonly as_of: string;
  readonly lines: number;
  readonly flagged: number;
  readonly warnings: number;
  readonly key_id: string;
  readonly by: string;
  readonly created?: boolean;
}

interface CloseFlags extends ClientFlags, FormatFlag {
  readonly project?: string;
  readonly period?: string;
  readonly from?: string;
  readonly to?: string;
  readonly tz?: string;
  readonly window?: string;
  readonly anchor?: string;
  readonly groupBy?: readonly string[];
  readonly definition?: readonly string[];
  readonly asOf?: string;
  readonly minCoverage?: string;
  readonly below?: string;
}

/** `statement create|list|show|adjustments|evidence`. */
export function addStatementCommands(program: Command): void {
  const statement = program.command('statement').description('closed periods: frozen, signed, checked away from here');
  addCreate(statement);
  addList(statement);
  addShow(statement);
  addAdjustments(statement);
  addEvidence(statement);
}

function addCreate(statement: Command): void {
  withFormat(
    asClient(statement.command('create').description('close a period for a project, or for each that used anything')),
  )
    .option('--project <id>', 'of this project alone')
    .option('--period <month>', 'a calendar month: 2026-03')
    .option('--from <when>', 'first instant, or local date')
    .option('--to <when>', 'last instant, excluded')
    .option('--tz <zone>', 'IANA name of the zone that dates and windows are of')
    .option('--window <window>', 'calendar windows, one line each: day, ...')
    .option('--anchor <day>', 'where billing months start')
    .option('--group-by <fields>', 'instead of what each definition groups by; repeatable', repeated)
    .option('--definition <name>', 'only this quantity; repeatable', repeated)
    .option('--as-of <when>', 'as it was known at that moment; default: the newest that is settled')
    .option('--min-coverage <share>', 'least coverage of every line, such as 0.99')
    .addOption(new Option('--below <what>', 'what becomes of less').choices(['refuse', 'flag']))
    .action(async (flags: CloseFlags) => {
      const { project, period, from, to, tz, window, anchor, groupBy, definition, asOf, minCoverage, below } = flags;
      const named = { project_id: project, period, from, to, tz, window, anchor, group_by: groupBy };
      const body = { ...named, definitions: definition, as_of: asOf, min_coverage: minCoverage, below };
      const { statements, refused } = await new ApiClient(flags).post<{
        statements: Head[];
        refused: { project_id: string | null; reason: string }[];
      }>('/v1/statements', JSON.stringify(body));
      print(headRows(statements, flags));
      if (statements.length + refused.length === 0)
        process.stderr.write('Nothing was used in the period: nothing to close.\n');
      for (const { reason } of refused) process.stderr.write(`Not closed: ${reason}\n`);
      if (refused.length > 0) process.exitCode = 1;
    });
}

function headRows(heads: readonly Head[], { format }: FormatFlag): string {
  const columns: Column<Head>[] = [
    { title: 'statement', value: (head) => head.statement_id },
    { title: 'project', value: (head) => head.project_id ?? '(nobody known)' },
    { title: 'from', value: (head) => head.from },
    { title: 'to', value: (head) => head.to },
    { title: 'zone', value: (head) => head.tz },
    { title: 'as of', value: (head) => head.as_of },
    { title: 'lines', value: (head) => head.lines, align: 'right' },
    { title: 'flagged', value: (head) => head.flagged, align: 'right' },
    { title: 'warnings', value: (head) => head.warnings, align: 'right' },
    { title: 'by', value: (head) => head.by },
  ];
  const isNew: Column<Head> = { title: '', value: ({ created }) => (created === true ? 'new' : 'was closed') };
  return formatRows(heads, heads.some(({ created }) => created !== undefined) ? [...columns, isNew] : columns, format);
}

function addList(statement: Command): void {
  withFormat(asClient(statement.command('list').description('what is closed, newest period first')))
    .option('--project <id>', 'of this project alone')
    .option('--from <when>', 'only periods that end after this')
    .option('--to <when>', 'only periods that start before this')
    .action(async (flags: ClientFlags & FormatFlag & { project?: string; from?: string; to?: string }) => {
      const client = new ApiClient(flags);
      const { project, from, to } = flags;
      const query: QueryPairs = Object.entries({ project_id: project, from, to }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      const heads: Head[] = [];
      for (let cursor: QueryPairs = []; ;) {
        const page = await client.get<{ statements: Head[]; next: string | null }>('/v1/statements', [
          ...query,
          ...cursor,
        ]);
        heads.push(...page.statements);
        if (page.next === null) break;
        cursor = [['cursor', page.next]];
      }
      print(headRows(heads, flags));
    });
}

function addShow(statement: Command): void {
  withFormat(
    asClient(statement.command('show').description('the frozen lines of a statement')).argument(
      '<id>',
      'of the statement',
    ),
  )
    .option('--raw', 'the statement as it was signed')
    .action(async (id: string, flags: ClientFlags & FormatFlag & { raw?: boolean }) => {
      const client = new ApiClient(flags);
      const path = `/v1/statements/${encodeURIComponent(id)}`;
      if (flags.raw === true) return save(await client.download(path, 'application/json'), undefined);
      const statement = await client.get<Statement>(path);
      const { usage } = statement;
      const rows = usage.flatMap(({ definition, lines }) =>
        lines.map((line) => ({ definition: definition.name, ...line })),
      );
      type Row = (typeof rows)[number];
      const columns: Column<Row>[] = [
        { title: 'quantity of', value: (row) => row.definition },
        { title: 'from', value: (row) => row.from },
        { title: 'to', value: (row) => row.to },
        { title: 'group', value: ({ group }) => groupText(group) },
        { title: 'quantity', value: (row) => row.quantity, align: 'right' },
        { title: 'unit', value: (row) => row.unit },
        { title: 'coverage', value: (row) => row.coverage, align: 'right' },
        { title: 'lower', value: (row) => row.lower, align: 'right' },
        { title: 'upper', value: (row) => row.upper, align: 'right' },
        { title: 'gaps', value: ({ gaps }) => gaps.length, align: 'right' },
      ];
      print(formatRows(rows, columns, flags.format));
      const said = `${warningLines(statement.warnings ?? [])}${flaggedLine(statement)}`;
      // Programs that read the rows still let a person see it.
      if (flags.format === 'table') print(said === '' ? '' : `\n${said}`);
      else process.stderr.write(said);
    });
}

function addEvidence(statement: Command): void {
  asClient(
    statement
      .command('evidence')
      .description('the statement with all that it stands on, for `verify`')
      .argument('<id>', 'of the statement'),
  )
    .option('--out <file>', 'file to write; default standard output')
    .action(async (id: string, flags: ClientFlags & { out?: string }) => {
      const path = `/v1/statements/${encodeURIComponent(id)}/evidence`;
      await save(await new ApiClient(flags).download(path, 'application/x-ndjson'), flags.out);
    });
}

/** Whole or not at all: what is cut off ends the command with an error. */
async function save(body: ReadableStream<Uint8Array>, file: string | undefined): Promise<void> {
  const pieces = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
  if (file !== undefined) return pipeline(pieces, createWriteStream(file));
  for await (const piece of pieces) process.stdout.write(piece as Uint8Array);
}
