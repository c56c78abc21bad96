import { messageOf, PluginError } from '../../errors.ts';
import type { Discovery, Resource } from '../contract.ts';
import { contextFor } from './context.ts';
import type { PluginSetting } from './context.ts';

/**
 * Asks a discovery once: options as a user writes them, the parameter that stands behind `name://`.
 * @throws PluginError when the options are refused or the plugin is of no use here; else what the discovery throws
 */
export async function discoverPlugin<Options, R extends Resource>(
  plugin: Discovery<Options, R>,
  options: unknown = {},
  parameter: string | null = null,
  setting: PluginSetting & { readonly signal?: AbortSignal } = {},
): Promise<readonly R[]> {
  const context = await contextFor(plugin, options, setting);
  return plugin.discover(parameter, {
    ...context,
    signal: setting.signal ?? AbortSignal.timeout(10_000),
    report: (resource, cause) => {
      throw new PluginError(`${plugin.name}: ${resource.id}: ${messageOf(cause)}; give all resources or throw`);
    },
  });
}
