import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import amqp from 'amqplib';
import t from 'tap';
import { busNames, readMeteringEnvelope, verifyHeader } from '@nephometer/core';
import type { BatchEnvelope } from '@nephometer/core';
import { freePort, startRabbit } from '../servers/index.ts';

/** The agent as an operator gets it: one tarball, installed into an empty folder, run as nobody. */
const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SECRET = 'a secret of this test';
const NOBODY = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

t.test('the agent installs from its own package and runs as an unprivileged user', { timeout: 240_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nephometer-package-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const { stdout } = await run(process.execPath, [join(ROOT, 'scripts/pack-agent.mjs'), folder]);
  const tarball = stdout.trim();
  t.match(tarball, /nephometer-agent-[\d.]+\.tgz$/);

  const installed = join(folder, 'node');
  await mkdir(installed);
  await run('npm', ['install', '--no-save', '--prefix', installed, tarball], { cwd: installed });
  const names = await readdir(join(installed, 'node_modules'), { recursive: true });
  const engines = names.filter((name) => /(^|\/)(@duckdb|influx|@influxdata|duckdb)(\/|$)/.test(name));
  t.same(engines, [], 'no database engine is among what it needs');

  const bin = join(installed, 'node_modules', '.bin', 'nephometer-agent');
  const state = join(folder, 'state');
  await mkdir(state, { mode: 0o777 });
  await chmod(state, 0o777);
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, `${SECRET}\n`);
  const env = { PATH: process.env['PATH'] ?? '', HOME: state, NEPHOMETER_DATA_DIR: join(state, 'data') };

  await t.test('poll --once shows what this machine would send, and sends nothing', async (t) => {
    const polled = await run(bin, ['poll', 'host', '--once'], { ...NOBODY, cwd: state, env });
    t.match(polled.stdout, /hardware\.cpu\.load\.1min/);
    t.match(polled.stdout, /hardware\.memory\.total/);
  });

  await t.test('without a secret it does not start, and says how to make one', async (t) => {
    await t.rejects(run(bin, ['run'], { ...NOBODY, cwd: state, env }), { code: 78, stderr: /openssl rand/ });
  });

  await t.test('run sends signed batches to a real broker, and drains on SIGTERM', async (t) => {
    const rabbit = await startRabbit();
    t.teardown(() => rabbit.stop());
    const port = await freePort();
    const agent = spawn(bin, ['run', 'compute', '--port', String(port)], {
      ...NOBODY,
      cwd: state,
      env: { ...env, NEPHOMETER_SECRET_FILE: secretFile, NEPHOMETER_BUS_URL: rabbit.url },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    agent.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const exited = new Promise<number | null>((resolve) => agent.once('exit', resolve));
    t.teardown(() => agent.kill('SIGKILL'));
    const batch = await firstBatch(rabbit.url);
    t.ok(verifyHeader(batch.header, Buffer.from(SECRET)));
    t.ok(batch.texts.some((text) => text.includes('"hardware.cpu.load.1min"')));
    t.match(batch.header.cycles[0], { outcome: 'ran', discovery_complete: true });
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
    t.equal(ready.status, 200);
    t.match(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), /nephometer_agent_samples_total [1-9]/);
    agent.kill('SIGTERM');
    t.equal(await exited, 0);
    t.notMatch(log, /"level":"error"/);
    t.match(await readdir(join(state, 'data')), ['agent-id', 'spool']);
  });
});

/** The first batch that reaches the collectors' queue, once the agent has declared it. */
async function firstBatch(url: string): Promise<BatchEnvelope> {
  const connection = await amqp.connect(url);
  try {
    for (let attempt = 0; attempt < 60; attempt += 1) {
      const channel = await connection.createChannel();
      // A queue that is not there yet closes the channel.
      channel.on('error', () => undefined);
      const message = await channel.get(busNames('nephometer').samples).catch(() => false as const);
      if (message !== false) {
        const envelope = readMeteringEnvelope(message.content);
        if (envelope.kind === 'batch') return envelope;
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error('No batch arrived within 30 s.');
  } finally {
    await connection.close();
  }
}
