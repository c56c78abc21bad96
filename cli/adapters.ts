import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError, messageOf, nodeName } from '@nephometer/core';
import type { Bus, Config, Logger, MetricRegistry, Store } from '@nephometer/core';

/** What every adapter is given. */
export interface AdapterContext {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
}

/** A bus that is made but not connected yet. */
export interface OpenBus extends Bus {
  /** Resolves with the first connection; rejects when trying again does not help. */
  connect(): Promise<void>;
}

/** Makes the configured bus; adapters are optional packages, loaded when they are asked for. */
export async function openBus(context: AdapterContext & { onFatal: (cause: unknown) => void }): Promise<OpenBus> {
  const { config, log, metrics, onFatal } = context;
  if (config.bus.url.startsWith('memory:')) {
    const { createMemoryBus } = await import('@nephometer/bus-memory');
    return Object.assign(createMemoryBus({ log, metrics }), { connect: () => Promise.resolve() });
  }
  const { createAmqpBus } = await adapter('@nephometer/bus-amqp', () => import('@nephometer/bus-amqp'));
  return createAmqpBus({
    url: config.bus.url,
    config: config.bus,
    name: `nephometer ${nodeName(config)}`,
    log,
    metrics,
    onFatal,
  });
}

/** Opens the configured store; null for `none`, where the data is taken from the bus by others. */
export async function openStore({ config, log, metrics }: AdapterContext): Promise<Store | null> {
  const url = config.store.url;
  if (url === 'none' || url.startsWith('none:')) return null;
  if (url.startsWith('memory')) {
    const { createMemoryStore } = await adapter('@nephometer/store-memory', () => import('@nephometer/store-memory'));
    return createMemoryStore();
  }
  if (url.startsWith('duckdb')) {
    const { openDuckDbStore } = await adapter('@nephometer/store-duckdb', () => import('@nephometer/store-duckdb'));
    return openDuckDbStore({ path: duckDbPath(config), log, metrics });
  }
  const { openInfluxStore } = await adapter('@nephometer/store-influxdb', () => import('@nephometer/store-influxdb'));
  return openInfluxStore({
    url,
    secret: await storeSecret(config),
    writer: nodeName(config),
    timeoutMs: config.store.timeout / 1000,
    log,
    metrics,
  });
}

/** `duckdb:` is a file in data_dir, `duckdb:PATH` another. */
function duckDbPath(config: Config): string {
  const path = config.store.url.replace(/^duckdb:(\/\/)?/, '');
  return path === '' ? resolve(config.data_dir, 'nephometer.duckdb') : resolve(path);
}

async function storeSecret(config: Config): Promise<string | null> {
  const file = config.store.password_file;
  if (file === undefined) return process.env['NEPHOMETER_STORE_PASSWORD'] ?? null;
  try {
    return (await readFile(file, 'utf8')).trimEnd();
  } catch (cause) {
    const message = `cannot read ${file}: ${messageOf(cause)}`;
    throw new ConfigError([{ file: 'configuration', line: null, key: 'store.password_file', message }]);
  }
}

async function adapter<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const message = `needs the package ${name}, which cannot be loaded here (${messageOf(cause)}); install it, or choose another url`;
    throw new ConfigError([
      { file: 'configuration', line: null, key: name.includes('bus') ? 'bus.url' : 'store.url', message },
    ]);
  }
}
