import {
  encodeBatch,
  headerDigest,
  merkleRoot,
  signHeader,
  CONTRACT_VERSION,
  createLogger,
  defaultConfig,
  MetricRegistry,
  ProcessStatus,
  SharedSecretKeyring,
} from '@nephometer/core';
import type {
  ActivePlugin,
  Config,
  ConfigInput,
  Discovery,
  LoadedPlugins,
  Logger,
  PluginEntry,
  PluginNamespace,
  Pollster,
} from '@nephometer/core';
import type { SealedBatch } from './seal.ts';

/** What the tests of this folder share: plugins without packages, a log that can be read, a secret. */
export const SECRET = Buffer.from('a secret of the tests');
export const keyring = new SharedSecretKeyring(SECRET);

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export function recordingLogger(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as LogLine);
  return { log: createLogger({ level: 'debug', format: 'json', write }), lines };
}

export function processStatus(): { metrics: MetricRegistry; status: ProcessStatus } {
  const metrics = new MetricRegistry();
  return { metrics, status: new ProcessStatus(metrics, {}) };
}

export function testConfig(overrides: ConfigInput = {}): Config {
  return defaultConfig({ host: 'node-1', interval: '10s', ...overrides });
}

export function pollster(fields: Partial<Pollster>): Pollster {
  return {
    kind: 'pollster',
    name: 'test',
    contract: CONTRACT_VERSION,
    meters: { level: { unit: 'B', type: 'gauge', description: 'A level.' } },
    discovery: 'local-node',
    poll: (resources) => resources.map((resource) => ({ meter: 'level', resource, volume: 1 })),
    ...fields,
  };
}

export function discovery(fields: Partial<Discovery>): Discovery {
  return { kind: 'discovery', name: 'things', contract: CONTRACT_VERSION, discover: () => [], ...fields };
}

export function active<P extends Pollster | Discovery>(plugin: P, config: Config, log: Logger): ActivePlugin<P> {
  const namespace: PluginNamespace = plugin.kind === 'pollster' ? 'nephometer.poll.compute' : 'nephometer.discover';
  const entry: PluginEntry = {
    namespace,
    name: plugin.name,
    packageName: 'test',
    version: '0.0.0',
    folder: '.',
    module: 'test.js',
  };
  return { entry, plugin, context: { options: {}, host: config.host ?? '', config: {}, log } };
}

export function plugins(
  config: Config,
  log: Logger,
  pollsters: readonly Pollster[],
  discoveries: readonly Discovery[] = [],
): LoadedPlugins {
  return {
    pollsters: pollsters.map((one) => active(one, config, log)),
    discoveries: discoveries.map((one) => active(one, config, log)),
    listeners: [],
    idle: [],
  };
}

/** Nothing is sent again. */
export const NEVER = { fresh: 0, backlog: 0 } as const;

/** A sealed batch of `bytes` or a little more. */
export function batch(seq: number, bytes = 1000): SealedBatch {
  const texts = [`{"n":${seq},"filler":"${'x'.repeat(bytes)}"}`, '{}', '{}'];
  const header = signHeader(
    {
      version: 1,
      agent_id: 'agent-1',
      epoch: '0123456789abcdef',
      seq,
      created: seq * 1_000_000,
      samples: texts.length,
      merkle_root: merkleRoot(texts),
      previous: seq === 1 ? null : '0'.repeat(64),
      runs: [{ source: 'default', slot: seq * 1_000_000, samples: texts.length }],
      cycles: [],
      key_id: 'shared',
    },
    SECRET,
  );
  const { epoch, samples, created } = header;
  return { digest: headerDigest(header), epoch, seq, samples, created, body: Buffer.from(encodeBatch(header, texts)) };
}
