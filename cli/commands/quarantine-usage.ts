import type { Command } from 'commander';
import { ApiClient } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, jsonText, print, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { allPages } from '../pages.ts';
import { figurePairs, withFigure } from '../question.ts';
import type { FigureFlags } from '../question.ts';
import { groupColumns, knownOr, localText, momentText, UNKNOWN } from '../words.ts';

interface Line {
  readonly from: string;
  readonly to: string;
  readonly group: Readonly<Record<string, string | null>>;
  readonly unit: string | null;
  readonly quantity: string | null;
  readonly in_quarantine: string | null;
  readonly with_quarantine: string | null;
}

interface Refused {
  readonly reason: string;
  readonly messages: number;
  readonly samples: number;
  readonly unreadable_messages: number;
}

interface Answer {
  readonly lines: readonly Line[];
  readonly next: string | null;
  readonly refused: readonly Refused[];
  readonly as_of: string;
  readonly settled: boolean;
}

/** `quarantine usage NAME`: what the refused messages would add to the lines of usage. */
export function addQuarantineUsage(quarantine: Command): void {
  const usage = withFormat(asClient(quarantine.command('usage').description('what usage would come to with them')));
  withFigure(usage, { from: 'this month', asOf: 'now' }).action(
    async (name: string, flags: ClientFlags & FormatFlag & FigureFlags) => {
      const client = new ApiClient(flags);
      const query = await figurePairs(client, name, flags);
      const { page, rows } = await allPages(client, '/v1/usage/quarantine', query, ({ lines }: Answer) => lines);
      const { format, tz } = flags;
      if (format === 'json') return print(jsonText({ ...page, lines: rows }));
      if (format === 'csv') return print(formatRows(rows, columns(rows), 'csv'));
      const lines = formatRows(rows, columns(rows, tz), 'table');
      print(`${lines}\n${formatRows(page.refused, REFUSED_COLUMNS, 'table')}\n${momentText(page, tz)}`);
    },
  );
}

/** @param tz of a table for people; without it as the API says it */
function columns(rows: readonly Line[], tz?: string): Column<Line>[] {
  const time = (at: string): string => (tz === undefined ? at : localText(at, tz));
  const amount = (value: string | null): string | null => value ?? (tz === undefined ? null : UNKNOWN);
  return [
    { title: 'from', value: ({ from }) => time(from) },
    { title: 'to', value: ({ to }) => time(to) },
    ...groupColumns(rows, ({ group }) => group, tz === undefined ? undefined : knownOr),
    { title: 'quantity', value: ({ quantity }) => amount(quantity), align: 'right' },
    { title: 'in quarantine', value: (row) => amount(row.in_quarantine), align: 'right' },
    { title: 'with it', value: (row) => amount(row.with_quarantine), align: 'right' },
    { title: 'unit', value: ({ unit }) => unit },
  ];
}

const REFUSED_COLUMNS: readonly Column<Refused>[] = [
  { title: 'refused for', value: ({ reason }) => reason },
  { title: 'messages', value: ({ messages }) => messages, align: 'right' },
  { title: 'samples', value: ({ samples }) => samples, align: 'right' },
  { title: 'unreadable', value: (row) => row.unreadable_messages, align: 'right' },
];
