import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, statfsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { adminToken, ask, askUntil, NEPHOMETER, startDaemon } from './nephometer.ts';
import type { Answer, Daemon } from './nephometer.ts';

interface Row {
  readonly counter_volume: number;
  readonly counter_unit: string;
  readonly resource_id: string;
  readonly project_id: string;
  readonly timestamp: string;
}

const up = await startDaemon({ args: ['up'], config: 'interval: 2s\n' });
const token = adminToken(up.dataDir);
t.teardown(() => up.process.end());

const get = (path: string): Promise<Answer> => ask(up.url, token, path);

async function newest(meter: string): Promise<Row[]> {
  const answer = await askUntil(
    () => get(`/v2/meters/${meter}?limit=1000`),
    ({ status, body }) => status === 200 && (body as Row[]).length > 0,
    `no sample of ${meter}`,
  );
  const rows = answer.body as Row[];
  const last = rows[0]?.timestamp;
  return rows.filter(({ timestamp }) => timestamp === last);
}

function meminfo(): Record<string, number> {
  const lines = readFileSync('/proc/meminfo', 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.split(':')[0], Number(/(\d+)/.exec(line)?.[1])]));
}

/** Whether a figure of a living machine is near enough to what another tool says a moment later. */
function near(found: number, expected: number, share: number): boolean {
  return Math.abs(found - expected) <= share * Math.max(Math.abs(expected), 1);
}

void t.test('the first figures are there within two intervals of the start', async (t) => {
  const { body } = await askUntil(
    () => get('/v2/meters?unique=True&limit=1000'),
    (answer) => answer.status === 200 && (answer.body as unknown[]).length > 15,
    'too few meters',
    10_000,
  );
  const names = (body as { name: string }[]).map(({ name }) => name);
  for (const name of [
    'hardware.cpu.load.1min',
    'hardware.memory.total',
    'hardware.memory.used',
    'hardware.disk.size.total',
  ]) {
    t.ok(names.includes(name), name);
  }
});

void t.test('memory agrees with the kernel', async (t) => {
  const [total] = await newest('hardware.memory.total');
  t.equal(total?.counter_volume, meminfo()['MemTotal']);
  t.equal(total?.counter_unit, 'KB');
  t.ok(total?.resource_id.startsWith(hostname()));
});

void t.test('disk sizes agree with the file system', async (t) => {
  const { blocks, bsize } = statfsSync('/');
  const sizes = (await newest('hardware.disk.size.total')).map((row) => row.counter_volume);
  t.ok(
    sizes.some((size) => near(size, (blocks * bsize) / 1024, 0.001)),
    `${sizes.join(', ')} holds ${(blocks * bsize) / 1024}`,
  );
});

void t.test('network counters agree with /proc/net/dev', async (t) => {
  const line =
    readFileSync('/proc/net/dev', 'utf8')
      .split('\n')
      .find((text) => text.trim().startsWith('lo:')) ?? '';
  const received = Number(line.split(':')[1]?.trim().split(/\s+/)[0]);
  const rows = await newest('hardware.network.incoming.bytes');
  const loopback = rows.find(({ resource_id: id }) => id.endsWith('.lo'));
  const others = rows.filter(({ resource_id: id }) => !id.endsWith('.lo'));
  t.ok(rows.length > 0, `${rows.length} interfaces`);
  if (loopback !== undefined) t.ok(loopback.counter_volume <= received * 1.5 + 1e7, 'loopback');
  for (const row of others) {
    const name = row.resource_id.slice(hostname().length + 1);
    const now = Number(readFileSync(`/sys/class/net/${name}/statistics/rx_bytes`, 'utf8'));
    t.ok(row.counter_volume <= now && now - row.counter_volume < 1e9, `${name}: ${row.counter_volume}, now ${now}`);
  }
});

void t.test('processes a user agree with ps', async (t) => {
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  const listed = execFileSync('ps', ['-eo', 'user:64='], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name.trim() === user).length;
  const rows = await newest('user.processes');
  const mine = rows.find(({ project_id: project }) => project === user);
  t.ok(
    mine !== undefined && near(mine.counter_volume, listed, 0.3),
    `${mine?.counter_volume} agrees with ${listed} of ps`,
  );
});

void t.test('secret and token are for their owner only', (t) => {
  for (const name of ['secret', 'admin-token']) t.equal(statSync(join(up.dataDir, name)).mode & 0o777, 0o600, name);
  t.end();
});

void t.test('nobody asks without a token', async (t) => {
  t.equal((await fetch(`${up.url}/v2/meters`)).status, 401);
  t.equal((await ask(up.url, 'wrong', '/v2/meters')).status, 401);
});

function nephometer(args: readonly string[], daemon: Daemon): string {
  const flags = ['--url', daemon.url, '--token-file', join(daemon.dataDir, 'admin-token')];
  return execFileSync(process.execPath, [NEPHOMETER, ...args, ...flags], { encoding: 'utf8' });
}

void t.test('the command shows the same figures as tables, JSON and CSV', (t) => {
  t.match(nephometer(['meters', '--unique'], up), /^meter +type +unit/);
  const rows = JSON.parse(
    nephometer(['samples', '-m', 'hardware.memory.total', '--format', 'json', '--limit', '1'], up),
  ) as unknown[];
  t.equal(rows.length, 1);
  t.match(
    nephometer(['statistics', 'hardware.memory.total', '--format', 'csv'], up),
    /^from \(UTC\),to \(UTC\),count,min,max,sum,avg,unit\n/,
  );
  t.match(nephometer(['resources'], up), hostname());
  t.end();
});

void t.test('a sample that is sent is there when the command returns, to the digit', async (t) => {
  const id = nephometer(
    [
      'send-sample',
      '-m',
      'tea',
      '-t',
      'delta',
      '-u',
      'cup',
      '--volume',
      '12345678901234567890.5',
      '-r',
      'kitchen',
      '--project',
      'p',
      '--direct',
    ],
    up,
  ).trim();
  const { status, body } = await get(`/v1/samples/${id}`);
  t.equal(status, 200);
  t.match((body as { text: string }).text, '12345678901234567890.5');
});

void t.test('it stops when it is told to, and comes back with all that it had', async (t) => {
  const before = (await get('/v2/meters/tea')).body as unknown[];
  await up.process.end();
  const again = await startDaemon({ args: ['up', '--no-agents'], dataDir: up.dataDir });
  t.teardown(() => again.process.end());
  const after = await ask(again.url, adminToken(up.dataDir), '/v2/meters/tea');
  t.same(after.body, before);
});
