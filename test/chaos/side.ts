import { join } from 'node:path';
import { startDaemon } from '../acceptance/nephometer.ts';
import type { Daemon, DaemonOptions } from '../acceptance/nephometer.ts';
import { temporaryFolder } from '../servers/index.ts';
import { scrape, sum } from './metrics.ts';

export type StoreKind = 'duckdb' | 'influxdb';

export interface SideSettings {
  readonly store: StoreKind;
  /** `influxdb://HOST/DATABASE`; not looked at for DuckDB. */
  readonly storeUrl: string;
  readonly env: NodeJS.ProcessEnv;
  readonly namespace: string;
  readonly tokenFile: string;
  /** Collectors beside each other; DuckDB has one. */
  readonly collectors?: number;
  readonly yaml?: readonly string[];
  /** YAML added to the mapping `bus`. */
  readonly busYaml?: string;
  /** Environment of the collectors. */
  readonly collectorEnv?: NodeJS.ProcessEnv;
}

/**
 * What stands behind the bus: collectors, API, store. DuckDB lives in one process, so collector and API are one there; a
 * collector that is killed takes its API with it.
 */
export class Side {
  readonly #settings: SideSettings;
  readonly #dataDir = join(temporaryFolder('nephometer-chaos-side'), 'data');
  #collectors: Daemon[] = [];
  #api: Daemon | null = null;
  /** Counters of collectors that were ended, by metric and label as they were read last. */
  #kills = 0;

  constructor(settings: SideSettings) {
    this.#settings = settings;
  }

  get url(): string {
    return this.api.url;
  }

  get api(): Daemon {
    const api = this.#api ?? this.#collectors[0];
    if (api === undefined) throw new Error('No API runs.');
    return api;
  }

  get collectors(): readonly Daemon[] {
    return this.#collectors;
  }

  /** Processes that were killed so far: what they counted is gone. */
  get kills(): number {
    return this.#kills;
  }

  async start(): Promise<void> {
    const { store, collectors = 1 } = this.#settings;
    if (store === 'duckdb') {
      this.#collectors = [await this.#start('node', ['run', 'collector', 'api'])];
      return;
    }
    const names = Array.from({ length: collectors }, (_, index) => `collector-${index + 1}`);
    this.#collectors = await Promise.all(names.map((name) => this.#start(name, ['run', 'collector'])));
    this.#api ??= await this.#start('api', ['run', 'api']);
  }

  /** Starts collectors (and with DuckDB the API) again, whether or not the old ones run. */
  async restartCollectors(how: 'kill' | 'end' = 'end'): Promise<void> {
    await this.stopCollectors(how);
    await this.start();
  }

  async stopCollectors(how: 'kill' | 'end' = 'end'): Promise<void> {
    if (how === 'kill') this.#kills += this.#collectors.filter(({ process }) => process.isRunning()).length;
    await Promise.all(this.#collectors.map(({ process }) => (how === 'kill' ? process.kill() : process.end())));
    this.#collectors = [];
  }

  /** Starts collectors again that died; how many had. */
  async revive(): Promise<number> {
    const dead = this.#collectors.filter(({ process }) => !process.isRunning()).length;
    if (dead === 0) return 0;
    this.#kills += dead;
    const names = this.#collectors.map((_daemon, index) =>
      this.#settings.store === 'duckdb' ? 'node' : `collector-${index + 1}`,
    );
    const roles = this.#settings.store === 'duckdb' ? ['collector', 'api'] : ['collector'];
    this.#collectors = await Promise.all(
      this.#collectors.map(async (daemon, index) =>
        daemon.process.isRunning() ? daemon : this.#start(names[index] ?? '', ['run', ...roles]),
      ),
    );
    return dead;
  }

  /** The sum of a counter over the collectors that run. */
  async counter(name: string, ...labels: readonly string[]): Promise<number> {
    const all = await Promise.all(this.#collectors.map(({ url }) => scrape(url)));
    return all.reduce((total, metrics) => total + sum(metrics, name, ...labels), 0);
  }

  async end(): Promise<void> {
    await Promise.all(
      [...this.#collectors, ...(this.#api === null ? [] : [this.#api])].map((one) => one.process.end()),
    );
    this.#collectors = [];
    this.#api = null;
  }

  #start(host: string, args: readonly string[]): Promise<Daemon> {
    const { namespace, tokenFile, yaml = [], busYaml = '', env, collectorEnv = {}, store, storeUrl } = this.#settings;
    const config = [
      `host: ${host}`,
      `bus: {namespace: ${namespace}, reconnect_max: 5s, heartbeat: 5s${busYaml}}`,
      `api: {tokens: [{name: judge, role: admin, file: ${JSON.stringify(tokenFile)}}]}`,
      "disabled_plugins: ['*']",
      'log: {format: json}',
      ...yaml,
    ].join('\n');
    const own = store === 'duckdb' ? { dataDir: this.#dataDir } : {};
    const storeEnv = store === 'duckdb' ? {} : { NEPHOMETER_STORE_URL: storeUrl };
    const options: DaemonOptions = {
      args,
      config,
      env: { ...env, ...storeEnv, ...(args.includes('collector') ? collectorEnv : {}) },
      probe: '/healthz',
      ...own,
    };
    return startDaemon(options);
  }
}
