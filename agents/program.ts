import { Command, Option } from 'commander';
import { readFileSync } from 'node:fs';
import { EXIT_CODES, silentLogger } from '@nephometer/core';
import type { AgentRole } from './roles.ts';
import { pollOnceCommand } from './commands/poll.ts';
import { listPlugins } from './commands/plugins.ts';
import { runAgent } from './commands/run.ts';
import { loadSettings } from '@nephometer/core';
import type { SettingFlags } from '@nephometer/core';

export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

const ROLES: Readonly<Record<string, AgentRole>> = { compute: 'compute-agent', central: 'central-agent' };

/** The command `nephometer-agent`. Every command but `run` leaves nothing running behind. */
export function createProgram(): Command {
  const program = new Command('nephometer-agent')
    .description('The metering agent of one node: polls, signs, spools, publishes.')
    .version(VERSION)
    .addHelpText('after', exitCodeHelp());
  withSettings(program.command('run').description('run until SIGTERM'))
    .argument('[roles...]', 'compute, central, or both', ['compute'])
    .option('--bus <url>', 'the message bus; a password goes into NEPHOMETER_BUS_URL or bus.password_file')
    .option('--port <port>', 'port of /healthz, /readyz, /metrics and /varz')
    .action(async (words: string[], flags: SettingFlags, command: Command) => {
      const roles = words.map((word) => {
        const role = Object.hasOwn(ROLES, word) ? ROLES[word] : undefined;
        return role ?? command.error(`unknown role ${word}; known: ${Object.keys(ROLES).join(', ')}`);
      });
      await runAgent([...new Set(roles)], await loadSettings(flags), VERSION);
    });
  withSettings(program.command('poll').description('poll once and show the samples; sends nothing'))
    .argument('[plugins...]', 'names of pollsters, or folders of plugin packages')
    .requiredOption('--once', 'poll one time and stop')
    .option('--json', 'one JSON object a sample')
    .action(async (wanted: string[], flags: SettingFlags & { json?: boolean }) => {
      process.exitCode = await pollOnceCommand(wanted, flags.json === true, await loadSettings(flags), silentLogger);
    });
  const plugins = program.command('plugins').description('the plugins of this machine');
  withSettings(plugins.command('list').description('installed plugins, and why some are off')).action(
    async (flags: SettingFlags) => void process.stdout.write(await listPlugins(await loadSettings(flags))),
  );
  for (const command of [program, plugins, ...program.commands, ...plugins.commands]) command.exitOverride();
  return program;
}

function withSettings(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', 'configuration file (YAML)').env('NEPHOMETER_CONFIG'))
    .addOption(new Option('--data-dir <folder>', 'where id and spool are kept').env('NEPHOMETER_DATA_DIR'));
}

function exitCodeHelp(): string {
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padStart(2)}  ${meaning}`);
  return `\nExit codes:\n${rows.join('\n')}`;
}
