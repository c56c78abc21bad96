import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import {
  ConfigError,
  loadPlugins,
  loadSettings,
  maskSecrets,
  mergeMappings,
  PLUGIN_NAMESPACES,
  silentLogger,
} from '@nephometer/core';
import type { ConfigProblem, IdlePlugin, PluginNamespace, SettingFlags } from '@nephometer/core';
import { checkSources } from 'nephometer-agent';
import { print, withConfig } from '../command.ts';
import { sampleConfig } from '../config-sample.ts';
import { configSchema, schemaDefaults } from '../schema-walk.ts';
import { searchFolders } from '../plugins.ts';
import { checkRetention } from '../retention.ts';
import { checkSchedules } from '../statement-schedule.ts';

/** A daemon goes on without it, and its meters are missing; who checks wants to know that first. */
function cannotLoad({ entry, reason }: IdlePlugin): ConfigProblem {
  const message = `the plugin of ${entry.packageName} cannot be loaded: ${reason}; mend it, or name it in disabled_plugins`;
  return { file: entry.module, line: null, key: entry.name, message };
}

/** `config init|check|show`. */
export function addConfigCommands(program: Command): void {
  const config = program.command('config').description('make, check and show the configuration');

  config
    .command('init')
    .description('write a configuration file with every key, its default and what it means')
    .argument('[file]', 'file to write', 'nephometer.yaml')
    .action(async (file: string) => {
      if (existsSync(file)) {
        const message = 'is there already and stays as it is; name another file, or move this one away';
        throw new ConfigError([{ file, line: null, key: '', message }]);
      }
      await writeFile(file, sampleConfig(), { flag: 'wx' });
      print(`Wrote ${file}. Check it with: nephometer config check --config ${file}\n`);
    });

  withConfig(config.command('check').description('check the configuration and the options of every plugin')).action(
    async (flags: SettingFlags) => {
      const loaded = await loadSettings(flags);
      checkSources(loaded.config.sources ?? [], loaded.problemAt);
      checkRetention(loaded);
      checkSchedules(loaded);
      const namespaces = Object.keys(PLUGIN_NAMESPACES) as PluginNamespace[];
      const plugins = await loadPlugins({ namespaces, loaded, log: silentLogger, searchFrom: searchFolders() });
      const broken = plugins.idle.filter(({ state }) => state === 'refused').map(cannotLoad);
      if (broken.length > 0) throw new ConfigError(broken);
      const active = plugins.pollsters.length + plugins.discoveries.length + plugins.listeners.length;
      print(
        `The configuration is right. Plugins: ${active} active, ${plugins.idle.length} off (see: nephometer plugins list).\n`,
      );
    },
  );

  withConfig(config.command('show').description('show the configuration with every default; secrets as ***')).action(
    async (flags: SettingFlags) => {
      const { written } = await loadSettings(flags);
      print(stringify(maskSecrets(mergeMappings(schemaDefaults(configSchema()), written))));
    },
  );
}
