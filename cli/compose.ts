import { createApi } from '@nephometer/api';
import type { Api, ApiOptions } from '@nephometer/api';
import {
  createAgentWatch,
  createCollector,
  createCollectorServer,
  createNotificationListener,
} from '@nephometer/collector';
import type { Collector } from '@nephometer/collector';
import {
  AgentBook,
  assertVerifies,
  ConfigError,
  declaredTokens,
  KeyBook,
  loadKeyring,
  loadPlugins,
  MetricRegistry,
  nodeName,
  OwnKeyWatch,
  ProcessStatus,
  ReplaceableKeyring,
  serveStatus,
  ServiceGroup,
  systemClock,
  TokenBook,
} from '@nephometer/core';
import type { LoadedConfig, LoadedPlugins, Logger, Service, Spool, Store } from '@nephometer/core';
import { agentIdentity, checkSources, createAgent, openLmdbSpool } from 'nephometer-agent';
import { join } from 'node:path';
import { openBus, openStore } from './adapters.ts';
import type { OpenBus } from './adapters.ts';
import { FatalLine } from './fatal-line.ts';
import { searchFolders } from './plugins.ts';
import { checkRetention, createRetention } from './retention.ts';
import { DEFAULT_PORTS, isAgent, namespacesOf, needsStore } from './roles.ts';
import type { Role } from './roles.ts';
import { statementKey } from './statement-key.ts';
import { StatementSchedules } from './statement-schedule.ts';
import { VERSION } from './version.ts';

/** One process: the roles it runs, on the adapters that the configuration names. */
export interface Composition {
  readonly service: Service;
  readonly tokens: TokenBook;
  readonly plugins: LoadedPlugins;
  readonly metrics: MetricRegistry;
  /** Where this process answers; known after the start. */
  readonly address: () => string;
  /** Takes what ends the process when something fails that no retry heals. */
  readonly onFatal: (stop: (cause: Error) => void) => void;
  /** Closes what `compose` opened, for a composition that is never started. */
  readonly release: () => Promise<void>;
}

interface Parts {
  readonly roles: readonly Role[];
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  readonly status: ProcessStatus;
  readonly keyring: KeyBook;
  /** Takes up a replaced key file; null where nothing here signs with a key file of its own. */
  readonly ownKey: Service | null;
  readonly bus: OpenBus;
  readonly fatal: FatalLine;
  readonly store: Store | null;
  /** What the ledger says of the agents; where there is a store. */
  readonly agents: AgentBook | null;
  /** Only where an agent runs. */
  readonly spool: Spool | null;
  readonly plugins: LoadedPlugins;
  readonly tokens: TokenBook;
}

/** Opens the adapters and wires the roles. Nothing runs before `service.start()`. */
export async function compose(roles: readonly Role[], loaded: LoadedConfig, log: Logger): Promise<Composition> {
  const { config } = loaded;
  const metrics = new MetricRegistry();
  const status = new ProcessStatus(metrics, {
    version: VERSION,
    roles,
    host: nodeName(config),
    started: new Date().toISOString(),
  });
  if (roles.includes('collector')) assertVerifies(config);
  if (roles.some(isAgent)) checkSources(config.sources ?? [], loaded.problemAt);
  const configured = new ReplaceableKeyring(await loadKeyring(config));
  const plugins = await loadPlugins({ namespaces: namespacesOf(roles), loaded, log, searchFrom: searchFolders() });
  if (needsStore(roles) && config.store.url.startsWith('none')) throw storeNeeded();
  const declared = await declaredTokens(config.api.tokens);
  const fatal = new FatalLine();
  const bus = await openBus({ config, log, metrics, onFatal: fatal.report });
  const opened: { store: Store | null; spool: Spool | null } = { store: null, spool: null };
  try {
    const store = needsStore(roles) ? await openStore({ config, log, metrics }) : null;
    opened.store = store;
    const spool = roles.some(isAgent) ? await openSpool(loaded, log) : null;
    opened.spool = spool;
    const keyring = new KeyBook(configured, store);
    const tokens = new TokenBook(declared, store);
    const agents = store === null ? null : agentBook(config, store);
    return await wire({
      roles,
      loaded,
      log,
      metrics,
      status,
      keyring,
      ownKey: roles.some(isAgent) ? await ownKeyWatch(config, configured, log) : null,
      bus,
      fatal,
      store,
      agents,
      spool,
      plugins,
      tokens,
    });
  } catch (cause) {
    await closeAdapters({ bus, ...opened });
    throw cause;
  }
}

/** Order of start: what receives before what sends; stop goes the other way. */
async function wire(parts: Parts): Promise<Composition> {
  const collector = parts.store !== null && parts.roles.includes('collector') ? collectorOf(parts, parts.store) : null;
  const served =
    parts.store !== null && parts.agents !== null && parts.roles.includes('api')
      ? await apiOf(parts, parts.store, parts.agents, collector)
      : null;
  const api = served?.api ?? null;
  const agent = parts.spool === null ? null : await agentOf(parts, parts.spool);
  const door = api === null ? doorOf(parts, collector) : null;
  const services = [
    adaptersAsService(parts),
    ...(collector === null || parts.store === null
      ? []
      : [collector, listenerOf(parts, parts.store), retentionOf(parts, parts.store), ...watchOf(parts, parts.store)]),
    ...(served === null ? [] : [served.api, served.schedules]),
    ...(door === null ? [] : [door]),
    ...(agent === null ? [] : [agent]),
    ...(parts.ownKey === null ? [] : [parts.ownKey]),
    connection(parts),
  ];
  return {
    service: new ServiceGroup('nephometer', services, parts.log),
    tokens: parts.tokens,
    plugins: parts.plugins,
    metrics: parts.metrics,
    onFatal: parts.fatal.connect,
    release: () => closeAdapters(parts),
    address: () => api?.url ?? `http://${parts.loaded.config.listen.host}:${door?.port ?? 0}`,
  };
}

