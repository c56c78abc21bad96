import { hostname } from 'node:os';
import { z } from 'zod';
import { LOG_LEVELS } from './log.ts';
import { patternListProblem } from './model/patterns.ts';
import { messageOf } from './errors.ts';
import { UsageDefinition } from './model/usage/definition.ts';
import { parseDuration, parseTimestamp, SECOND } from './time.ts';

/** A duration as a user writes it (`60s`, `10m`, `PT1H`), read into microseconds. */
export const Duration = z
  .string({ error: 'must be a duration with its unit, such as 60s, 10m or PT1H' })
  .transform((text, context) => {
    try {
      return parseDuration(text);
    } catch (cause) {
      context.addIssue({ code: 'custom', message: messageOf(cause), input: text });
      return z.NEVER;
    }
  });

/** A size as a user writes it (`64KiB`, `256MiB`, `1GB`), read into bytes. */
export const Size = z
  .string({ error: 'must be a size with its unit, such as 64KiB or 1GB' })
  .transform((text, context) => {
    const match = /^(\d+)\s*(B|kB|MB|GB|KiB|MiB|GiB)$/.exec(text.trim());
    const factor = SIZE_FACTORS[match?.[2] ?? ''];
    if (match === null || factor === undefined) {
      const message = `is not a size; write a whole number and a unit, such as 64KiB, 256MiB or 1GB`;
      context.addIssue({ code: 'custom', message, input: text });
      return z.NEVER;
    }
    return Number(match[1]) * factor;
  });

const SIZE_FACTORS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** A list of meter names or globs, `!` excludes. */
export const MeterPatterns = z.array(z.string().min(1)).superRefine((patterns, context) => {
  const problem = patternListProblem(patterns);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem, input: patterns });
});

const Port = z.int().min(0).max(65535);

export const PollingSource = z
  .strictObject({
    name: z.string().min(1).meta({ description: 'Name of the source; part of the identity of its samples.' }),
    interval: Duration.optional().meta({
      description: 'Time between polls of this source. Default: the shared interval.',
    }),
    cron: z
      .string()
      .optional()
      .meta({ description: 'A cron expression in place of an interval, seconds field allowed.' }),
    tz: z.string().optional().meta({
      description:
        'Zone of the cron expression. Default UTC; a zone with clock changes skips or doubles an hour twice a year.',
    }),
    meters: MeterPatterns.meta({ description: 'Meter names or globs to poll; `!` in front excludes.' }),
    resources: z.array(z.string()).optional().meta({ description: 'Static resources handed to the pollsters.' }),
    discovery: z.array(z.string()).optional().meta({
      description: "Discoveries, `name` or `name://parameter`, in place of the pollsters' own.",
    }),
  })
  .refine((source) => source.interval === undefined || source.cron === undefined, {
    path: ['cron'],
    error: 'cannot stand beside interval; keep one of the two',
  })
  .refine((source) => source.tz === undefined || source.cron !== undefined, {
    path: ['tz'],
    error: 'only means something beside cron; add cron or remove tz',
  });
export type PollingSource = z.output<typeof PollingSource>;

export const Transformer = z.strictObject({
  name: z.enum(['unit_conversion', 'rate_of_change', 'rename', 'metadata']).meta({
    description: 'unit_conversion and rate_of_change as in Ceilometer; rename and metadata are ours.',
  }),
  parameters: z.record(z.string(), z.unknown()).prefault({}).meta({ description: 'Parameters of the transformer.' }),
});
export type Transformer = z.output<typeof Transformer>;

export const PipelineSource = z.strictObject({
  name: z.string().min(1),
  meters: MeterPatterns,
  sinks: z.array(z.string()).min(1),
});

export const PipelineSink = z.strictObject({
  name: z.string().min(1),
  transformers: z.array(Transformer).prefault([]),
  publishers: z.array(z.string()).prefault(['nephometer://']).meta({
    description: 'Where the samples go. `nephometer://` is our bus.',
  }),
});

export const Pipeline = z
  .strictObject({
    sources: z.array(PipelineSource).prefault([{ name: 'all', meters: ['*'], sinks: ['bus'] }]),
    sinks: z.array(PipelineSink).prefault([{ name: 'bus' }]),
  })
  .superRefine((pipeline, context) => {
    const names = new Set(pipeline.sinks.map((sink) => sink.name));
    pipeline.sources.forEach((source, index) => {
      for (const sink of source.sinks.filter((name) => !names.has(name))) {
        const message = `names the sink "${sink}", which is not there; sinks here: ${[...names].join(', ')}`;
        context.addIssue({ code: 'custom', path: ['sources', index, 'sinks'], message, input: source.sinks });
      }
    });
  });
