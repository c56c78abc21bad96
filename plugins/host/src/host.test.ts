import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { checkPollster, goldenCases, openPollster, pollPlugin, recordLog } from '@nephometer/core/plugin/testing';
import type { PlainReading } from '@nephometer/core/plugin/testing';
import plugin, { createHost } from './index.ts';
import type { Statfs } from './filesystems.ts';

type Test = Pick<typeof t, 'ok'>;

/** Sizes of file systems as a case records them, by the path below its input folder. */
function recordedStatfs(input: string): (path: string) => Promise<Statfs> {
  return async (path) => {
    const table = JSON.parse(await readFile(join(input, 'statfs.json'), 'utf8')) as Record<string, object>;
    const sizes = table[path.replace(input, '')];
    if (sizes === undefined) throw new Error(`ENOENT: no such file or directory, statfs '${path}'`);
    const entries = Object.entries(sizes) as [string, number][];
    return Object.fromEntries(entries.map(([name, value]) => [name, BigInt(value)])) as unknown as Statfs;
  };
}

t.test('obeys the contract on this machine', async () => checkPollster(plugin));

t.test('golden cases', async (t) => {
  const prepare = (input: string) => ({ plugin: createHost(recordedStatfs(input)) });
  for (const { name, check } of await goldenCases(plugin, new URL('../cases/', import.meta.url), { prepare })) {
    await t.resolves(check(), name);
  }
});

const run = async (command: string, ...args: string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { env: { ...process.env, LC_ALL: 'C' } })).stdout;

function volume(readings: readonly PlainReading[], meter: string, resource = 'node-1'): number {
  return Number(readings.find((one) => one.meter === meter && one.resource_id === resource)?.volume);
}

/** Between the same figure before and after, give or take what changes in between. */
function near(t: Test, found: number, before: number, after: number, slack: number, what: string): void {
  const [low, high] = [Math.min(before, after) - slack, Math.max(before, after) + slack];
  t.ok(found >= low && found <= high, `${what}: ${found} within ${low} and ${high}`);
}

t.test('memory agrees with free', async (t) => {
  const free = async (): Promise<number[]> =>
    (await run('free', '-k', '-w')).split('\n')[1]?.match(/\d+/g)?.map(Number) ?? [];
  const before = await free();
  const { readings } = await pollPlugin(plugin);
  const after = await free();
  // total used free shared buffers cache available
  t.equal(volume(readings, 'hardware.memory.total'), before[0]);
  near(t, volume(readings, 'hardware.memory.used'), before[1] ?? 0, after[1] ?? 0, 50_000, 'used');
  near(t, volume(readings, 'hardware.memory.buffer'), before[4] ?? 0, after[4] ?? 0, 2_000, 'buffers');
  near(t, volume(readings, 'hardware.memory.cached'), before[5] ?? 0, after[5] ?? 0, 50_000, 'cache');
});

t.test('file systems agree with df', async (t) => {
  const rows = async (): Promise<string[][]> =>
    (await run('df', '-k', '--output=source,size,used,target'))
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(/\s+/));
  const before = await rows();
  const { readings } = await pollPlugin(plugin);
  const after = await rows();
  const sizes = readings.filter(({ meter }) => meter === 'hardware.disk.size.total');
  t.not(sizes.length, 0);
  for (const { resource_id, metadata, volume: total } of sizes) {
    const row = (table: string[][]): string[] => table.find((one) => one[3] === metadata['path']) ?? [];
    t.equal(total, row(before)[1]);
    const used = volume(readings, 'hardware.disk.size.used', resource_id);
    near(t, used, Number(row(before)[2]), Number(row(after)[2]), 20_000, String(metadata['path']));
  }
});

t.test('interfaces agree with /proc/net/dev', async (t) => {
  const bytes = async (): Promise<Map<string, number>> =>
    new Map(
      [...(await readFile('/proc/net/dev', 'utf8')).matchAll(/^\s*(\S+): *(\d+)/gm)].map(([, name = '', received]) => [
        name,
        Number(received),
      ]),
    );
  const before = await bytes();
  const { readings } = await pollPlugin(plugin, { exclude_interfaces: [] });
  const after = await bytes();
  t.not(before.size, 0);
  for (const [name, received] of before) {
    const found = volume(readings, 'hardware.network.incoming.bytes', `node-1.${name}`);
    near(t, found, received, after.get(name) ?? received, 0, name);
  }
});

t.test('a file system that hangs is reported, and asked again only when it has answered', async (t) => {
  let asked = 0;
  const open = await openPollster(createHost(() => new Promise<never>(() => void asked++)));
  for (const poll of [1, 2]) {
    const { readings, failed } = await open.poll({ signal: AbortSignal.timeout(300) });
    t.match(failed[0]?.reason, /does not answer/, `poll ${poll}`);
    t.ok(readings.some(({ meter }) => meter === 'hardware.memory.total'));
    t.equal(asked, failed.length, 'each file system was asked once');
  }
});

t.test('a missing file is told once, not at every poll', async (t) => {
  const log = recordLog();
  const folder = new URL('../cases/old-kernel-without-some-files/input', import.meta.url).pathname;
  const open = await openPollster(plugin, { proc: `${folder}/proc`, root: folder }, { log });
  await open.poll();
  const told = log.lines.length;
  await open.poll();
  t.equal(told, 2, 'net/snmp and vmstat');
  t.equal(log.lines.length, told);
});
