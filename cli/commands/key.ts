import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { Option } from 'commander';
import type { Command } from 'commander';
import {
  AgentConfig,
  deriveAgentKey,
  derivedKeyId,
  EXIT_CODES,
  KeyMissing,
  loadSettings,
  messageOf,
  readMasterKey,
  StatementKey,
} from '@nephometer/core';
import type { KeyFile, SettingFlags } from '@nephometer/core';
import { ApiClient, ApiError } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, jsonText, print, wholeNumber, withConfig, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';

interface IssueFlags extends SettingFlags {
  readonly masterKeyFile?: string;
  readonly generation?: number;
  readonly keyId?: string;
  readonly previous: boolean;
  readonly out?: string;
}

interface KeyRow {
  readonly key_id: string;
  readonly agent_id: string | null;
  readonly kind: string;
  readonly state: string;
  readonly valid_from: string | null;
  readonly valid_until: string | null;
  readonly last_used: string | null;
  readonly why: string | null;
}

interface Change {
  readonly key_id: string;
  readonly next_key_id: string | null;
  readonly valid_until: string;
}

/** `key issue|rotate|revoke|list`. `issue` works where the master key is; the others ask the API. */
export function addKeyCommands(program: Command): void {
  const key = program.command('key').description('keys that agents sign with');
  addIssue(key);
  addRotate(key);
  addRevoke(key);
  addStatement(key);
  withFormat(
    asClient(key.command('list').description('list keys and what became of them; never the keys themselves')),
  ).action(async (flags: ClientFlags & FormatFlag) => {
    const { keys } = await new ApiClient(flags).get<{ keys: KeyRow[] }>('/v1/keys');
    print(
      formatRows<KeyRow>(
        keys,
        [
          { title: 'agent', value: (row) => row.agent_id ?? '(all)' },
          { title: 'key', value: (row) => row.key_id },
          { title: 'kind', value: (row) => row.kind },
          { title: 'state', value: (row) => row.state },
          { title: 'from (UTC)', value: (row) => row.valid_from },
          { title: 'until (UTC)', value: (row) => row.valid_until },
          { title: 'last used (UTC)', value: (row) => row.last_used },
          { title: 'why', value: (row) => row.why },
        ],
        flags.format,
      ),
    );
  });
}

function addIssue(key: Command): void {
  withConfig(
    key
      .command('issue')
      .description("write an agent's key file; needs the master key, or makes a key to be listed (--key-id)")
      .argument('<agent_id>', 'agent that it is for'),
  )
    .addOption(new Option('--master-key-file <file>', 'file with the master key').env('NEPHOMETER_MASTER_KEY_FILE'))
    .option('--generation <number>', 'generation of the key, as `key rotate` names it', wholeNumber)
    .addOption(new Option('--key-id <id>', 'a new random key of this id, for signing.keys').conflicts('generation'))
    .option('--no-previous', 'leave out the generation before: receipts signed with it are not believed any more')
    .option('--out <file>', 'file to write (mode 0600); default standard output')
    .action(async (agentId: string, flags: IssueFlags) => {
      const text = jsonText(await issue(agentId, flags));
      if (flags.out === undefined) return print(text);
      await writeNew(flags.out, text);
      process.stderr.write(`Wrote ${flags.out}. Give it to the agent and name it in signing.key_file.\n`);
    });
}

function addStatement(key: Command): void {
  key
    .command('statement')
    .description(
      'make the key that statements are signed with, for statements.key_file; its public half goes to FILE.pub',
    )
    .requiredOption('--out <file>', 'file to write (mode 0600)')
    .action(async ({ out }: { out: string }) => {
      const pem = StatementKey.make();
      const { publicKey } = new StatementKey(pem);
      await writeNew(out, pem);
      await writeFile(`${out}.pub`, publicKey.pem);
      process.stderr.write(`Wrote ${out} and ${out}.pub, key ${publicKey.keyId}. Name it in statements.key_file.\n`);
    });
}

/** Never over a key that is there. */
async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    const why = messageOf(cause);
    throw new ApiError(`The key was not written to ${file}: ${why}. A new name would be right.`, EXIT_CODES.usage.code);
  }
}