export type Pipeline = z.output<typeof Pipeline>;

export const TokenRole = z.enum(['admin', 'reader', 'writer']);

export const DeclaredToken = z
  .strictObject({
    name: z.string().min(1).meta({ description: 'Name of the token in logs and lists.' }),
    hash: z
      .string()
      .regex(
        /^sha256:[0-9a-f]{64}$/,
        'must be sha256: and 64 lower-case hex digits, as `nephometer token create` prints it',
      )
      .optional()
      .meta({ description: 'Hash of the token.' }),
    file: z.string().optional().meta({ description: 'File that holds the token; a final newline is trimmed.' }),
    role: TokenRole,
    projects: z.array(z.string()).optional().meta({ description: 'Projects that a reader may see.' }),
    user_id: z.string().optional().meta({ description: 'User in whose name a writer posts.' }),
  })
  .refine((token) => (token.hash === undefined) !== (token.file === undefined), {
    path: ['hash'],
    error: 'give exactly one of hash and file',
  })
  .refine((token) => token.role !== 'reader' || (token.projects?.length ?? 0) > 0, {
    path: ['projects'],
    error: 'a reader is bound to projects; name at least one',
  });
export type DeclaredToken = z.output<typeof DeclaredToken>;

const url = (schemes: readonly string[], example: string) =>
  z.string().refine((text) => schemes.some((scheme) => text === scheme || text.startsWith(`${scheme}:`)), {
    error: `must begin with ${schemes.map((scheme) => `${scheme}:`).join(', ')}; for example ${example}`,
  });

export const BusConfig = z.strictObject({
  url: url(['amqp', 'amqps', 'memory'], 'amqp://user@broker:5672')
    .prefault('amqp://guest:guest@127.0.0.1:5672')
    .meta({ description: 'The message bus. `memory:` is inside one process (`up`). Secrets: see password_file.' }),
  password_file: z.string().optional().meta({ description: 'File with the password of the user in url.' }),
  namespace: z
    .string()
    .regex(/^[\w.-]+$/, 'must be letters, digits, `.`, `_` or `-`')
    .prefault('nephometer')
    .meta({
      description: 'Prefix of our exchanges and queues; two installations on one broker need two.',
    }),
  window: z.int().min(1).max(10_000).prefault(256).meta({ description: 'Messages published and not yet confirmed.' }),
  heartbeat: Duration.prefault('15s').meta({ description: 'AMQP heartbeat.' }),
  reconnect_max: Duration.prefault('30s').meta({ description: 'Longest wait between two attempts to connect.' }),
  confirm_alarm: Duration.prefault('60s').meta({ description: 'A publish without confirm for this long is alarmed.' }),
  delivery_limit: z
    .int()
    .min(1)
    .prefault(20)
    .meta({ description: 'Deliveries before the broker dead-letters a message.' }),
  max_message: Size.prefault('16MiB').meta({ description: 'Largest message taken from the bus.' }),
});

export const CeilometerBusConfig = z.strictObject({
  enabled: z.boolean().prefault(false).meta({ description: 'Also consume samples that a Ceilometer publishes.' }),
  exchange: z.string().prefault('ceilometer').meta({ description: "Ceilometer's exchange." }),
  durable: z.boolean().prefault(false).meta({ description: 'Whether that exchange is durable (amqp_durable_queues).' }),
  auto_delete: z.boolean().prefault(false).meta({ description: 'Whether it is deleted with its last queue.' }),
  routing_keys: z.array(z.string()).prefault(['metering.sample', 'notifications.sample']).meta({
    description: 'Routing keys to bind; our queue is our own, so a Ceilometer that runs loses nothing.',
  }),
});

export const NotificationsConfig = z.strictObject({
  exchanges: z.array(z.string()).prefault(['nova', 'glance', 'cinder', 'neutron']).meta({
    description: 'Exchanges of the services to listen to.',
  }),
  topics: z.array(z.string()).prefault(['notifications']).meta({ description: 'Topics (`notification_topics`).' }),
  priorities: z
    .array(z.enum(['info', 'sample', 'error', 'warn', 'debug', 'critical', 'audit']))
    .prefault(['info', 'sample']),
  durable: z
    .boolean()
    .prefault(false)
    .meta({ description: 'Whether the exchanges are durable (amqp_durable_queues).' }),
  auto_delete: z.boolean().prefault(false).meta({ description: 'Whether they are deleted with their last queue.' }),
  source: z.string().prefault('openstack').meta({ description: 'Source of the samples made from notifications.' }),
});

