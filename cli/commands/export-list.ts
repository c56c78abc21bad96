import type { ExportHeadAnswer } from '@nephometer/api';
import type { Command } from 'commander';
import { ApiClient } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';

interface ListFlags extends ClientFlags, FormatFlag {
  readonly limit?: number;
}

const COLUMNS: readonly Column<ExportHeadAnswer>[] = [
  { title: 'export', value: ({ id }) => id },
  { title: 'asked at', value: ({ recorded_at: at }) => at },
  { title: 'as of', value: ({ as_of: asOf }) => asOf },
  { title: 'from', value: ({ from }) => from },
  { title: 'to', value: ({ to }) => to },
  { title: 'zone', value: ({ tz }) => tz },
  { title: 'of', value: ({ definitions }) => definitions.map(({ name }) => name).join(' ') },
  { title: 'files', value: ({ format, shape }) => `${format}, ${shape}` },
  { title: '', value: ({ outdated }) => (outdated ? 'outdated' : null) },
];

/** `export list`: what was asked for, newest first. */
export function addExportList(group: Command): void {
  withFormat(asClient(group.command('list').description('exports that were asked for, newest first')))
    .option('--limit <exports>', 'most of them; default: all', wholeNumber)
    .action(async (flags: ListFlags) => {
      const { limit = Infinity } = flags;
      const client = new ApiClient(flags);
      const found: ExportHeadAnswer[] = [];
      for (let cursor: QueryPairs = []; found.length < limit;) {
        const page = await client.get<{ exports: ExportHeadAnswer[]; next: string | null }>('/v1/exports', cursor);
        found.push(...page.exports);
        if (page.next === null) break;
        cursor = [['cursor', page.next]];
      }
      print(formatRows(found.slice(0, limit), [...COLUMNS], flags.format));
    });
}
