import type { LoadedPlugins, PluginNamespace } from '@nephometer/core';

export type AgentRole = 'compute-agent' | 'central-agent';

/** The plugin namespaces that an agent of these roles polls. */
export function agentNamespaces(roles: readonly AgentRole[]): PluginNamespace[] {
  const polled = roles.map((role): PluginNamespace =>
    role === 'compute-agent' ? 'nephometer.poll.compute' : 'nephometer.poll.central',
  );
  return [...new Set(polled), 'nephometer.discover'];
}

/** The pollsters of some roles; one that is listed for both agents runs once. */
export function pollstersFor(plugins: LoadedPlugins, roles: readonly AgentRole[]): LoadedPlugins['pollsters'] {
  const namespaces = agentNamespaces(roles);
  const wanted = plugins.pollsters.filter(({ entry }) => namespaces.includes(entry.namespace));
  return wanted.filter(({ plugin }, index) => wanted.findIndex((other) => other.plugin === plugin) === index);
}
