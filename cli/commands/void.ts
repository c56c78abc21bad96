import type { Command } from 'commander';
import { EXIT_CODES } from '@nephometer/core';
import { ApiClient, ApiError, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, jsonText, print, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import { allPages } from '../pages.ts';
import type { Column } from '../format.ts';

type Selector = Readonly<Record<string, string>>;

interface Voided {
  readonly id: string;
  readonly recorded_at: string;
  readonly selector: Selector;
  readonly reason: string;
  readonly who: string;
}

interface Page {
  readonly voids: readonly Voided[];
  readonly next: string | null;
}

interface CreateFlags extends ClientFlags {
  readonly messageId?: string;
  readonly agent?: string;
  readonly source?: string;
  readonly meter?: string;
  readonly resource?: string;
  readonly project?: string;
  readonly from?: string;
  readonly to?: string;
  readonly why: string;
  readonly who?: string;
}

/** `void create|list`: samples that are used in no figure any more. */
export function addVoidCommands(program: Command): void {
  const voids = program.command('void').description('samples taken out of every figure, by whom and why');

  asClient(voids.command('create').description('take samples out of every figure from now on; figures of before stay'))
    .option('--message-id <id>', 'this sample')
    .option('--agent <agent_id>', 'of this agent')
    .option('--source <name>', 'of this source')
    .option('-m, --meter <name>', 'of this meter')
    .option('--resource <resource_id>', 'of this resource')
    .option('--project <project_id>', 'of this project')
    .option('--from <when>', 'first instant: a date or time of UTC, or an instant with its zone')
    .option('--to <when>', 'last instant, excluded')
    .requiredOption('--why <reason>', 'the reason, for those who ask later')
    .option('--who <name>', 'who decided it; default: the name of the token')
    .action(async (flags: CreateFlags) => {
      const selector = selectorOf(flags);
      if (Object.keys(selector).length === 0) {
        throw new ApiError(
          'Nothing says which samples; name them by one or more of --message-id, --agent, --source, --meter, --resource, ' +
            '--project, --from, --to.',
          EXIT_CODES.usage.code,
        );
      }
      const who = flags.who === undefined ? {} : { who: flags.who };
      const done = await new ApiClient(flags).post(
        '/v1/voids',
        JSON.stringify({ selector, reason: flags.why, ...who }),
      );
      print(jsonText(done));
    });

  withFormat(asClient(voids.command('list').description('what was taken out, newest first')))
    .option('--limit <rows>', 'most rows', wholeNumber)
    .option('--before <when>', 'only what was recorded before')
    .action(async (flags: ClientFlags & FormatFlag & { limit?: number; before?: string }) => {
      const query = given({ before: flags.before });
      const voids = ({ voids: page }: Page): readonly Voided[] => page;
      const { rows } = await allPages(new ApiClient(flags), '/v1/voids', query, voids, flags.limit, 'before');
      print(formatRows(rows, COLUMNS, flags.format));
    });
}

function selectorOf(flags: CreateFlags): Selector {
  const { messageId, agent, source, meter, resource, project, from, to } = flags;
  const named = { message_id: messageId, agent_id: agent, source, meter, resource_id: resource, project_id: project };
  return Object.fromEntries(given({ ...named, from, to }));
}

const COLUMNS: readonly Column<Voided>[] = [
  { title: 'recorded (UTC)', value: (row) => row.recorded_at },
  {
    title: 'samples',
    value: ({ selector }) =>
      Object.entries(selector)
        .map(([field, value]) => `${field}=${value}`)
        .join(' '),
  },
  { title: 'why', value: ({ reason }) => reason },
  { title: 'who', value: ({ who }) => who },
  { title: 'id', value: ({ id }) => id },
];