function agentBook({ expected_agents: expected, watch }: LoadedConfig['config'], store: Store): AgentBook {
  const { margin, lookback } = watch;
  return new AgentBook({ store, clock: systemClock, expected, margin, lookback });
}

function watchOf({ agents, loaded, log, metrics }: Parts, store: Store): Service[] {
  const { config } = loaded;
  return agents === null ? [] : [createAgentWatch({ config, book: agents, store, clock: systemClock, log, metrics })];
}

function storeNeeded(): ConfigError {
  const message =
    'is none, but collectors record in a store and the API answers from one; name one, or run agents alone';
  return new ConfigError([{ file: 'configuration', line: null, key: 'store.url', message }]);
}

function collectorOf(parts: Parts, store: Store): Collector {
  const { log, metrics, status, keyring, bus, loaded } = parts;
  return createCollector({ config: loaded.config, bus, store, keyring, clock: systemClock, log, metrics, status });
}

function listenerOf(parts: Parts, store: Store): Service {
  const { log, metrics, status, keyring, bus, loaded, plugins } = parts;
  const config = loaded.config;
  return createNotificationListener({ config, bus, plugins, keyring, store, clock: systemClock, log, metrics, status });
}

function retentionOf({ loaded, log }: Parts, store: Store): Service {
  checkRetention(loaded);
  return createRetention({ config: loaded.config, store, clock: systemClock, log });
}

async function apiOf(
  parts: Parts,
  store: Store,
  agents: AgentBook,
  ingest: Collector | null,
): Promise<{ readonly api: Api; readonly schedules: StatementSchedules }> {
  const { log, metrics, status, keyring, bus, loaded, tokens } = parts;
  const schedules = new StatementSchedules(loaded, systemClock);
  const options: ApiOptions = {
    config: withPort(loaded.config, DEFAULT_PORTS.api),
    store,
    tokens,
    status,
    keyring,
    agents,
    clock: systemClock,
    log,
    metrics,
    bus,
    ingest,
    statementKey: await statementKey(loaded.config),
    expectedClose: schedules.expectedClose,
  };
  schedules.serve(options);
  return { api: createApi(options), schedules };
}

/** A process without the API still answers its health, and a collector its second door. */
function doorOf(parts: Parts, collector: Collector | null): (Service & { readonly port: number | null }) | null {
  const { loaded, log, status, tokens } = parts;
  const { host, port } = loaded.config.listen;
  if (collector === null) {
    return serveStatus({
      host,
      port: port ?? DEFAULT_PORTS.agent,
      status,
      log,
      authenticate: (token) => tokens.identify(token),
    });
  }
  const maxBody = loaded.config.api.max_body;
  return createCollectorServer({
    host,
    port: port ?? DEFAULT_PORTS.collector,
    collector,
    status,
    tokens,
    log,
    maxBody,
  });
}

async function agentOf(parts: Parts, spool: Spool): Promise<Service> {
  const { log, metrics, status, keyring, bus, loaded, plugins, roles } = parts;
  const { config } = loaded;
  const agentId = await agentIdentity(config.data_dir, config);
  const clock = systemClock;
  return createAgent({
    roles: roles.filter(isAgent),
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
    onFatal: parts.fatal.report,
  });
}

async function ownKeyWatch(
  config: LoadedConfig['config'],
  keyring: ReplaceableKeyring,
  log: Logger,
): Promise<Service | null> {
  const agentId = await agentIdentity(config.data_dir, config);
  return OwnKeyWatch.of({ config, agentId, keyring, clock: systemClock, log });
}

function openSpool({ config }: LoadedConfig, log: Logger): Promise<Spool> {
  const { max_size: maxBytes, when_full: whenFull } = config.agent.spool;
  return openLmdbSpool({ folder: join(config.data_dir, 'spool'), maxBytes, whenFull, log });
}

/** Bus, store and spool are open before everything else starts, and close after all else has stopped. */
function adaptersAsService(parts: Parts): Service {
  return { name: 'adapters', start: () => Promise.resolve(), stop: () => closeAdapters(parts) };
}

/**
 * Connects last, and nothing waits for it: what the others have declared takes effect with the first connection. Until
 * then agents spool, the API answers, and readiness says what is missing.
 */
function connection({ bus, fatal }: Parts): Service {
  return {
    name: 'bus connection',
    start() {
      bus.connect().catch(fatal.report);
      return Promise.resolve();
    },
    stop: () => Promise.resolve(),
  };
}

async function closeAdapters({ bus, store, spool }: Pick<Parts, 'bus' | 'store' | 'spool'>): Promise<void> {
  await bus.close();
  await store?.close();
  await spool?.close();
}

function withPort(config: LoadedConfig['config'], port: number): LoadedConfig['config'] {
  return { ...config, listen: { ...config.listen, port: config.listen.port ?? port } };
}
