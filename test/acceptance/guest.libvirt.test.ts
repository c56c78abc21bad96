import { readFileSync } from 'node:fs';
import t from 'tap';
import { startLibvirt } from '../servers/index.ts';
import { adminToken, ask, askUntil, startDaemon } from './nephometer.ts';
import type { Answer } from './nephometer.ts';

interface Row {
  readonly counter_volume: number;
  readonly counter_unit: string;
  readonly resource_id: string;
  readonly project_id: string | null;
  readonly user_id: string | null;
  readonly resource_metadata: Readonly<Record<string, unknown>>;
  readonly timestamp: string;
}

const INTERVAL_MS = 2000;

const host = await startLibvirt({ guests: 1 });
t.teardown(() => host.stop());
const guest = host.guests[0];
if (guest === undefined) throw new Error('one guest was asked for');

const up = await startDaemon({
  args: ['up'],
  config: `interval: 2s
disabled_plugins: [host, users, cgroup]
log:
  format: json
plugins:
  libvirt:
    uri: ${host.uri}
`,
});
t.teardown(() => up.process.end());
const token = adminToken(up.dataDir);

/** Newest first. */
const samples = (meter: string, resource: string): Promise<Answer> =>
  ask(up.url, token, `/v2/meters/${meter}?q.field=resource_id&q.op=eq&q.value=${resource}&limit=1000`);

async function rowsWhen(meter: string, resource: string, wanted: (rows: readonly Row[]) => boolean): Promise<Row[]> {
  const answer = await askUntil(
    () => samples(meter, resource),
    ({ status, body }) => status === 200 && wanted(body as Row[]),
    `${meter} of ${resource} is not as wanted`,
    60_000,
  );
  return answer.body as Row[];
}

async function domstats(name: string): Promise<number> {
  const text = await host.virsh('domstats', '--raw', guest?.name ?? '', '--cpu-total', '--block');
  return Number(new RegExp(`${name.replaceAll('.', '\\.')}=(\\d+)`).exec(text)?.[1]);
}

/** Timestamps of the API are UTC without a zone. */
const millis = (timestamp: string): number => Date.parse(`${timestamp}Z`);

void t.test("the guest's CPU time agrees with virsh domstats before and after", async (t) => {
  const before = { figure: await domstats('cpu.time'), at: Date.now() };
  const rows = await rowsWhen(
    'cpu',
    guest.uuid,
    ([newest]) => millis(newest?.timestamp ?? '') > before.at + INTERVAL_MS,
  );
  const after = await domstats('cpu.time');
  const between = rows.filter(({ timestamp }) => millis(timestamp) > before.at);
  t.not(between.length, 0, 'samples between the two');
  let bound = after;
  for (const { counter_volume: volume, counter_unit: unit } of between) {
    t.equal(unit, 'ns');
    t.ok(volume <= bound && volume >= before.figure, `${volume} within ${before.figure} and ${bound}`);
    bound = volume;
  }
  t.ok(after > before.figure, 'the guest computes');
});

void t.test('its block counters move, and agree too', async (t) => {
  const disk = `${guest.uuid}-vda`;
  for (const [meter, name] of [
    ['disk.device.read.bytes', 'block.0.rd.bytes'],
    ['disk.device.write.bytes', 'block.0.wr.bytes'],
  ] as const) {
    const before = await domstats(name);
    const rows = await rowsWhen(meter, disk, ([newest]) => (newest?.counter_volume ?? 0) > before);
    t.ok((rows[0]?.counter_volume ?? 0) <= (await domstats(name)), meter);
    t.ok((rows.at(-1)?.counter_volume ?? 0) < (rows[0]?.counter_volume ?? 0), 'it moves');
  }
});

void t.test('project, user, flavor and image are what Nova wrote', async (t) => {
  const [row] = await rowsWhen('instance', guest.uuid, (rows) => rows.length > 0);
  t.equal(row?.project_id, guest.projectId);
  t.equal(row?.user_id, guest.userId);
  const { flavor } = guest;
  t.match(row?.resource_metadata, { display_name: guest.displayName, name: guest.name, image_ref: guest.imageId });
  t.match(JSON.stringify(row?.resource_metadata), flavor.name);
  const figures = [
    ['vcpus', flavor.vcpus],
    ['memory', flavor.memoryMiB],
    ['disk.root.size', flavor.diskGiB],
    ['power.state', 1],
  ] as const;
  for (const [meter, figure] of figures) {
    const [one] = await rowsWhen(meter, guest.uuid, (rows) => rows.length > 0);
    t.equal(one?.counter_volume, figure, meter);
  }
});

void t.test('after its end it has no more samples, and that is no error', async (t) => {
  await host.virsh('destroy', guest.name);
  const destroyedAt = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 3 * INTERVAL_MS));
  const newest = ((await samples('instance', guest.uuid)).body as Row[])[0];
  t.ok(millis(newest?.timestamp ?? '') <= destroyedAt, `the last one is of ${newest?.timestamp}`);
  const log = readFileSync(up.logFile, 'utf8');
  const complaints = log.split('\n').filter((line) => /"level":"?(?:warn|error|40|50)/.test(line));
  t.same(
    complaints.filter((line) => line.includes('libvirt')),
    [],
  );
});
