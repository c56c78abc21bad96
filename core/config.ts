import { hostname } from 'node:os';
import { z } from 'zod';
import { AgentConfig } from './config/agent.ts';
import { ApiConfig } from './config/api.ts';
import { BusConfig, CeilometerBusConfig, NotificationsConfig } from './config/bus.ts';
import { CollectorConfig, QuarantineConfig, WatchConfig } from './config/collector.ts';
import { Pipeline } from './config/pipeline.ts';
import { ListenConfig, LogConfig } from './config/process.ts';
import { SigningConfig } from './config/signing.ts';
import { PollingSource } from './config/sources.ts';
import { StatementsConfig } from './config/statements.ts';
import { StoreConfig } from './config/store.ts';
import { FoldsConfig, UsageConfig } from './config/usage.ts';
import { Duration } from './config/values.ts';
import { SECOND } from './time.ts';

export * from './config/agent.ts';
export * from './config/api.ts';
export * from './config/bus.ts';
export * from './config/collector.ts';
export * from './config/pipeline.ts';
export * from './config/process.ts';
export * from './config/signing.ts';
export * from './config/sources.ts';
export * from './config/statements.ts';
export * from './config/store.ts';
export * from './config/tokens.ts';
export * from './config/usage.ts';
export { Duration, InstantSetting, MeterPatterns, Size } from './config/values.ts';

/** The one configuration of every role. Every key is optional. */
export const Config = z
  .strictObject({
    data_dir: z
      .string()
      .min(1)
      .prefault('./data')
      .meta({ description: 'Where state is kept: spool, embedded store, tokens.' }),
    host: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'Name of this node in resource ids. Default: the host name.' }),
    interval: Duration.prefault('60s').meta({
      description: 'Time between polls, shared by every pollster (10s in `up`).',
    }),
    poll_timeout: Duration.optional().meta({
      description: 'Longest a pollster may take. Default: 0.8 of the interval.',
    }),
    sources: z
      .array(PollingSource)
      .optional()
      .meta({ description: 'Polling sources. Default: one, of all meters, on the shared interval.' }),
    pipeline: Pipeline.prefault({}),
    bus: BusConfig.prefault({}),
    ceilometer: CeilometerBusConfig.prefault({}),
    notifications: NotificationsConfig.prefault({}),
    store: StoreConfig.prefault({}),
    signing: SigningConfig.prefault({}),
    agent: AgentConfig.prefault({}),
    expected_agents: z
      .array(z.string().min(1))
      .prefault([])
      .meta({ description: 'Agent ids that must be heard; one that never was is told as `never-seen`.' }),
    watch: WatchConfig.prefault({}),
    collector: CollectorConfig.prefault({}),
    quarantine: QuarantineConfig.prefault({}),
    listen: ListenConfig.prefault({}),
    api: ApiConfig.prefault({}),
    usage: UsageConfig.prefault({}),
    folds: FoldsConfig.prefault({}),
    statements: StatementsConfig.prefault({}),
    log: LogConfig.prefault({}),
    plugins: z.record(z.string(), z.record(z.string(), z.unknown())).prefault({}).meta({
      description: 'Options of plugins, by plugin name.',
    }),
    disabled_plugins: z
      .array(z.string())
      .prefault([])
      .meta({ description: 'Names or globs of plugins that stay off.' }),
    plugin_paths: z.array(z.string()).prefault([]).meta({
      description: 'Folders of plugin packages, or folders with a node_modules to search, beside the installed ones.',
    }),
  })
  .refine((config) => config.interval >= SECOND, { path: ['interval'], error: 'must be at least 1s' })
  .refine((config) => config.poll_timeout === undefined || config.poll_timeout < config.interval, {
    path: ['poll_timeout'],
    error: 'must be shorter than interval, or polls would overlap; lower poll_timeout or raise interval',
  })
  .refine((config) => new Set(config.sources?.map(({ name }) => name)).size === (config.sources?.length ?? 0), {
    path: ['sources'],
    error: 'two sources have one name; names are part of the identity of samples, so each needs its own',
  });
export type Config = z.output<typeof Config>;
export type ConfigInput = z.input<typeof Config>;

/** The configuration with every default. */
export function defaultConfig(overrides: ConfigInput = {}): Config {
  return Config.parse(overrides);
}

/** Name of this node. */
export function nodeName(config: Config): string {
  return config.host ?? hostname();
}

/** The polling sources: those configured, or the one of everything. */
export function pollingSources(config: Config): readonly PollingSource[] {
  return config.sources ?? [{ name: 'default', meters: ['*'] }];
}
