import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@nephometer/core';
import { openLmdbSpool } from 'nephometer-agent';
import { startDaemon } from '../acceptance/nephometer.ts';
import type { Daemon } from '../acceptance/nephometer.ts';
import { removeFolder, temporaryFolder } from '../servers/index.ts';
import { scrape } from './metrics.ts';
import type { Metrics } from './metrics.ts';
import type { Control } from './plugin-synthetic/index.ts';
import type { Issued } from './values.ts';

const AGENT = fileURLToPath(new URL('../../../agents/dist/main.js', import.meta.url));
const PLUGIN = fileURLToPath(new URL('../../chaos/plugin-synthetic', import.meta.url));

export interface AgentSettings {
  readonly id: string;
  readonly env: NodeJS.ProcessEnv;
  readonly namespace: string;
  /** Seconds. */
  readonly interval?: number;
  readonly resources?: number;
  /** Beginning of its resources' names; two agents with one prefix measure the same things. */
  readonly prefix?: string;
  readonly role?: 'compute' | 'central';
  /** When a batch without receipt is sent again; 6 s by default. */
  readonly resendAfter?: string;
  /** YAML added to the mappings `agent` and `bus`: `, spool: {max_size: 1MiB}`. */
  readonly agentYaml?: string;
  readonly busYaml?: string;
  /** Whether the second pollster, which never misbehaves, runs beside the first. */
  readonly steady?: boolean;
  readonly pollTimeout?: string;
  /** Where state is kept; an own folder by default. */
  readonly dataDir?: string;
}

/** One run of an agent's process. Times in milliseconds, by the judge's clock. */
export interface Life {
  readonly started: number;
  ended: number | null;
  how: 'running' | 'drained' | 'killed';
}

/** A batch on an agent's disk. */
export interface Leftover {
  readonly digest: string;
  readonly samples: number;
  readonly body: Uint8Array;
}

/** An agent as a process of its own, and what it issued and spooled. */
export class ChaosAgent {
  readonly settings: AgentSettings;
  readonly id: string;
  readonly dataDir: string;
  readonly lives: Life[] = [];
  /** Batches that were in the spool when a life ended. */
  readonly leftovers = new Map<string, Leftover>();
  /** What each life wrote. */
  readonly logFiles: string[] = [];
  #daemon: Daemon | null = null;
  readonly #folder: string;

  constructor(settings: AgentSettings) {
    this.settings = settings;
    this.id = settings.id;
    this.#folder = temporaryFolder('nephometer-chaos-agent');
    this.dataDir = settings.dataDir ?? join(this.#folder, 'data');
    mkdirSync(this.dataDir, { recursive: true });
    this.control({});
  }

  get daemon(): Daemon {
    if (this.#daemon === null) throw new Error(`Agent ${this.id} does not run.`);
    return this.#daemon;
  }

  get isRunning(): boolean {
    return this.#daemon?.process.isRunning() === true;
  }

  get oracleFile(): string {
    return join(this.#folder, 'oracle.ndjson');
  }

  control(control: Control): void {
    writeFileSync(join(this.#folder, 'control.json'), JSON.stringify(control));
  }

  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    this.lives.push({ started: Date.now(), ended: null, how: 'running' });
    this.#daemon = await startDaemon({
      main: AGENT,
      args: ['run', this.settings.role ?? 'compute'],
      env: { ...this.settings.env, ...env },
      dataDir: this.dataDir,
      config: this.#config(),
      probe: '/healthz',
    });
    this.logFiles.push(this.#daemon.logFile);
  }

  /** Runs until it ends by itself: what it wrote, how it ended, after how many seconds. */
  async runToEnd(timeoutMs: number): Promise<{ code: number | null; output: string; seconds: number }> {
    const config = join(this.#folder, 'once.yaml');
    writeFileSync(config, this.#config());
    const args = [
      AGENT,
      'run',
      this.settings.role ?? 'compute',
      '--data-dir',
      this.dataDir,
      '--config',
      config,
      '--port',
      '0',
    ];
    const began = Date.now();
    const child = spawn(process.execPath, args, {
      env: this.settings.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => (output += piece.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    this.lives.push({ started: began, ended: Date.now(), how: 'drained' });
    return { code, output, seconds: (Date.now() - began) / 1000 };
  }

  /** SIGKILL, then looks what is in the spool. */
  async kill(): Promise<void> {
    await this.daemon.process.kill();
    await this.#ended('killed');
  }

  /** SIGTERM: it finishes its polls, drains for a while, and ends. */
  async end(): Promise<void> {
    await this.daemon.process.end(30_000);
    await this.#ended('drained');
  }

  metrics(): Promise<Metrics | null> {
    return scrape(this.daemon.url);
  }

  issued(): Issued[] {
    if (!existsSync(this.oracleFile)) return [];
    const lines = readFileSync(this.oracleFile, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Issued);
  }

  async #ended(how: Life['how']): Promise<void> {
    const life = this.lives.at(-1);
    if (life !== undefined) Object.assign(life, { ended: Date.now(), how });
    for (const batch of await readSpool(join(this.dataDir, 'spool'))) this.leftovers.set(batch.digest, batch);
  }

  #config(): string {
    const { namespace, interval = 1, resources = 10, prefix = this.id, pollTimeout, steady = false } = this.settings;
    const { resendAfter = '6s', agentYaml = '', busYaml = '' } = this.settings;
    const synthetic = {
      oracle: this.oracleFile,
      control: join(this.#folder, 'control.json'),
      resources,
      prefix,
    };
    return [
      `host: ${this.id}`,
      `interval: ${interval}s`,
      ...(pollTimeout === undefined ? [] : [`poll_timeout: ${pollTimeout}`]),
      `bus: {namespace: ${namespace}, reconnect_max: 5s, heartbeat: 5s, confirm_alarm: 5s${busYaml}}`,
      `agent: {id: ${this.id}, spread: 0s, resend_after: ${resendAfter}${agentYaml}}`,
      `plugin_paths: [${JSON.stringify(PLUGIN)}]`,
      `plugins: {synthetic: ${JSON.stringify(synthetic)}, steady: ${JSON.stringify({ oracle: this.oracleFile, prefix })}}`,
      `disabled_plugins: ['!synthetic'${steady ? ", '!steady'" : ''}]`,
      'log: {format: json}',
    ].join('\n');
  }
}

/** The batches of a spool, read from a copy, since an agent may have the original. */
export async function readSpool(folder: string): Promise<Leftover[]> {
  if (!existsSync(folder)) return [];
  const copy = temporaryFolder('nephometer-chaos-spool');
  try {
    cpSync(folder, copy, { recursive: true });
    const spool = await openLmdbSpool({ folder: copy, maxBytes: 2 ** 30, whenFull: 'refuse-new', log: silentLogger });
    const ever = Number.MAX_SAFE_INTEGER;
    const batches = await spool.due({ fresh: ever, backlog: ever }, 1_000_000);
    await spool.close();
    return batches.map(({ digest, samples, body }) => ({ digest, samples, body }));
  } finally {
    removeFolder(copy);
  }
}
