import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './wait.ts';

/** A process that we started, and that does not outlive us. */
export interface OwnProcess {
  readonly pid: number;
  isRunning(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Asks with SIGTERM, insists with SIGKILL after `graceMs` (20 s); resolves when the process is gone. */
  end(graceMs?: number): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** The end of what it wrote to stdout and stderr. */
  lastOutput(): string;
}

export interface LaunchOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Receives stdout and stderr. */
  readonly logFile: string;
  /** The user to run as; only root may name another one. */
  readonly runAs?: User;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

// Two nets under each process. Linux kills it when we die, however we die (setpriv --pdeathsig); and where that is not
// to be had, we do so ourselves at `exit` and on the usual signals. Temporary folders only have the second net.
const running = new Set<OwnProcess>();
const folders = new Set<string>();
const lastActs = new Set<() => void>();
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/** Starts a process in a session of its own, so that Ctrl-C on a terminal reaches us and not it. */
export function launch(command: string, args: readonly string[], options: LaunchOptions): OwnProcess {
  watchOurEnd();
  const log = openSync(options.logFile, 'a');
  const [file, argv] = SETPRIV ? [SETPRIV, ['--pdeathsig', 'KILL', command, ...args]] : [command, [...args]];
  const child = spawn(file, argv, {
    detached: true,
    stdio: ['ignore', log, log],
    env: options.env ?? process.env,
    cwd: '/',
    ...options.runAs,
  });
  closeSync(log);
  let gone = false;
  let failure = '';
  const settle = (): void => {
    gone = true;
    running.delete(self);
  };
  child.once('exit', settle);
  child.once('error', (error) => {
    failure = error.message;
    settle();
  });
  child.unref(); // a test that forgets to end it may still finish
  const wentAway = (timeoutMs: number): Promise<void> =>
    until(() => gone, { timeoutMs, everyMs: 20, describe: () => `${command} (pid ${child.pid}) does not end` });

  const self: OwnProcess = {
    pid: child.pid ?? -1,
    isRunning: () => !gone,
    signal(signal) {
      if (!gone) child.kill(signal);
    },
    async end(graceMs = 20_000) {
      self.signal('SIGTERM');
      self.signal('SIGCONT'); // a paused process does not see SIGTERM
      await wentAway(graceMs).catch(() => self.kill());
    },
    async kill() {
      self.signal('SIGKILL');
      await wentAway(10_000);
    },
    lastOutput: () => failure || tail(options.logFile),
  };
  running.add(self);
  return self;
}

/** An own folder under the system's temporary one, removed when we end. Others may pass through it. */
export function temporaryFolder(prefix: string): string {
  watchOurEnd();
  const folder = mkdtempSync(join(tmpdir(), `${prefix}-`));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  folders.delete(folder);
}

/** Something synchronous that must be done even when we end early; returns the way to take it back. */
export function atOurEnd(act: () => void): () => void {
  watchOurEnd();
  lastActs.add(act);
  return () => lastActs.delete(act);
}

/** The last `lines` lines of a file, or an empty text. */
export function tail(file: string, lines = 20): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

let signalsAreOurs = true;

/** For a program that ends on signals in an order of its own; it must come to its exit by itself. */
export function leaveSignalsToMe(): void {
  signalsAreOurs = false;
}

let watching = false;
function watchOurEnd(): void {
  if (watching) return;
  watching = true;
  process.once('exit', endEverything);
  if (!signalsAreOurs) return;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.prependOnceListener(signal, () => {
      endEverything();
      // Whoever else listens decides how we end; with nobody else the signal takes its usual course.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}

function endEverything(): void {
  for (const act of lastActs) attempt(act);
  for (const child of running) child.signal('SIGKILL');
  for (const folder of folders) attempt(() => removeFolder(folder));
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The rest must still be ended.
  }
}