export const RetentionSetting = z.strictObject({
  meters: MeterPatterns,
  keep: Duration.meta({ description: 'How long samples of these meters are kept, in whole UTC days.' }),
});

export const StoreConfig = z.strictObject({
  url: url(
    ['duckdb', 'influxdb', 'influxdbs', 'influxdb2', 'influxdb2s', 'memory', 'none'],
    'influxdb://user@host:8086/nephometer',
  )
    .prefault('duckdb:')
    .meta({
      description:
        'The time-series store: `duckdb:` (a file in data_dir), `duckdb:PATH`, `influxdb://HOST:8086/DATABASE` (1.x), ' +
        '`influxdb2://HOST:8086/ORG/BUCKET`, `memory:`, `none`. A final s (`influxdbs:`) means TLS.',
    }),
  password_file: z.string().optional().meta({ description: 'File with the password (1.x) or the token (2.x).' }),
  timeout: Duration.prefault('10s').meta({ description: 'Longest a request to the store may take.' }),
  retention: z.array(RetentionSetting).prefault([]).meta({
    description: 'What may be removed after which time; the first rule that matches a meter holds. Default: nothing.',
  }),
  retention_schedule: z.string().prefault('17 3 * * *').meta({ description: 'When it is removed (cron, UTC).' }),
});

/** An instant as a user writes it, read into microseconds; without a zone it is UTC. */
export const InstantSetting = z
  .union([z.string(), z.date()], { error: 'must be an instant, such as 2026-03-01T00:00:00Z' })
  .transform((value, context) => {
    try {
      return parseTimestamp(typeof value === 'string' ? value : value.toISOString());
    } catch (cause) {
      context.addIssue({ code: 'custom', message: messageOf(cause), input: value });
      return z.NEVER;
    }
  })
  .meta({ description: 'An instant, such as 2026-03-01T00:00:00Z.' });

const RESERVED_KEY = /^(m\d+|shared)$/;

export const ListedKey = z.strictObject({
  key_id: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, `.`, `_` or `-`')
    .refine((id) => !RESERVED_KEY.test(id), 'is the name of a derived or of the shared key; choose another')
    .meta({ description: 'Name of the key in batch headers.' }),
  agent_id: z.string().min(1).max(200).meta({ description: 'The only agent that it signs for.' }),
  secret_file: z.string().meta({ description: 'File that `nephometer key issue` wrote, or one of the bare secret.' }),
  valid_from: InstantSetting.optional().meta({ description: 'Refused before.' }),
  valid_until: InstantSetting.optional().meta({ description: 'Refused from this instant on.' }),
});
export type ListedKey = z.output<typeof ListedKey>;

export const SigningConfig = z
  .strictObject({
    secret_file: z.string().optional().meta({
      description: "File with the shared secret (Ceilometer's telemetry_secret); a final newline is trimmed.",
    }),
    master_key_file: z.string().optional().meta({
      description: 'File with the master key that every agent key is derived from; for collectors, never for a node.',
    }),
    key_file: z.string().optional().meta({
      description: "This agent's own key, as `nephometer key issue` writes it.",
    }),
    keys: z
      .array(ListedKey)
      .prefault([])
      .meta({ description: "Agents' keys one by one, beside or without a master key." }),
    generation: z.int().min(1).prefault(1).meta({
      description: 'Generation of derived keys to sign with here, unless `key rotate` named a later one.',
    }),
    accept_shared_batches: z.boolean().prefault(false).meta({
      description:
        "Accept agents' batches signed with the shared secret though agents have keys of their own; only while they change over.",
    }),
    accept_headerless: z
      .boolean()
      .optional()
      .meta({
        description:
          'Accept messages without a batch header, signed with the shared secret (a real Ceilometer, POSTs). Default: yes; ' +
          'on the bus no once agents have keys of their own.',
      }),
    clock_ahead: Duration.prefault('10m').meta({ description: 'How far ahead of our clock a timestamp may be.' }),
    clock_behind: Duration.prefault('90d').meta({ description: "How far behind our clock an agent's sample may be." }),
    headerless_behind: Duration.optional().meta({
      description: 'The same for messages without a batch header. Default: no limit.',
    }),
  })
  .refine(({ keys }) => new Set(keys.map(({ key_id: id }) => id)).size === keys.length, {
    path: ['keys'],
    error: 'two keys have one key_id; a batch names its key by it, so each needs its own',
  });

