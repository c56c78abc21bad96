import { Argument, Option } from 'commander';
import { runUntilSignal, daemonLogger, keepFilesPrivate, loadSettings } from '@nephometer/core';
import type { SettingFlags } from '@nephometer/core';
import type { Command } from 'commander';
import { compose } from '../compose.ts';
import { ROLES } from '../roles.ts';
import type { Role } from '../roles.ts';
import { withConfig } from '../command.ts';
import { makeDataDir } from '../secret.ts';

/** `run ROLE...`: some roles against a shared broker and store. */
export function addRun(program: Command): void {
  withConfig(
    program
      .command('run')
      .description('run some roles against a shared RabbitMQ and store')
      .addArgument(new Argument('<roles...>', 'what this process does').choices([...ROLES])),
  )
    .addOption(new Option('--bus <url>', 'message bus, amqp://USER@HOST:5672').env('NEPHOMETER_BUS_URL'))
    .addOption(
      new Option('--store <url>', 'store, influxdb://HOST:8086/DATABASE or duckdb:PATH').env('NEPHOMETER_STORE_URL'),
    )
    .option('--port <port>', 'port to answer on (default 8777 with the API, else 8778 collector, 8779 agents)')
    .action(async (roles: Role[], _flags: unknown, command: Command) => {
      const loaded = await loadSettings(commandLineOnly(command));
      keepFilesPrivate();
      await makeDataDir(loaded.config);
      const log = daemonLogger(loaded.config);
      const composition = await compose([...new Set(roles)], loaded, log);
      await runUntilSignal(composition.service, log, {
        onReady: composition.onFatal,
        onStarted: () => log.info({ roles, address: composition.address() }, 'Running.'),
      });
    });
}

/** Only what stood on the command line: the environment is read elsewhere, where passwords are allowed. */
function commandLineOnly(command: Command): SettingFlags {
  const given = Object.entries(command.opts()).filter(([name]) => command.getOptionValueSource(name) === 'cli');
  return Object.fromEntries(given);
}
