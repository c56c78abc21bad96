import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ManualClock, SECOND } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { ADMIN, READER, startApi } from '../usage/api.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { openDoor } from '../usage/refused.ts';
import { runNephometer } from './exports.ts';
import { NEPHOMETER } from './nephometer.ts';

/* Questions and corrections on the command line. docs/billing.md shows each with its answer; here is what a person sees. */

t.setTimeout(300_000);
const clock = new ManualClock(at('2026-02-27'));
const store = createMemoryStore({ clock });
const refused = ARRIVALS.findIndex(({ at: arrived }) => arrived > at('2026-03-22T08:00:00'));
await recordArrivals(
  store,
  clock,
  ARRIVALS.filter((_, n) => n !== refused),
);
for (const { batch } of ARRIVALS.slice(refused, refused + 1)) await openDoor(store, clock).post(batch);
clock.jump(60 * SECOND);
const api = await startApi(store, clock, { expected_agents: ['node-1', 'node-9'] });
t.teardown(() => api.stop());

const run = (...args: string[]) => runNephometer(api.url, args);
const MARCH = ['--from', '2026-03-01', '--to', '2026-04-01', '--tz', 'Europe/Berlin'];
const VCPUS = ['vcpus', '-k', 'duration', ...MARCH];

await t.test('coverage: a row each, and each gap with its reason', async (t) => {
  const agents = await run('coverage', ...MARCH);
  t.match(agents, { code: 0, stderr: '' });
  t.match(agents.stdout, /^agent_id +state +coverage +known by +gaps\nnode-1 +measured +9\d\.\d+ % +cycles +\d\n/);
  t.match(agents.stdout, /\nnode-9 +never-seen +0 % /);
  t.match(
    agents.stdout,
    /\n2026-03-15 09:00 {2}2026-03-15 15:00 {2}agent-silent +node-1\n/,
    'in the clock of the zone',
  );
  t.match(agents.stdout, /\nas of 2026-04-0\dT.*, times of Europe\/Berlin\n$/);
  const resource = await run('coverage', '--by', 'resource', '-m', 'vcpus', '--resource', 'i2', ...MARCH);
  t.match(resource.stdout, /^meter +resource_id +source +coverage/);
  t.match(resource.stdout, /quarantined +vcpus i2 openstack\n/);
  t.notMatch(resource.stdout, / i1 /);
  const csv = await run('coverage', '--by', 'source', ...MARCH, '--format', 'csv');
  t.match(csv.stdout, /^agent_id,source,coverage,basis,gap_from,gap_to,gap_reason\nnode-1,\S+,2026-03-15T08:00:00Z,/);
  const none = await run('coverage', '--by', 'meter', '-m', 'nosuch', ...MARCH);
  t.match(none.stdout, /Nothing is known of it in this period/);
  const wrong = await run('coverage', '-m', 'vcpus', ...MARCH);
  t.match(wrong, { code: 65, stderr: /meter: only means something with by=meter/ });
  t.match(await run('coverage', '--by', 'moon'), { code: 2, stderr: /Allowed choices are agent, source/ });
});

