import { join } from 'node:path';
import { launch, removeFolder, type OwnProcess } from './process.ts';
import { answersHttp, until } from './wait.ts';

/** A database that speaks HTTP, started for tests. */
export interface HttpServer {
  /** `http://127.0.0.1:PORT`, without a final slash. */
  readonly url: string;
  readonly port: number;
  /** Of the running process; another one after `restart`. */
  readonly pid: number;
  /** Holds the data; removed by `stop`. */
  readonly dataDir: string;
  /** Ends it gracefully and removes its data. */
  stop(): Promise<void>;
  /** SIGKILL; the data stay for `restart`. */
  kill(): Promise<void>;
  /** Ends it gracefully if it runs, and starts it on the same port with the same data. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nobody answers. */
  pause(): void;
  resume(): void;
}

export interface HttpServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly port: number;
  /** Answers 2xx once the server is ready. */
  readonly readyPath: string;
}

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { command, args, env, folder, port, readyPath } = options;
  const url = `http://127.0.0.1:${port}`;
  let server: OwnProcess;

  const start = async (): Promise<void> => {
    server = launch(command, args, { logFile: join(folder, 'server.log'), ...(env ? { env } : {}) });
    const ready = async (): Promise<boolean> => {
      if (!server.isRunning()) throw new Error(`${command} ended at its start:\n${server.lastOutput()}`);
      return answersHttp(url + readyPath);
    };
    await until(ready, { timeoutMs: 60_000, describe: () => `${command} is not ready:\n${server.lastOutput()}` });
  };

  await start();
  return {
    url,
    port,
    get pid() {
      return server.pid;
    },
    dataDir: folder,
    async stop() {
      await server.end();
      removeFolder(folder);
    },
    kill: () => server.kill(),
    async restart() {
      await server.end();
      await start();
    },
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
  };
}
