import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startEpmd, type Epmd } from './epmd.ts';
import { ensureTools } from './packages.ts';
import { freePort } from './ports.ts';
import { launch, removeFolder, tail, temporaryFolder, type OwnProcess, type User } from './process.ts';
import { speaksAmqp, until } from './wait.ts';

const run = promisify(execFile);

export interface RabbitOptions {
  /** Local part of the Erlang node name; `nephometer` by default. */
  readonly nodeName?: string;
  /** Lines added to rabbitmq.conf, such as `vm_memory_high_watermark.absolute = 200MB`. */
  readonly config?: string;
  /** The user to run as, when root starts it; ourselves by default. */
  readonly runAs?: User;
}

/** A RabbitMQ node on loopback, started for tests, without plugins. */
export interface RabbitServer {
  /** `amqp://guest:guest@127.0.0.1:PORT`; the same through every restart. */
  readonly url: string;
  readonly port: number;
  /** Port that other nodes of a cluster talk to. */
  readonly distributionPort: number;
  /** Erlang node name, `nephometer@localhost`. */
  readonly nodeName: string;
  /** Of the Erlang VM that runs the broker; another one after each start. */
  readonly pid: number;
  /** The broker's database; what `wipe` removes. */
  readonly dataDir: string;
  /** `rabbitmqctl ARGS...` on this node, quietly; resolves to what it printed. Takes about a second. */
  ctl(...args: string[]): Promise<string>;
  /** Ends it gracefully and removes all its files. */
  stop(): Promise<void>;
  /** SIGKILL; the data stay for `restart`. A quorum queue declared less than about two seconds before is lost. */
  kill(): Promise<void>;
  /** Ends it gracefully if it runs, and starts it again with the same data. */
  restart(): Promise<void>;
  /** Ends it, removes its data, and starts an empty broker on the same port. */
  wipe(): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
}

export async function startRabbit(options: RabbitOptions = {}): Promise<RabbitServer> {
  const home = ownHome(options.runAs);
  const epmd = await startEpmd(home, options.runAs);
  const node = await startNode({ ...options, nodeName: options.nodeName ?? 'nephometer', home, epmd });
  return Object.assign(Object.create(node) as RabbitServer, {
    async stop() {
      await node.stop();
      await epmd.process.end();
      removeFolder(home);
    },
  });
}

/** A folder with the cookie by which nodes and their tools know each other. */
export function ownHome(runAs?: User): string {
  const home = temporaryFolder('nephometer-rabbit');
  const cookie = join(home, '.erlang.cookie');
  writeFileSync(cookie, 'NEPHOMETERTESTS', { mode: 0o400 });
  if (runAs) for (const path of [home, cookie]) chownSync(path, runAs.uid, runAs.gid);
  return home;
}

export interface NodeOptions extends RabbitOptions {
  readonly nodeName: string;
  readonly home: string;
  readonly epmd: Epmd;
  /** Done between the end of the node and the removal of its data. */
  readonly beforeWipe?: () => Promise<void>;
}

/** One node under a home and an epmd that others may share; its `stop` ends the node and leaves those. */
export async function startNode(options: NodeOptions): Promise<RabbitServer> {
  const { home, epmd, runAs } = options;
  const { rabbitmq } = await ensureTools('rabbitmq');
  const nodeName = `${options.nodeName}@localhost`;
  const folder = join(home, options.nodeName);
  const dataDir = join(folder, 'mnesia');
  const [port, distributionPort] = [await freePort(), await freePort()];
  makeFolder(folder, runAs);
  const env = environment({ home, epmd, nodeName, folder, port, distributionPort });
  writeFileSync(join(folder, 'rabbitmq.conf'), configuration(port, options.config));
  writeFileSync(join(folder, 'enabled_plugins'), '[].\n');
  let node: OwnProcess;

  const start = async (): Promise<void> => {
    makeFolder(dataDir, runAs);
    const logFile = join(folder, 'rabbit.log');
    rmSync(logFile, { force: true });
    node = launch(rabbitmq, [], { env, logFile: join(folder, 'output.log'), ...(runAs ? { runAs } : {}) });
    const describe = (): string => `RabbitMQ ${nodeName} is not ready:\n${tail(logFile)}`;
    const ready = async (): Promise<boolean> => {
      if (!node.isRunning()) throw new Error(`RabbitMQ ${nodeName} ended at its start:\n${node.lastOutput()}`);
      // It listens a moment before it is through with its start; clients that came back meanwhile fill its log.
      return tail(logFile, Infinity).includes('Server startup complete') && speaksAmqp(port);
    };
    await until(ready, { timeoutMs: 90_000, describe });
    const pid = Number(readFileSync(join(folder, 'node.pid'), 'utf8'));
    if (pid !== node.pid)
      throw new Error(`RabbitMQ ${nodeName} runs as pid ${pid}, but its start script was ${node.pid}.`);
  };

  await start();
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    port,
    distributionPort,
    nodeName,
    get pid() {
      return node.pid;
    },
    dataDir,
    async ctl(...args) {
      const tool = join(dirname(rabbitmq), 'rabbitmqctl');
      const { stdout } = await run(tool, ['-q', '-n', nodeName, ...args], {
        env,
        cwd: '/',
        timeout: 60_000,
        ...runAs,
      });
      return stdout.trim();
    },
    async stop() {
      await node.end();
      rmSync(folder, { recursive: true, force: true });
    },
    kill: () => node.kill(),
    async restart() {
      await node.end();
      await start();
    },
    async wipe() {
      await node.end();
      await options.beforeWipe?.();
      rmSync(dataDir, { recursive: true, force: true });
      await start();
    },
    pause: () => node.signal('SIGSTOP'),
    resume: () => node.signal('SIGCONT'),
  };
}

function makeFolder(folder: string, owner?: User): void {
  mkdirSync(folder, { recursive: true });
  if (owner) chownSync(folder, owner.uid, owner.gid);
}

function configuration(port: number, more = ''): string {
  return `
listeners.tcp.1 = 127.0.0.1:${port}
loopback_users = none
log.console = false
log.file = rabbit.log
disk_free_limit.absolute = 50MB
${more}
`;
}

interface NodePlace {
  readonly home: string;
  readonly epmd: Epmd;
  readonly nodeName: string;
  readonly folder: string;
  readonly port: number;
  readonly distributionPort: number;
}

/** For the node and for rabbitmqctl alike. Nothing of the machine's own RabbitMQ is read or listened to. */
function environment({ home, epmd, nodeName, folder, port, distributionPort }: NodePlace): NodeJS.ProcessEnv {
  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}';
  return {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: home,
    ERL_EPMD_PORT: String(epmd.port),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: nodeName,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_PID_FILE: join(folder, 'node.pid'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'no-environment-file'),
    // Makes the start script become the Erlang VM instead of its parent, so that the pid we know is the broker's; the
    // arguments are those which the script leaves out in that case.
    RABBITMQ_ALLOW_INPUT: 'true',
    RABBITMQ_SERVER_START_ARGS: '-noinput +B i',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `-start_epmd false ${loopback}`,
    RABBITMQ_CTL_ERL_ARGS: `-start_epmd false ${loopback}`,
    ERL_CRASH_DUMP_SECONDS: '0',
  };
}
