import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { checkPollster, goldenCases, openPollster, pollPlugin, recordLog } from '@nephometer/core/plugin/testing';
import type { PollResult } from '@nephometer/core/plugin/testing';
import plugin, { createUsers } from './index.ts';

t.test('obeys the contract on this machine', async () => checkPollster(plugin));

t.test('golden cases', async (t) => {
  const prepare = () => ({ plugin: createUsers() });
  for (const { name, check } of await goldenCases(plugin, new URL('../cases/', import.meta.url), { prepare })) {
    await t.resolves(check(), name);
  }
});

interface PsUser {
  processes: number;
  rssBytes: number;
  cpuSeconds: number;
}

async function ps(): Promise<Map<string, PsUser>> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'user:40,rss,cputimes', '--no-headers']);
  const users = new Map<string, PsUser>();
  for (const [name = '', rss, seconds] of stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))) {
    const known = users.get(name) ?? { processes: 0, rssBytes: 0, cpuSeconds: 0 };
    known.processes += 1;
    known.rssBytes += Number(rss) * 1024;
    known.cpuSeconds += Number(seconds);
    users.set(name, known);
  }
  return users;
}

function volume({ readings }: PollResult, meter: string, user: string): number {
  return Number(readings.find((one) => one.meter === meter && one.project_id === user)?.volume ?? Number.NaN);
}

t.test('agrees with ps', async (t) => {
  const before = await ps();
  const result = await pollPlugin(createUsers());
  const after = await ps();
  t.same(result.failed, []);
  const lasting = [...before].filter(([name]) => after.has(name));
  t.not(lasting.length, 0);
  for (const [name, first] of lasting) {
    const last = after.get(name) ?? first;
    const between = (found: number, a: number, b: number, slack: number, what: string): void =>
      void t.ok(
        found >= Math.min(a, b) - slack && found <= Math.max(a, b) + slack,
        `${name}: ${what} ${found}, ps ${a} to ${b}`,
      );
    between(volume(result, 'user.processes', name), first.processes, last.processes, 15, 'processes');
    const slack = 0.3 * first.rssBytes + 200e6;
    between(volume(result, 'user.memory.usage', name), first.rssBytes, last.rssBytes, slack, 'memory');
    // ps cuts each process to whole seconds.
    const seconds = volume(result, 'user.cpu', name) / 1e9;
    between(seconds, first.cpuSeconds, last.cpuSeconds, first.processes + 60, 'CPU seconds');
  }
});

t.test('a process that works and ends between two polls is not lost', async (t) => {
  const user = (await promisify(execFile)('id', ['-un'])).stdout.trim();
  const open = await openPollster(createUsers());
  const before = volume(await open.poll(), 'user.cpu', user);
  const worker = spawn(process.execPath, ['-e', 'while (process.cpuUsage().user < 800_000);']);
  await once(worker, 'exit');
  const after = volume(await open.poll(), 'user.cpu', user);
  t.ok(after - before >= 790_000_000, `grew by ${after - before} ns`);
});

t.test('over a restart', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'users-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const cases = new URL('../cases/processes-that-end/', import.meta.url).pathname;
  const proc = join(folder, 'proc');
  const setup = async (input: string, boot: string): Promise<void> => {
    await rm(proc, { recursive: true, force: true });
    await promisify(execFile)('cp', ['-r', join(cases, input, 'proc'), proc]);
    await promisify(execFile)('mkdir', ['-p', join(proc, 'sys/kernel/random')]);
    await writeFile(join(proc, 'sys/kernel/random/boot_id'), `${boot}\n`);
  };
  await mkdir(join(folder, 'data'));
  const options = { proc, passwd: join(cases, 'input/etc/passwd') };
  const setting = { config: { data_dir: join(folder, 'data') } };
  const poll = (): Promise<PollResult> => pollPlugin(createUsers(), options, setting);

  await t.test('the totals go on, with the time of processes that ended meanwhile', async (t) => {
    await setup('input', 'boot-1');
    t.equal(volume(await poll(), 'user.cpu', 'grace'), 2_000_000_000);
    await setup('input.3', 'boot-1');
    t.equal(volume(await poll(), 'user.cpu', 'ada'), 120_000_000 + 10_000_000_000);
    const saved = JSON.parse(await readFile(join(folder, 'data/users-plugin.json'), 'utf8')) as { totals: unknown };
    t.match(saved.totals, [
      [0, 100],
      [1001, 350],
      [1000, 1012],
    ]);
  });

  await t.test('of the node, they begin anew', async (t) => {
    await setup('input', 'boot-2');
    t.equal(volume(await poll(), 'user.cpu', 'ada'), 100_000_000);
  });

  await t.test('a state file that is broken or cannot be written does no harm', async (t) => {
    await writeFile(join(folder, 'data/users-plugin.json'), '{"boot": "boot-2", "totals"');
    t.equal(volume(await poll(), 'user.cpu', 'ada'), 100_000_000);
    const log = recordLog();
    const lost = { ...options, state_file: join(folder, 'proc/1/stat/users.json') };
    const open = await openPollster(createUsers(), lost, { log });
    t.equal((await open.poll()).failed.length + (await open.poll()).failed.length, 0);
    t.equal(log.lines.length, 1, 'told once');
  });
});
