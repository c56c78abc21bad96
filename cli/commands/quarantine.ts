import type { Command } from 'commander';
import { ApiClient, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, jsonText, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import { addQuarantineUsage } from './quarantine-usage.ts';

interface QuarantineRow {
  readonly id: string;
  readonly received: string;
  readonly reason: string;
  readonly detail: string;
  readonly sender: string;
  readonly agent_id: string | null;
  readonly samples: number;
  readonly size: number;
  readonly state: string;
}

interface ListFlags extends ClientFlags, FormatFlag {
  readonly reason?: string;
  readonly limit?: number;
}

/** `quarantine list|show|replay|usage`: what was refused, and why. */
export function addQuarantineCommands(program: Command): void {
  const quarantine = program.command('quarantine').description('messages that were refused, and why');

  withFormat(asClient(quarantine.command('list').description('list refused messages, newest first')))
    .option('--reason <reason>', 'only this reason, e.g. signature')
    .option('--limit <rows>', 'most rows', wholeNumber)
    .action(async (flags: ListFlags) => {
      const { quarantine: rows } = await new ApiClient(flags).get<{ quarantine: QuarantineRow[] }>(
        '/v1/quarantine',
        given({ reason: flags.reason, limit: flags.limit?.toString() }),
      );
      print(
        formatRows<QuarantineRow>(
          rows,
          [
            { title: 'received (UTC)', value: (row) => row.received },
            { title: 'reason', value: (row) => row.reason },
            { title: 'state', value: (row) => row.state },
            { title: 'samples', value: (row) => row.samples, align: 'right' },
            { title: 'bytes', value: (row) => row.size, align: 'right' },
            { title: 'sender', value: (row) => row.agent_id ?? row.sender },
            { title: 'id', value: (row) => row.id },
            { title: 'detail', value: (row) => row.detail },
          ],
          flags.format,
        ),
      );
    });

  asClient(
    quarantine
      .command('show')
      .description('one refused message whole, with its bytes')
      .argument('<id>', 'id of the entry'),
  )
    .option('--raw', 'only the original bytes, as they came')
    .action(async (id: string, flags: ClientFlags & { raw?: boolean }) => {
      const entry = await new ApiClient(flags).get<{ bytes: string }>(`/v1/quarantine/${encodeURIComponent(id)}`);
      if (flags.raw === true) process.stdout.write(Buffer.from(entry.bytes, 'base64'));
      else print(jsonText(entry));
    });

  asClient(
    quarantine
      .command('replay')
      .description('send a refused message in again, after what was wrong is mended')
      .argument('<id>', 'id of the entry'),
  ).action(async (id: string, flags: ClientFlags) => {
    const outcome = await new ApiClient(flags).post(`/v1/quarantine/${encodeURIComponent(id)}/replay`, '{}');
    print(jsonText(outcome));
  });

  addQuarantineUsage(quarantine);
}