await t.test('finality: in sentences, with what is awaited', async (t) => {
  const { code, stdout } = await run('finality', 'p1', ...MARCH);
  t.equal(code, 0);
  t.match(
    stdout,
    /^Project p1, 2026-03-01 00:00 to 2026-04-01 00:00: open: something may still arrive or be decided\.\n/,
  );
  t.match(stdout, /\nWhat was measured in it is taken until 2026-0\d-\d\d/);
  t.match(stdout, /\nawaited +from +to +agent\n.*agent-silent +2026-03-01 00:00 {2}2026-04-01 00:00 {2}node-9\n/);
  const whole = JSON.parse((await run('finality', 'p1', ...MARCH, '--format', 'json')).stdout) as { state: string };
  t.equal(whole.state, 'open');
  t.match(await runNephometer(api.url, ['finality', 'p2', ...MARCH], READER), { code: 77, stderr: /403/ });
  t.match(await run('finality', 'p1'), { code: 2, stderr: /--to/ });
  const reader = await runNephometer(api.url, ['findings', ...MARCH], READER);
  t.match(reader, { code: 77, stderr: /This token is a reader's; one of admin would be right/ });
});

await t.test('from a line to its samples, and to one of them as it was signed', async (t) => {
  const DAY = ['--from', '2026-03-02', '--to', '2026-03-03'];
  const query = ['vcpus', '-k', 'duration', ...DAY, '-q', 'resource_id=i1', '--evidence', '--format', 'json'];
  const { lines } = JSON.parse((await run('usage', ...query)).stdout) as {
    lines: { evidence: string; samples: number }[];
  };
  const [line] = lines;
  const link = line?.evidence ?? '';
  const table = await run('usage', ...query.slice(0, -2));
  t.ok(table.stdout.split('\n')[1]?.endsWith(link), 'whole in a table, too');
  const samples = JSON.parse((await run('evidence', link, '--format', 'json')).stdout) as { message_id: string }[];
  t.equal(samples.length, (line?.samples ?? 0) + 1, 'and the one that held before');
  t.match(
    (await run('evidence', link, '--limit', '3')).stdout,
    /^time \(UTC\) +meter +resource +volume[^\n]*\n2026-03-01T23:45/,
  );
  const id = samples[3]?.message_id ?? '';
  const raw = (await run('sample', id, '--raw')).stdout;
  t.equal(raw, ((await api.get(`/v1/samples/${id}`)).json as { text: string }).text);
  t.equal((JSON.parse(raw) as { message_id: string }).message_id, id);
  t.match((await run('sample', id)).stdout, /"key_id": /);
  t.match(await run('sample', 'nosuch'), { code: 65, stderr: /404/ });
  t.match(await run('evidence', '/v1/usage?meter=vcpus'), {
    code: 2,
    stderr: /is no evidence of a line; it looks like/,
  });
});

await t.test('what refused messages would add, and what a month leads to', async (t) => {
  const { stdout } = await run('quarantine', 'usage', ...VCPUS, '-g', 'project_id');
  t.match(
    stdout,
    /^from +to +project_id +quantity +in quarantine +with it +unit\n2026-03-01 00:00 .* p1 +\d+ +4 +\d+ +h\n/,
  );
  t.match(stdout, /\nrefused for +messages +samples +unreadable\nsignature +1 +32 +0\n/);
  const asOf = ['--from', '2026-03-01', '--tz', 'Europe/Berlin', '--as-of', '2026-03-11T12:00:00Z'];
  const month = await run('usage', 'vcpus', '-k', 'duration', ...asOf, '--projection');
  t.match(month.stdout, /^from +to +quantity +unit +coverage +lower +upper +projected +up to +resets/);
  const { lines } = JSON.parse(
    (await run('usage', 'vcpus', '-k', 'duration', ...asOf, '--project-to', '2026-03-21', '--format', 'json')).stdout,
  ) as { lines: { projected: { to: string } }[] };
  t.equal(lines[0]?.projected.to, '2026-03-20T23:00:00Z');
  const low = await run('usage', ...VCPUS, '--min-coverage', '0.999');
  t.match(low.stdout, / {2}\? {2}h /, 'no figure where too little was measured');
  t.match((await run('definitions')).stdout, /\ninstance_hours +\S+ +duration +/);
});

await t.test('corrections: a void, what it changed, and a biller that follows', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'cursor');
  const follow = ['changes', ...VCPUS, '-w', 'day', '--cursor-file', file];
  const first = await run(...follow);
  t.match(first, { code: 0, stderr: '' });
  t.equal(first.stdout.split('\n').filter((row) => / added/.test(row)).length, 31);
  t.equal((await run(...follow)).stdout.split('\n')[1], '(none)');
  const before = clock.now();
  clock.jump(60 * SECOND);
  const which = [
    '--meter',
    'vcpus',
    '--resource',
    'i1',
    '--from',
    '2026-03-25T06:00:00Z',
    '--to',
    '2026-03-25T09:00:00Z',
  ];
  const created = await run('void', 'create', ...which, '--why', 'counted the wrong host', '--who', 'ops');
  t.equal(created.code, 0, created.stderr);
  t.match(JSON.parse(created.stdout), { samples: 12, more: false, who: 'ops', reason: 'counted the wrong host' });
  t.match(
    (await run('void', 'list')).stdout,
    /meter=vcpus resource_id=i1 from=2026-03-25T06:00:00Z.* counted the wrong host +ops /,
  );
  clock.jump(60 * SECOND);
  const row = /\n2026-03-25 00:00 {2}2026-03-26 00:00 +48 +4\d(\.\d+)? +h +changed +void\n/;
  t.match((await run(...follow)).stdout, row, 'once');
  t.notMatch((await run(...follow)).stdout, row);
  const moment = new Date(before / 1000).toISOString();
  const diff = await run('diff', ...VCPUS, '-w', 'day', '--from-as-of', moment);
  t.match(diff.stdout, row);
  t.match(diff.stdout, /\nbetween 2026-04-0\dT\S+ and 2026-04-0\dT\S+, times of Europe\/Berlin\n$/);
  const json = JSON.parse((await run('changes', ...VCPUS, '-w', 'day', '--format', 'json')).stdout) as {
    changes: unknown[];
    cursor: string;
  };
  t.equal(json.changes.length, 31);
  t.match(await run('changes', ...VCPUS, '-w', 'day', '--cursor', json.cursor), { code: 0, stdout: /\(none\)/ });
  const csv = await run('changes', ...VCPUS, '-w', 'day', '-g', 'resource_id', '--format', 'csv');
  t.match(csv.stderr, /^go on with --cursor \S+\n$/);
  t.match(
    csv.stdout,
    /^id,change,causes,from,to,resource_id,unit,before,after,coverage,revision\n[0-9a-f]{32},added,,/,
  );

  t.match(await run('void', 'create', '--why', 'all of them'), {
    code: 2,
    stderr: /Nothing says which samples; name them by/,
  });
  t.match(await run('void', 'create', ...which), { code: 2, stderr: /--why/ });
  t.match(await run('diff', ...VCPUS), { code: 2, stderr: /--from-as-of/ });
  t.match(await run('changes', ...VCPUS, '--cursor', 'x'), { code: 65, stderr: /cursor/ });
  mkdirSync(join(folder, 'taken.new'));
  const lost = await run('changes', ...VCPUS, '--cursor-file', join(folder, 'taken'));
  t.match(lost, { code: 1, stderr: /cannot be kept in .*Go on with --cursor \S+/ });
  t.match(readFileSync(file, 'utf8'), /^\S+\n$/);
  const fresh = join(folder, 'fresh');
  t.equal(await intoFull(['changes', ...VCPUS, '-w', 'day', '--cursor-file', fresh]), 1, 'what was not written');
  t.notOk(existsSync(fresh), 'is not passed over next time');
  writeFileSync(fresh, '');
  const empty = await run('changes', ...VCPUS, '--cursor-file', fresh);
  t.match(empty, { code: 2, stderr: /no cursor in .*fresh: it is empty/ });
  t.match(await run('changes', ...VCPUS, '--cursor-file', folder), { code: 2, stderr: /no cursor in .*EISDIR/ });
  t.match(await run('changes', 'vcpus', '-k', 'duration'), { code: 2, stderr: /--from/ });
});

