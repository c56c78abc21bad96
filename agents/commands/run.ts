import { join } from 'node:path';
import { createAmqpBus } from '@nephometer/bus-amqp';
import type { AmqpBus } from '@nephometer/bus-amqp';
import {
  ConfigError,
  daemonLogger,
  keepFilesPrivate,
  declaredTokens,
  loadKeyring,
  loadPlugins,
  MetricRegistry,
  nodeName,
  OwnKeyWatch,
  ProcessStatus,
  ReplaceableKeyring,
  runUntilSignal,
  serveStatus,
  systemClock,
  TokenBook,
} from '@nephometer/core';
import type { Config, LoadedConfig, Logger, ProcessStatus as Status, Service, Spool } from '@nephometer/core';
import { createAgent } from '../agent.ts';
import { agentIdentity } from '../identity.ts';
import { searchFolders } from '../plugins.ts';
import { agentNamespaces } from '../roles.ts';
import type { AgentRole } from '../roles.ts';
import { checkSources } from '../sources.ts';
import { openLmdbSpool } from '../spool.ts';

const AGENT_PORT = 8779;

/**
 * Runs the agent until a signal. It polls and spools from the first second, whether or not the broker is there.
 * @throws ConfigError, KeyMissing
 */
export async function runAgent(roles: readonly AgentRole[], loaded: LoadedConfig, version: string): Promise<void> {
  keepFilesPrivate();
  const { config } = loaded;
  checkSources(config.sources ?? [], loaded.problemAt);
  const log = daemonLogger(config);
  const keyring = new ReplaceableKeyring(await loadKeyring(config));
  const agentId = await agentIdentity(config.data_dir, config);
  keyring.signingKey(agentId);
  const plugins = await loadPlugins({ namespaces: agentNamespaces(roles), loaded, log, searchFrom: searchFolders() });
  const metrics = new MetricRegistry();
  const started = new Date().toISOString();
  const status = new ProcessStatus(metrics, { version, roles, host: nodeName(config), agent: agentId, started });
  const { max_size: maxBytes, when_full: whenFull } = config.agent.spool;
  const spool = await openLmdbSpool({ folder: join(config.data_dir, 'spool'), maxBytes, whenFull, log });
  let fatal: (cause: Error) => void = () => undefined;
  const onFatal = (cause: Error): void => fatal(cause);
  const bus = openBus(config, log, metrics, onFatal);
  const clock = systemClock;
  const agent = createAgent({
    roles,
    config,
    plugins,
    bus,
    keyring,
    spool,
    agentId,
    clock,
    log,
    metrics,
    status,
    onFatal,
  });
  const door = await statusDoor(config, status, log);
  const ownKey = OwnKeyWatch.of({ config, agentId, keyring, clock, log });
  await runUntilSignal(inOrder({ agent, door, bus, spool, ownKey, onFatal }), log, {
    onReady: (stop) => (fatal = stop),
  });
}

/** Beyond loopback only tokens that the configuration declares are known here: an agent reaches no store. */
async function statusDoor(config: Config, status: Status, log: Logger): Promise<Service> {
  const tokens = new TokenBook(await declaredTokens(config.api.tokens), null);
  return serveStatus({
    host: config.listen.host,
    port: config.listen.port ?? AGENT_PORT,
    status,
    log,
    ...(config.api.tokens.length === 0 ? {} : { authenticate: (token: string) => tokens.identify(token) }),
  });
}

function openBus(config: Config, log: Logger, metrics: MetricRegistry, onFatal: (cause: Error) => void): AmqpBus {
  if (config.bus.url.startsWith('memory')) {
    const message = 'is inside one process, and this command is one role alone; name a broker, or run `nephometer up`';
    throw new ConfigError([{ file: 'configuration', line: null, key: 'bus.url', message }]);
  }
  const name = `nephometer-agent ${nodeName(config)}`;
  return createAmqpBus({ url: config.bus.url, config: config.bus, name, log, metrics, onFatal });
}

interface Parts {
  readonly agent: Service;
  readonly door: Service;
  readonly bus: AmqpBus;
  readonly spool: Spool;
  readonly ownKey: Service | null;
  readonly onFatal: (cause: Error) => void;
}

/** Start: door, agent, and the connection whenever it comes. Stop: the other way round, the spool last. */
function inOrder({ agent, door, bus, spool, ownKey, onFatal }: Parts): Service {
  return {
    name: 'nephometer-agent',
    async start() {
      await door.start();
      await ownKey?.start();
      bus.connect().catch((cause: unknown) => onFatal(cause instanceof Error ? cause : new Error(String(cause))));
      await agent.start();
    },
    async stop() {
      await agent.stop();
      await ownKey?.stop();
      await bus.close();
      await spool.close();
      await door.stop();
    },
  };
}
