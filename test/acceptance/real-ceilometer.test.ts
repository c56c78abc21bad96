import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import {
  ensurePythonCeilometer,
  influxUrl,
  rabbitmqUrl,
  temporaryFolder,
  uniqueName,
  until,
} from '../servers/index.ts';
import { ask, askUntil, startDaemon } from './nephometer.ts';

const run = promisify(execFile);
const script = (name: string): string => fileURLToPath(new URL(`../../fixtures/ceilometer/${name}`, import.meta.url));

const python = await ensurePythonCeilometer();
const folder = temporaryFolder('nephometer-real-ceilometer');
const secret = randomBytes(24).toString('base64url');
const token = randomBytes(24).toString('base64url');
writeFileSync(join(folder, 'secret'), secret, { mode: 0o600 });
writeFileSync(join(folder, 'token'), token, { mode: 0o600 });

const namespace = uniqueName('real');
const url = await rabbitmqUrl();
const env = {
  NEPHOMETER_BUS_URL: url,
  NEPHOMETER_STORE_URL: `influxdb://${new URL(await influxUrl()).host}/${uniqueName('real')}`,
  NEPHOMETER_SECRET_FILE: join(folder, 'secret'),
};
const config = [
  `bus: {namespace: ${namespace}}`,
  'interval: 2s',
  'ceilometer: {enabled: true}',
  'disabled_plugins: [users, cgroup, libvirt]',
  `api: {tokens: [{name: test, role: admin, file: ${join(folder, 'token')}}]}`,
].join('\n');
const daemon = await startDaemon({ args: ['run', 'compute-agent', 'collector', 'api'], env, config });
t.teardown(() => daemon.process.end());

void t.test('what a real Ceilometer publishes is stored, to the digit', async (t) => {
  const resource = uniqueName('r');
  await run(python, [script('publish.py'), url, secret, resource]);
  const { body } = await askUntil(
    () => ask(daemon.url, token, `/v1/samples?resource_id=${resource}`),
    (answer) => (answer.body as { samples: unknown[] }).samples.length >= 3,
    'the samples of Ceilometer do not arrive',
  );
  const samples = (body as { samples: { counter_name: string; counter_volume: string }[] }).samples;
  const volumes = Object.fromEntries(samples.map(({ counter_name: name, counter_volume: volume }) => [name, volume]));
  t.same(volumes, { whole: '2', float: '2', large: '9223372036854775808' });
});

void t.test('a real Ceilometer hears our messages and verifies every one', async (t) => {
  const child = spawn(python, [script('listen.py'), url, namespace, secret], { stdio: ['pipe', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const heard: unknown[] = [];
  createInterface(child.stdout).on('line', (line) => heard.push(JSON.parse(line)));
  await until(() => heard.length > 10, {
    timeoutMs: 40_000,
    describe: () => `only ${heard.length} lines were heard; ${complaint.slice(-2000)}`,
  });
  const verdicts = heard.slice(1) as [string, boolean][];
  t.ok(
    verdicts.every(([, verified]) => verified),
    `${verdicts.length} samples verified by Ceilometer's code`,
  );
  child.stdin.end();
});
