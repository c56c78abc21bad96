import { findPlugins, loadPlugins, PLUGIN_NAMESPACES, silentLogger } from '@nephometer/core';
import type { LoadedConfig, PluginEntry, PluginNamespace } from '@nephometer/core';
import { searchFolders } from '../plugins.ts';
import { table } from './table.ts';

/** Installed plugins, and why some are off, as a table. */
export async function listPlugins(loaded: LoadedConfig): Promise<string> {
  const namespaces = Object.keys(PLUGIN_NAMESPACES) as PluginNamespace[];
  const searchFrom = searchFolders();
  const { idle } = await loadPlugins({ namespaces, loaded, log: silentLogger, searchFrom });
  const entries = await findPlugins([...searchFrom, ...loaded.config.plugin_paths]);
  const key = ({ namespace, name }: PluginEntry): string => `${namespace} ${name}`;
  const off = new Map(idle.map((one) => [key(one.entry), one]));
  const rows = entries.map((entry) => {
    const { state = 'active', reason = '' } = off.get(key(entry)) ?? {};
    return [entry.name, entry.namespace, entry.packageName, entry.version, state, reason];
  });
  return table(['name', 'namespace', 'package', 'version', 'state', 'reason'], rows);
}
