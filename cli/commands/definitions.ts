import type { Command } from 'commander';
import { ApiClient, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, print, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';

interface Definition {
  readonly name: string;
  readonly description: string;
  readonly meter: string;
  readonly kind: string;
  readonly unit: string | null;
  readonly group_by: readonly string[];
  readonly hash: string;
  readonly since: string;
}

/** `definitions`: the quantities that can be asked for by name. */
export function addDefinitions(program: Command): void {
  withFormat(asClient(program.command('definitions').description('the named quantities that `usage` knows')))
    .option('--as-of <when>', 'as they were at that moment; default: now')
    .action(async (flags: ClientFlags & FormatFlag & { asOf?: string }) => {
      const query = given({ as_of: flags.asOf });
      const answer = await new ApiClient(flags).get<{ definitions: readonly Definition[] }>('/v1/definitions', query);
      print(formatRows(answer.definitions, columns(flags.format === 'table' ? 12 : undefined), flags.format));
    });
}

/** @param digits of the hash; all where nothing is said */
const columns = (digits?: number): Column<Definition>[] => [
  { title: 'name', value: ({ name }) => name },
  { title: 'meter', value: ({ meter }) => meter },
  { title: 'kind', value: ({ kind }) => kind },
  { title: 'unit', value: ({ unit }) => unit },
  { title: 'one line each', value: (row) => row.group_by.join(' ') },
  { title: 'since (UTC)', value: ({ since }) => since },
  { title: 'hash', value: ({ hash }) => hash.slice(0, digits) },
  { title: 'description', value: ({ description }) => description },
];