async function issue(agentId: string, flags: IssueFlags): Promise<KeyFile> {
  const id = AgentConfig.shape.id.safeParse(agentId);
  if (!id.success) {
    const why = id.error.issues.map(({ message }) => message).join('; ');
    throw new ApiError(`"${agentId}" cannot be the id of an agent: it ${why}.`, EXIT_CODES.usage.code);
  }
  if (flags.keyId !== undefined) {
    return { key_id: flags.keyId, agent_id: agentId, secret: randomBytes(32).toString('hex') };
  }
  const { signing } = (await loadSettings({ ...given(flags) })).config;
  const file = flags.masterKeyFile ?? signing.master_key_file;
  if (file === undefined) {
    throw new KeyMissing(
      'There is no master key to derive from: name it in signing.master_key_file, NEPHOMETER_MASTER_KEY_FILE or ' +
        '--master-key-file, or say --key-id to make a key that is listed in signing.keys.',
    );
  }
  const master = await readMasterKey(file);
  const generation = flags.generation ?? signing.generation;
  const of = (one: number) => ({
    key_id: derivedKeyId(one),
    secret: Buffer.from(deriveAgentKey(master, agentId, one)).toString('hex'),
  });
  const previous = generation > 1 && flags.previous ? { previous: of(generation - 1) } : {};
  const { key_id, secret } = of(generation);
  return { key_id, agent_id: agentId, secret, ...previous };
}

function given({ config, dataDir }: SettingFlags): SettingFlags {
  return { ...(config === undefined ? {} : { config }), ...(dataDir === undefined ? {} : { dataDir }) };
}

function addRotate(key: Command): void {
  asClient(
    key
      .command('rotate')
      .description("name the next generation of an agent's key; the one before is refused after a while")
      .argument('<agent_id>', 'agent whose key it is'),
  )
    .option('--retire-after <duration>', 'how long both are accepted; let the spool be empty before', '7d')
    .option('--why <reason>', 'the reason, for those who ask later')
    .action(async (agentId: string, flags: ClientFlags & { retireAfter: string; why?: string }) => {
      const body = {
        agent_id: agentId,
        retire_after: flags.retireAfter,
        ...(flags.why === undefined ? {} : { why: flags.why }),
      };
      const done = await new ApiClient(flags).post<Change>('/v1/keys', JSON.stringify(body));
      const generation = done.next_key_id?.slice(1) ?? '';
      print(
        `Agent ${agentId} signs with ${done.next_key_id} next; ${done.key_id} is refused from ${done.valid_until} on.\n` +
          `Issue it where the master key is: nephometer key issue ${agentId} --generation ${generation} --out FILE\n`,
      );
    });
}

function addRevoke(key: Command): void {
  asClient(
    key
      .command('revoke')
      .description('refuse a key from now on, at every collector')
      .argument('<key_id>', 'm1, m2, ... of derived keys; `shared`; or the id of a listed one'),
  )
    .option('--agent <agent_id>', 'the agent whose key it is')
    .addOption(new Option('--all-agents', 'every key of that id').conflicts('agent'))
    .option('--at <time>', 'refuse it from this moment on (UTC); default now')
    .option('--why <reason>', 'the reason, for those who ask later')
    .action(
      async (
        keyId: string,
        flags: ClientFlags & { agent?: string; allAgents?: boolean; at?: string; why?: string },
      ) => {
        const { agent, allAgents, at, why } = flags;
        const body = {
          ...(agent === undefined ? {} : { agent_id: agent }),
          ...(allAgents === true ? { all_agents: true } : {}),
          ...(at === undefined ? {} : { at }),
          ...(why === undefined ? {} : { why }),
        };
        const done = await new ApiClient(flags).post<Change>(
          `/v1/keys/${encodeURIComponent(keyId)}/revoke`,
          JSON.stringify(body),
        );
        const whose = agent === undefined ? '' : ` of agent ${agent}`;
        print(`Key ${keyId}${whose} is refused from ${done.valid_until} on.\n`);
      },
    );
}
