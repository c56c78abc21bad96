import type { Command } from 'commander';
import { Option } from 'commander';
import { ApiClient } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, print, repeated, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';

interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly projects: readonly string[] | null;
  readonly user_id: string | null;
  readonly revoked: boolean;
}

interface CreateFlags extends ClientFlags {
  readonly name: string;
  readonly role: string;
  readonly project?: readonly string[];
  readonly user?: string;
}

/** `token create|list|revoke`: clients of the API; admins only. */
export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('tokens of those who ask the API');

  asClient(token.command('create').description('make a token; it is shown once'))
    .requiredOption('-n, --name <name>', 'whose token it is')
    .addOption(new Option('--role <role>', 'what it may do').choices(['admin', 'reader', 'writer']).default('reader'))
    .option('--project <id>', 'project that a reader sees or a writer posts for; repeat for more', repeated)
    .option('--user <id>', 'user that a reader is bound to, or in whose name a writer posts')
    .action(async (flags: CreateFlags) => {
      const body = { name: flags.name, role: flags.role, projects: flags.project ?? null, user_id: flags.user ?? null };
      const made = await new ApiClient(flags).post<{ id: string; token: string }>('/v1/tokens', JSON.stringify(body));
      // The token alone on standard output, so that it can be put into a file.
      process.stderr.write(`Token ${made.id} (${flags.role}). Keep it now; it cannot be shown again.\n`);
      print(`${made.token}\n`);
    });

  withFormat(asClient(token.command('list').description('list tokens; never the tokens themselves'))).action(
    async (flags: ClientFlags & FormatFlag) => {
      const { tokens } = await new ApiClient(flags).get<{ tokens: TokenRow[] }>('/v1/tokens');
      print(
        formatRows<TokenRow>(
          tokens,
          [
            { title: 'id', value: (row) => row.id },
            { title: 'name', value: (row) => row.name },
            { title: 'role', value: (row) => row.role },
            { title: 'projects', value: (row) => row.projects?.join(' ') },
            { title: 'user', value: (row) => row.user_id },
            { title: 'state', value: (row) => (row.revoked ? 'revoked' : 'valid') },
          ],
          flags.format,
        ),
      );
    },
  );

  asClient(
    token.command('revoke').description('refuse a token from now on').argument('<id>', 'id of the token'),
  ).action(async (id: string, flags: ClientFlags) => {
    await new ApiClient(flags).delete(`/v1/tokens/${encodeURIComponent(id)}`);
    print(`Token ${id} is revoked.\n`);
  });
}
