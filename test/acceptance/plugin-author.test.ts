/**
 * Follows docs/plugins.md to the letter, in an empty folder outside the repository: writes each block that names a file,
 * runs each shell block, starts Nephometer where the page does. Only the port, the broker's address and its namespace are
 * other ones than the page's.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { freePort, launch, rabbitmqUrl, temporaryFolder, uniqueName, until } from '../servers/index.ts';
import type { OwnProcess } from '../servers/index.ts';
import { NEPHOMETER } from './nephometer.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE_PORT = '127.0.0.1:8777';
const PAGE_BROKER = 'amqp://guest:guest@127.0.0.1:5672';

interface Block {
  readonly language: string;
  /** What stands behind the language: `file=NAME`, `up`, `setup`. */
  readonly tag: string;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', tag = '', text = '']) => ({ language, tag, text }),
  );
}

const folder = temporaryFolder('nephometer-author');
const port = await freePort();
const broker = await rabbitmqUrl();
const namespace = uniqueName('author');
let running: OwnProcess | null = null;
t.teardown(() => running?.end());

const bin = join(folder, '.bin');
mkdirSync(bin);
writeFileSync(join(bin, 'nephometer'), `#!/bin/sh\nexec "${process.execPath}" "${NEPHOMETER}" "$@"\n`);
chmodSync(join(bin, 'nephometer'), 0o755);

const env = {
  PATH: [bin, dirname(process.execPath), process.env['PATH']].join(delimiter),
  HOME: process.env['HOME'] ?? folder,
  NEPHOMETER: ROOT.replace(/\/$/, ''),
  NEPHOMETER_PORT: String(port),
  // What the shells of the page export.
  NEPHOMETER_BUS_URL: '',
};

function adapted(text: string): string {
  return text.replaceAll(PAGE_PORT, `127.0.0.1:${port}`).replaceAll(PAGE_BROKER, broker);
}

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  const extra = name === 'nephometer.yaml' ? `bus: { namespace: ${namespace} }\n` : '';
  // The first start uses the bus inside the process, which the page leaves to the default.
  const bus = env.NEPHOMETER_BUS_URL === '' ? '' : extra;
  writeFileSync(join(folder, name), text + bus);
}

async function shell(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env });
  return stdout;
}

/** Starts Nephometer as the page does; what was running is stopped before. */
async function up(script: string): Promise<void> {
  await running?.end();
  const command = script.replace(/^nephometer up$/m, 'exec nephometer up');
  running = launch(
    'bash',
    [
      '-euc',
      `cd "${folder}"
${command}`,
    ],
    { logFile: join(folder, 'up.log'), env },
  );
  const child = running;
  await until(
    async () => {
      if (!child.isRunning()) throw new Error(`nephometer ended:\n${child.lastOutput()}`);
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
      return answer?.ok === true;
    },
    { timeoutMs: 60_000, everyMs: 100, describe: () => `not ready:\n${child.lastOutput()}` },
  );
}

interface Sample {
  readonly counter_name: string;
  readonly counter_volume: number;
  readonly counter_unit: string;
  readonly project_id: string | null;
}

/** Runs a curl of the page until it shows a sample: the page says "within two intervals". */
async function samplesOf(script: string): Promise<Sample> {
  let output = '';
  await until(
    async () => {
      output = await shell(script);
      return output.includes('counter_name');
    },
    { timeoutMs: 20_000, everyMs: 300, describe: () => `the page's curl shows ${output}\n${running?.lastOutput()}` },
  );
  return (JSON.parse(output) as [Sample])[0];
}

const outputs: string[] = [];
const samples: Sample[] = [];
for (const { language, tag, text } of blocksOf(readFileSync(join(ROOT, 'docs/plugins.md'), 'utf8'))) {
  const script = adapted(text);
  if (script.includes(broker)) env.NEPHOMETER_BUS_URL = broker;
  if (tag.startsWith('file=')) write(tag.slice('file='.length), text);
  else if (language !== 'sh' || tag === 'setup') continue;
  else if (tag === 'up') await up(script);
  else if (script.startsWith('curl')) samples.push(await samplesOf(script));
  else outputs.push(await shell(script));
}

void t.test('the pollster can be tried before it is installed', async (t) => {
  t.match(outputs[0], /inbox\.files .*\b2\b/);
});

void t.test("the pollster's samples are in the API", async (t) => {
  t.match(samples[0], {
    counter_name: 'inbox.files',
    counter_volume: 2,
    counter_unit: 'file',
    project_id: 'post-office',
  });
});

void t.test("the listener's test is green, and npm installs it by its path", async (t) => {
  t.match(outputs[1], /pass 2\b[\s\S]*fail 0\b/);
  t.match(outputs[2], /door +nephometer\.collector +door +1\.0\.0 +active/);
});

void t.test('the notification is a sample in the API, with the option that the operator set', async (t) => {
  t.match(samples[1], {
    counter_name: 'door.visits',
    counter_volume: 3,
    counter_unit: 'visitor',
    project_id: 'museum',
  });
});

void t.test('the page has nothing more to follow', async (t) => {
  t.equal(samples.length, 2);
  t.equal(outputs.length, 4);
});
