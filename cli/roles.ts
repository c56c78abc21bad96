import type { PluginNamespace } from '@nephometer/core';
import { agentNamespaces } from 'nephometer-agent';

export const ROLES = ['compute-agent', 'central-agent', 'collector', 'api'] as const;
export type Role = (typeof ROLES)[number];

/** The ports that roles listen on when nothing else is said. */
export const DEFAULT_PORTS = { api: 8777, collector: 8778, agent: 8779 } as const;

export function isAgent(role: Role): role is 'compute-agent' | 'central-agent' {
  return role === 'compute-agent' || role === 'central-agent';
}

export function needsStore(roles: readonly Role[]): boolean {
  return roles.includes('collector') || roles.includes('api');
}

export function namespacesOf(roles: readonly Role[]): PluginNamespace[] {
  const listeners: PluginNamespace[] = roles.includes('collector') ? ['nephometer.collector'] : [];
  return [...agentNamespaces(roles.filter(isAgent)), ...listeners];
}
