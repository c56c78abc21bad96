import type { Command } from 'commander';
import { findPlugins, loadPlugins, loadSettings, PLUGIN_NAMESPACES, silentLogger } from '@nephometer/core';
import type { PluginEntry, PluginNamespace, SettingFlags } from '@nephometer/core';
import { print, withConfig, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import { searchFolders } from '../plugins.ts';

interface PluginRow {
  readonly name: string;
  readonly namespace: string;
  readonly package: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

/** `plugins list`: what is installed, and whether it works here. */
export function addPluginCommands(program: Command): void {
  const plugins = program.command('plugins').description('the plugins of this machine');
  withFormat(withConfig(plugins.command('list').description('installed plugins, and why some are off'))).action(
    async (flags: SettingFlags & FormatFlag) => {
      const loaded = await loadSettings(flags);
      const namespaces = Object.keys(PLUGIN_NAMESPACES) as PluginNamespace[];
      const found = await loadPlugins({ namespaces, loaded, log: silentLogger, searchFrom: searchFolders() });
      const entries = await findPlugins([...searchFolders(), ...loaded.config.plugin_paths]);
      const idle = new Map(found.idle.map((one) => [keyOf(one.entry), one]));
      const rows = entries.map((entry): PluginRow => {
        const off = idle.get(keyOf(entry));
        return { ...describe(entry), state: off?.state ?? 'active', reason: off?.reason ?? '' };
      });
      print(
        formatRows(
          rows,
          (['name', 'namespace', 'package', 'version', 'state', 'reason'] as const).map((key) => ({
            title: key,
            value: (row: PluginRow) => row[key],
          })),
          flags.format,
        ),
      );
    },
  );
}

function keyOf(entry: PluginEntry): string {
  return `${entry.namespace} ${entry.name}`;
}

function describe(entry: PluginEntry): Omit<PluginRow, 'state' | 'reason'> {
  return { name: entry.name, namespace: entry.namespace, package: entry.packageName, version: entry.version };
}