export const WatchConfig = z.strictObject({
  every: Duration.prefault('10s').meta({ description: 'How often a collector looks which agents are heard.' }),
  margin: Duration.prefault('15s').meta({
    description: 'Added to 2 and 5 intervals of an agent before it is called late, and silent.',
  }),
  lookback: Duration.prefault('7d').meta({
    description:
      'How far back the ledger is read at start; an agent not heard since is forgotten unless it is expected.',
  }),
});

export const AgentConfig = z.strictObject({
  id: z
    .string()
    .regex(/^[\w.-]{1,200}$/, 'must be 1 to 200 letters, digits, `.`, `_` or `-`')
    .optional()
    .meta({ description: 'Id of the agent. Default: made at first start.' }),
  source: z.string().min(1).prefault('openstack').meta({ description: 'Source of its samples.' }),
  spread: Duration.optional().meta({
    description: 'Ticks are delayed by a fixed part of this, by agent id. Default: a tenth of the interval.',
  }),
  max_message: Size.prefault('256KiB').meta({ description: 'Largest message that the agent publishes.' }),
  max_samples: z.int().min(1).max(10_000).prefault(500).meta({ description: 'Most samples in one message.' }),
  max_readings: z
    .int()
    .min(1)
    .prefault(100_000)
    .meta({ description: 'Most readings of one pollster run; more is a flood.' }),
  resend_after: Duration.prefault('10m').meta({ description: 'A confirmed batch without receipt is sent again.' }),
  discovery_cache: Duration.prefault('5m').meta({
    description: 'How long a discovery that failed may reuse its last result.',
  }),
  spool: z
    .strictObject({
      max_size: Size.prefault('1GiB').meta({ description: 'Room for batches that wait for their receipt.' }),
      when_full: z.enum(['refuse-new', 'drop-oldest']).prefault('refuse-new'),
    })
    .prefault({}),
});

export const CollectorConfig = z.strictObject({
  prefetch: z.int().min(1).max(10_000).prefault(200).meta({ description: 'Messages taken and not yet acknowledged.' }),
  batch: z.int().min(1).max(10_000).prefault(100).meta({ description: 'Messages recorded in one go.' }),
  linger: Duration.prefault('50ms').meta({ description: 'Longest wait for a batch to fill.' }),
  max_attempts: z.int().min(1).prefault(5).meta({
    description: 'A message that fails this often for a reason of its own is quarantined as poison.',
  }),
  quarantine_max: Size.prefault('16MiB').meta({ description: 'Bytes kept of one refused message.' }),
});

export const ListenConfig = z.strictObject({
  host: z
    .string()
    .prefault('127.0.0.1')
    .meta({ description: 'Address to listen on; beyond loopback every path needs a token.' }),
  port: Port.optional().meta({ description: 'Port. Default: 8777 API, 8778 collector, 8779 agents.' }),
});

export const ApiConfig = z.strictObject({
  default_limit: z
    .int()
    .min(1)
    .prefault(100)
    .meta({ description: 'Rows of an answer where the question gives no limit.' }),
  max_limit: z.int().min(1).prefault(100_000).meta({ description: 'Most rows that a question may ask for.' }),
  max_body: Size.prefault('16MiB').meta({ description: 'Largest request body.' }),
  public_url: z.string().optional().meta({ description: 'Base of links in answers. Default: from the request.' }),
  tokens: z
    .array(DeclaredToken)
    .prefault([])
    .meta({ description: 'Tokens declared here; others are made by `token create`.' }),
});

export const UsageConfig = z
  .strictObject({
    default_definitions: z
      .boolean()
      .prefault(true)
      .meta({ description: 'Whether the named quantities of the shipped meters are there too.' }),
    definitions: z
      .array(UsageDefinition)
      .prefault([])
      .meta({
        description:
          'Named quantities for /v1/usage. One with the name of a shipped one takes its place; old ones still answer for ' +
          'the time in which they stood.',
      }),
  })
  .refine(({ definitions }) => new Set(definitions.map(({ name }) => name)).size === definitions.length, {
    path: ['definitions'],
    error: 'two definitions have one name; rename one of them',
  });

export const LogConfig = z.strictObject({
  level: z
    .enum(LOG_LEVELS as [string, ...string[]])
    .prefault('info')
    .transform((level) => level as 'info'),
  format: z
    .enum(['json', 'text', 'auto'])
    .prefault('auto')
    .meta({ description: 'auto: text at a terminal, else json.' }),
});

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
    listen: ListenConfig.prefault({}),
    api: ApiConfig.prefault({}),
    usage: UsageConfig.prefault({}),
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
