import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, launch, temporaryFolder, until } from '../servers/index.ts';
import type { OwnProcess } from '../servers/index.ts';

export const NEPHOMETER = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));

/** A running `nephometer` process. */
export interface Daemon {
  readonly process: OwnProcess;
  readonly url: string;
  readonly dataDir: string;
  readonly logFile: string;
}

export interface DaemonOptions {
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly dataDir?: string;
  /** YAML text of a configuration file. */
  readonly config?: string;
  /** Another command than `nephometer`. */
  readonly main?: string;
  /** Path that answers 200 once it is up. */
  readonly probe?: string;
}

/** Starts `nephometer` on a free port and waits until it answers. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const home = temporaryFolder('nephometer-daemon');
  const dataDir = options.dataDir ?? join(home, 'data');
  const logFile = join(home, 'out.log');
  const port = await freePort();
  const configFile = join(home, 'nephometer.yaml');
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(configFile, options.config ?? '');
  const args = [options.main ?? NEPHOMETER, ...options.args, '--data-dir', dataDir, '--config', configFile];
  const child = launch(process.execPath, args, {
    logFile,
    env: { ...process.env, ...options.env, NEPHOMETER_PORT: String(port) },
  });
  const url = `http://127.0.0.1:${port}`;
  await until(
    async () => {
      if (!child.isRunning()) throw new Error(`nephometer ended:\n${child.lastOutput()}`);
      return answers(`${url}${options.probe ?? '/readyz'}`);
    },
    { timeoutMs: 60_000, everyMs: 100, describe: () => `${url} does not get ready:\n${child.lastOutput()}` },
  );
  return { process: child, url, dataDir, logFile };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

export function adminToken(dataDir: string): string {
  return readFileSync(join(dataDir, 'admin-token'), 'utf8').trimEnd();
}

export interface Answer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** Asks an API as JSON. */
export async function ask(
  url: string,
  token: string,
  path: string,
  init: { method?: string; body?: string } = {},
): Promise<Answer> {
  const headers = { 'x-auth-token': token, 'content-type': 'application/json' };
  const response = await fetch(url + path, { ...init, headers, signal: AbortSignal.timeout(30_000) });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
}

/** Asks until the answer is as wanted. */
export async function askUntil(
  question: () => Promise<Answer>,
  wanted: (answer: Answer) => boolean,
  what: string,
  timeoutMs = 30_000,
): Promise<Answer> {
  let last: Answer | undefined;
  await until(
    async () => {
      last = await question();
      return wanted(last);
    },
    { timeoutMs, everyMs: 200, describe: () => `${what}; the last answer was ${JSON.stringify(last).slice(0, 2000)}` },
  );
  if (last === undefined) throw new TypeError('nothing was asked');
  return last;
}
