import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { checkPollster, goldenCases, openPollster, pollPlugin } from '@nephometer/core/plugin/testing';
import type { PlainReading } from '@nephometer/core/plugin/testing';
import { CgroupConfig } from './config.ts';
import plugin from './index.ts';
import { findHierarchies } from './mounts.ts';

type Tap = typeof t;

const CASES = new URL('../cases/', import.meta.url);

t.test('golden cases', async (t) => {
  /** Mount points are absolute, so a case names them by `${input}`. */
  const prepare = async (input: string) => {
    const file = join(input, 'mountinfo');
    if (existsSync(file)) await writeFile(file, (await readFile(file, 'utf8')).replaceAll('${input}', input));
    return {};
  };
  for (const { name, check } of await goldenCases(plugin, CASES, { prepare })) await t.resolves(check(), name);
});

async function copyOf(name: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'nephometer-cgroup-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  await cp(fileURLToPath(new URL(`${name}/input`, CASES)), root, { recursive: true });
  return root;
}

t.test('obeys the contract', async () => {
  await checkPollster(plugin, { options: { root: await copyOf('v2-docker-with-systemd') } });
});

t.test('a group that ended between discovery and reading is no failure', async (t) => {
  const root = await copyOf('v2-docker-with-systemd');
  const open = await openPollster(plugin, { root });
  const resources = await open.discover();
  const before = await open.poll({ resources });
  await rm(join(root, 'system.slice/ssh.service'), { recursive: true });
  const after = await open.poll({ resources });
  t.same(after.failed, []);
  t.same(
    after.readings,
    before.readings.filter(({ resource_id: id }) => id !== 'node-1.ssh.service'),
  );
  t.not(after.readings.length, before.readings.length);
});

t.test('without the trees a poll fails; it does not find nothing', async (t) => {
  const root = await copyOf('v2-docker-with-systemd');
  const open = await openPollster(plugin, { root });
  await rm(root, { recursive: true });
  await t.rejects(open.discover(), { message: `no control groups are mounted at ${root} any more` });
});

t.test('a resource that it did not find is reported', async (t) => {
  const { readings, failed } = await pollPlugin(
    plugin,
    { root: await copyOf('v2-docker-with-systemd') },
    { resources: [{ id: 'static' }] as never },
  );
  t.equal(readings.length, 0);
  t.match(failed, [{ resource_id: 'static', reason: /no control group/ }]);
});

t.test("this machine's own groups", async (t) => {
  const options = { kinds: CgroupConfig.shape.kinds.unwrap().element.options, nested: true };
  const hierarchies = await findHierarchies(CgroupConfig.parse({}));
  t.not(hierarchies.length, 0, 'it has control groups');

  await t.test('obeys the contract there', async () => checkPollster(plugin, { options, mayBeEmpty: true }));

  await t.test('figures agree with the files', async (t) => {
    const { readings } = await pollPlugin(plugin, options);
    const files: Record<string, readonly string[]> = {
      'cgroup.memory.usage': ['memory.usage_in_bytes', 'memory.current'],
      'cgroup.memory.peak': ['memory.max_usage_in_bytes', 'memory.peak'],
      'cgroup.pids': ['pids.current'],
    };
    for (const { folder } of hierarchies) {
      for (const [meter, names] of Object.entries(files)) {
        for (const reading of readings.filter((one) => one.meter === meter)) {
          const path = join(folder, String(reading.metadata['path']));
          const name = names.find((one) => existsSync(join(path, one)));
          if (name === undefined) continue;
          const now = Number((await readFile(join(path, name), 'utf8').catch(() => reading.volume)).trim());
          const slack = meter === 'cgroup.pids' ? 200 : Math.max(64 * 2 ** 20, now / 2);
          t.ok(Math.abs(Number(reading.volume) - now) <= slack, `${meter} of ${path}: ${reading.volume}, now ${now}`);
        }
      }
    }
    const groups = new Set(readings.map(({ resource_id: id }) => id));
    t.comment(`${groups.size} groups, ${readings.length} readings`);
  });

  if (canMakeGroups()) {
    await t.test('a busy group of our own grows by the CPU time that it used', async (t) => measureOwnGroup(t));
  } else t.comment('Groups cannot be made here, so no group of our own is measured.');
});

const OWN = join(
  existsSync('/sys/fs/cgroup/cpuacct') ? '/sys/fs/cgroup/cpuacct' : '/sys/fs/cgroup',
  `nephometer-test-${process.pid}`,
);

/** As root, and where the tree is not mounted read-only. */
function canMakeGroups(): boolean {
  try {
    mkdirSync(OWN);
    rmdirSync(OWN);
    return true;
  } catch {
    return false;
  }
}

async function measureOwnGroup(t: Pick<Tap, 'ok' | 'equal'>): Promise<void> {
  const name = basename(OWN);
  mkdirSync(OWN);
  try {
    const options = { kinds: ['other'], include: [name] };
    const cpu = async (): Promise<bigint> => BigInt(find((await pollPlugin(plugin, options)).readings, 'cgroup.cpu'));
    const before = await cpu();
    const burn = 'echo $$ > "$0/cgroup.procs"; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; cat /proc/$$/stat';
    const ticks = execFileSync('sh', ['-c', burn, OWN], { encoding: 'utf8' }).split(' ');
    const used = BigInt(Number(ticks[13]) + Number(ticks[14])) * 10_000_000n;
    const after = await cpu();
    const grown = after - before;
    t.ok(used > 0n && grown >= used - 30_000_000n && grown <= used + 200_000_000n, `grew by ${grown}, used ${used}`);
  } finally {
    rmdirSync(OWN);
  }
  t.equal((await pollPlugin(plugin, { kinds: ['other'], include: [name] })).readings.length, 0, 'gone');
}

function find(readings: readonly PlainReading[], meter: string): string {
  const volume = readings.find((one) => one.meter === meter)?.volume;
  if (volume === undefined) throw new Error(`no ${meter} among ${readings.length} readings`);
  return volume;
}
