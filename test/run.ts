/**
 * The test command: `node test/dist/run.js [--libvirt] [words or tap options]`.
 *
 * Makes sure that a RabbitMQ, an InfluxDB and a VictoriaMetrics are there (from the environment, from the PATH, or by
 * apt-get), starts those that no URL names, and runs tap over the compiled test files whose path contains one of the
 * words. Ends what it started, also when interrupted. Its last line is `N passed, N failed`, counting assertions; the exit
 * status is 0 only when some passed and none failed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTestFiles } from './run/files.ts';
import { TapReport, type Totals } from './run/report.ts';
import { startSharedServers } from './run/shared-servers.ts';
import { leaveSignalsToMe, removeFolder, temporaryFolder } from './servers/process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Of one file: so long that only what hangs takes it, on a busy machine too. */
const TIMEOUT_SECONDS = 420;
/** Files at a time: many of them wait most of their time, so there are more than cores of a small machine. */
const JOBS = 3;

interface Request {
  readonly libvirt: boolean;
  readonly words: readonly string[];
  readonly tapOptions: readonly string[];
}

function readArguments(args: readonly string[]): Request {
  return {
    libvirt: args.includes('--libvirt'),
    words: args.filter((arg) => !arg.startsWith('-')),
    tapOptions: args.filter((arg) => arg.startsWith('-') && arg !== '--libvirt'),
  };
}

let tap: ChildProcess | undefined;
let interrupted: NodeJS.Signals | undefined;

/** tap ends its test files on SIGTERM, and what they started ends with them; a second signal ends us at once. */
function listenForInterruption(): void {
  leaveSignalsToMe();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupted || !tap) process.exit(1);
      interrupted = signal;
      tap.kill('SIGTERM');
      setTimeout(() => tap?.kill('SIGKILL'), 5_000).unref();
    });
  }
}

async function runTap(files: readonly string[], options: readonly string[], jobs: number): Promise<Totals> {
  const bin = join(dirname(createRequire(import.meta.url).resolve('tap/package.json')), 'dist/esm/run.mjs');
  // A skipped test is a failed one: what cannot run here must say so by failing.
  const args = [
    'run',
    '--reporter=tap',
    '--fail-skip',
    '--fail-todo',
    `--jobs=${jobs}`,
    `--timeout=${TIMEOUT_SECONDS}`,
  ];
  const report = new TapReport((text) => process.stdout.write(text));
  const child = spawn(process.execPath, [bin, ...args, ...options, ...files], {
    cwd: ROOT,
    detached: true, // Ctrl-C reaches us, and we tell it
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  tap = child;
  child.stdout.setEncoding('utf8').on('data', (text: string) => report.write(text));
  const status = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (code) => resolve(code ?? 1));
  });
  return report.totals(status === 0 && !interrupted);
}

async function main(): Promise<Totals> {
  const { libvirt, words, tapOptions } = readArguments(process.argv.slice(2));
  listenForInterruption();
  // Everything that the tests put into the temporary folder goes with this one, even of a test that crashed.
  const folder = temporaryFolder('nephometer');
  chmodSync(folder, 0o1777);
  process.env['TMPDIR'] = folder;
  const files = findTestFiles(ROOT, { libvirt, words });
  if (files.length === 0) {
    process.stderr.write(`No compiled test file${words.length ? ` has "${words.join('" or "')}" in its path` : ''}.\n`);
    return { passed: 0, failed: 1 };
  }
  const stopServers = await startSharedServers();
  try {
    return await runTap(files, tapOptions, libvirt ? 1 : JOBS);
  } finally {
    await stopServers();
    removeFolder(folder);
  }
}

const totals = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return { passed: 0, failed: 1 };
});
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`, () => process.exit());
