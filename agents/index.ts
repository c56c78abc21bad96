export { agentNamespaces, createAgent, pollstersFor } from './agent.ts';
export type { Agent, AgentOptions, AgentRole } from './agent.ts';
export { agentIdentity } from './identity.ts';
export { pollPlugins } from './poll-plugins.ts';
export type { PollPluginsOptions } from './poll-plugins.ts';
export { openLmdbSpool } from './spool.ts';
export type { LmdbSpoolOptions } from './spool.ts';
export { openMemorySpool } from './spool-memory.ts';
export type { SpoolLimits } from './spool-memory.ts';
