import { Option } from 'commander';
import type { Command } from 'commander';
import { EXIT_CODES } from '@nephometer/core';
import { ApiClient, ApiError, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, jsonText, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';

interface Version {
  readonly message_id: string;
  readonly batch_digest: string;
  readonly recorded_at: string;
  readonly counter_name: string;
  readonly resource_id: string;
  readonly timestamp: string;
  readonly counter_volume: string;
  readonly agent_id: string | null;
}

interface ResolveFlags extends ClientFlags {
  readonly keep?: string;
  readonly void?: boolean;
  readonly why?: string;
}

/** `conflict list|resolve`: message ids that came with different contents. */
export function addConflictCommands(program: Command): void {
  const conflict = program
    .command('conflict')
    .description('samples that came in different versions under one message id');

  withFormat(asClient(conflict.command('list').description('list what is not resolved, each version a row')))
    .option('--limit <messages>', 'most message ids', wholeNumber)
    .action(async (flags: ClientFlags & FormatFlag & { limit?: number }) => {
      const query = given({ limit: flags.limit?.toString() });
      const answer = await new ApiClient(flags).get<{ conflicts: { versions: Version[] }[] }>('/v1/conflicts', query);
      print(
        formatRows<Version>(
          answer.conflicts.flatMap(({ versions }) => versions),
          [
            { title: 'message id', value: (row) => row.message_id },
            { title: 'batch digest', value: (row) => row.batch_digest },
            { title: 'recorded (UTC)', value: (row) => row.recorded_at },
            { title: 'agent', value: (row) => row.agent_id },
            { title: 'meter', value: (row) => row.counter_name },
            { title: 'resource', value: (row) => row.resource_id },
            { title: 'timestamp (UTC)', value: (row) => row.timestamp },
            { title: 'volume', value: (row) => row.counter_volume, align: 'right' },
          ],
          flags.format,
        ),
      );
    });

  asClient(
    conflict
      .command('resolve')
      .description('say which version counts from now on')
      .argument('<message_id>', 'id of the samples'),
  )
    .addOption(new Option('--keep <batch_digest>', 'the version of this batch counts').conflicts('void'))
    .option('--void', 'none of them counts')
    .option('--why <reason>', 'the reason, for those who ask later')
    .action(async (id: string, flags: ResolveFlags) => {
      if (flags.keep === undefined && flags.void !== true) {
        const right = 'Say --keep BATCH_DIGEST (see `nephometer conflict list`) or --void.';
        throw new ApiError(`Nothing says which version counts. ${right}`, EXIT_CODES.usage.code);
      }
      const body = JSON.stringify({ keep: flags.keep ?? null, ...(flags.why === undefined ? {} : { why: flags.why }) });
      const done = await new ApiClient(flags).post(`/v1/conflicts/${encodeURIComponent(id)}/resolve`, body);
      print(jsonText(done));
    });
}