/** Runs the command with its output to a disk that is full; gives its exit code. */
function intoFull(args: readonly string[]): Promise<number> {
  const env = { ...process.env, NEPHOMETER_TOKEN: ADMIN, NEPHOMETER_URL: api.url };
  const command = ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, NEPHOMETER, ...args];
  return new Promise((resolve) => {
    execFile('sh', command, { env }, (cause) => resolve(cause === null ? 0 : Number(cause.code)));
  });
}

await t.test('an inventory is added from a file or a pipe, and compared with what was sampled', async (t) => {
  t.match((await run('findings', ...MARCH)).stdout, /\(none\)\n\nNo list is of this period: see `inventory add`\./);
  const list = { name: 'instances', at: '2026-03-10T00:00:00Z', meters: ['vcpus'], resources: ['i1', 'i3'] };
  const file = join(t.testdir(), 'list.json');
  writeFileSync(file, JSON.stringify(list));
  t.match(JSON.parse((await run('inventory', 'add', file)).stdout), { name: 'instances', resources: 2 });
  const piped = await new Promise<string>((resolve) => {
    const env = { ...process.env, NEPHOMETER_TOKEN: ADMIN, NEPHOMETER_URL: api.url };
    const child = execFile(process.execPath, [NEPHOMETER, 'inventory', 'add', '-'], { env }, (_, out) => resolve(out));
    child.stdin?.end(JSON.stringify({ name: 'nodes', at: '2026-03-10T00:00:00Z', agents: ['node-1', 'node-77'] }));
  });
  t.match(JSON.parse(piped), { name: 'nodes', agents: ['node-1', 'node-77'] });
  clock.jump(60 * SECOND);
  t.match((await run('inventory', 'list')).stdout, /\ninstances +2026-03-10T00:00:00Z +2 +vcpus +yes /);
  const { stdout } = await run('findings', ...MARCH);
  const awaited = await run('finality', 'p1', ...MARCH);
  t.match(awaited.stdout, /Not every agent has reported: node-1 up to 2026-\S+ \S+, node-77 nothing, node-9 nothing\./);
  t.match(stdout, /\nnever-sampled +i3 +vcpus +instances +1 {2}2026-03-10 01:00/);
  t.match(stdout, /\nunknown-resource +i2 +vcpus +p2 +instances /);
  t.notMatch((await run('findings', '--finding', 'never-sampled', ...MARCH)).stdout, /unknown-resource/);
  t.match(await run('inventory', 'add', join(t.testdir(), 'nosuch')), { code: 2, stderr: /Cannot read .*nosuch/ });
  writeFileSync(file, '{"name": "x"}');
  t.match(await run('inventory', 'add', file), { code: 65, stderr: /neither agents nor resources/ });
});
