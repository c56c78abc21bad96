import { ManualClock } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { READER, startApi } from '../usage/api.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { runNephometer } from './exports.ts';

t.setTimeout(300_000);
const clock = new ManualClock(at('2026-02-27'));
const store = createMemoryStore({ clock });
await recordArrivals(store, clock, ARRIVALS);
const api = await startApi(store, clock);
t.teardown(() => api.stop());

const DAYS = ['--from', '2026-03-15', '--to', '2026-03-17', '--tz', 'Europe/Berlin', '-w', 'day'];
const usage = (...args: string[]) => runNephometer(api.url, ['usage', ...args]);

await t.test('a table that a person reads, in the clock of the zone, with what was not measured marked', async (t) => {
  const { code, stdout, stderr } = await usage('instance_hours', ...DAYS, '-g', 'resource_id', '--gaps');
  t.match({ code, stderr }, { code: 0, stderr: '' });
  const [header = '', ...rows] = stdout.split('\n');
  t.match(header, /^from +to +resource_id +quantity +unit +coverage +lower +upper/);
  t.match(rows[0], /^2026-03-15 00:00 {2}2026-03-16 00:00 {2}i1 +~ 18\.25 {2}instance\.h +76\.04 % {2}18\.25 +24 /);
  t.match(rows[2], /^2026-03-16 00:00 {2}2026-03-17 00:00 {2}i1 +24 {2}instance\.h +100 % +24 +24 /);
  t.match(stdout, /\ngap from +to +reason +resource\n2026-03-15 09:15 {2}2026-03-15 15:00 {2}agent-silent {2}i1\n/);
  t.match(stdout, /\n~ measured in part: the true figure lies between lower and upper/);
  t.match(stdout, /\ninstance_hours [0-9a-f]{12}, as of 2026-04-01T23:45:02Z, times of Europe\/Berlin \(tzdata /);
  const widths = new Set(rows.slice(0, 4).map((row) => row.indexOf('instance.h')));
  t.equal(widths.size, 1, 'columns stand below each other');
});

await t.test('what has no bound, and a period in which nothing was, are said in words', async (t) => {
  t.match((await usage('vcpu_hours', ...DAYS)).stdout, /~ 54\.75 {2}vcpu\.h +76\.04 % {2}54\.75 {2}no bound /);
  const never = await usage('vcpus.nosuch', '-k', 'duration', ...DAYS);
  t.match(never.stdout, /\nwarning: No sample of meter vcpus\.nosuch was ever seen\.\n/);
  const slip = await usage('vcpu', '-k', 'duration', ...DAYS);
  t.match(slip, { code: 0, stdout: /\nwarning: No sample of meter vcpu was ever seen; near: vcpus\.\n/ });
  const later = await usage('vcpu_hours', '--from', '2026-05-01', '--to', '2026-05-02');
  t.match(later, { code: 0, stdout: /Nothing was there to be measured: no usage, and no gap\./ });
});

await t.test('for programs: JSON as the API says it, and CSV without marks', async (t) => {
  const json = await usage('instance_hours', ...DAYS, '--format', 'json');
  t.match(JSON.parse(json.stdout), {
    lines: [{ from: '2026-03-14T23:00:00Z', quantity: '18.25' }, {}, { quantity: '24' }, {}],
    next: null,
    settled: true,
    definition: { name: 'instance_hours' },
  });
  const csv = await usage('instance_hours', ...DAYS, '-g', 'resource_id', '--format', 'csv');
  const [header, first] = csv.stdout.split('\n');
  t.match(header, /^from,to,resource_id,quantity,unit,coverage,lower,upper,.*,revision,id$/);
  t.match(first, /^2026-03-14T23:00:00Z,2026-03-15T23:00:00Z,i1,18\.25,instance\.h,0\.760416,18\.25,24,/);
});

await t.test('what a definition groups by stands in every format, and what has no answer is told', async (t) => {
  const csv = await usage('instance_hours', ...DAYS, '--format', 'csv');
  t.match(csv.stdout, /^from,to,metadata\.flavor_name,quantity,/);
  const gauge = await usage('vcpus', '-k', 'increase', ...DAYS);
  t.match(gauge.stdout, /\nwarning: \d series left out: of type gauge, which this kind does not answer\.\n/);
  t.notMatch(gauge.stdout, /Nothing was there/);
  const some = await usage('instance_hours', ...DAYS, '-g', 'resource_id', '--limit', '2');
  t.match(some.stdout, /There are more lines; --limit kept them back\./);
});

await t.test('what is asked wrongly is said in one line, with what would be right', async (t) => {
  t.match(await usage('nosuch'), { code: 2, stdout: '', stderr: /"nosuch" is no named quantity.*instance_hours/ });
  t.match(await usage('vcpu_hours', '--tz', 'Berlin'), { code: 2, stderr: /Berlin/ });
  t.match(await usage('vcpu_hours', ...DAYS, '--min-coverage', '95'), {
    code: 65,
    stderr: /from 0 to 1, such as 0\.95/,
  });
  const crossed = await usage('vcpu_hours', ...DAYS, '--floor', '5', '--ceiling', '3');
  t.match(crossed, { code: 65, stderr: /floor 5 is above ceiling 3/ });
  t.match(await usage('vcpu_hours', '-q', 'p1'), { code: 2, stderr: /"p1" is not a condition; write FIELD=VALUE/ });
  t.match(await usage('vcpus', '-k', 'duration', '--from', 'soon'), { code: 65, stderr: /400 from: .*"soon"/ });
  t.match(await usage('vcpu_hours', '--window', 'fortnight'), { code: 2, stderr: /Allowed choices/ });
  const stranger = await runNephometer(api.url, ['usage', 'vcpu_hours', '-q', 'project_id=p2'], READER);
  t.match(stranger, { code: 77, stderr: /403 .*project p2/ });
  t.match(await runNephometer('http://127.0.0.1:9', ['usage', 'vcpu_hours']), { code: 69, stderr: /No answer/ });
});

await t.test('exports: a reader has its own projects, and sees no other export', async (t) => {
  const period = { definitions: ['vcpu_hours'], from: '2026-03-01', to: '2026-03-03', group_by: ['project_id'] };
  const own = await api.post('/v1/exports', period, { who: 'reader' });
  t.equal(own.status, 201);
  const { id } = own.json as { id: string };
  const part = await api.get(`/v1/exports/${id}/parts/2026-03-01.0001.csv`, { who: 'reader' });
  t.match(
    part.text,
    /^definition,from,to,project_id,[^\n]*\nvcpu_hours,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,p1,72,/,
  );
  const whole = (await api.post('/v1/exports', period)).json as { id: string };
  t.not(whole.id, id, "an admin's is another");
  for (const path of ['', '/manifest', '/partitions/2026-03-01', '/parts/2026-03-01.0001.csv']) {
    t.equal((await api.get(`/v1/exports/${whole.id}${path}`, { who: 'reader' })).status, 404, path);
    t.equal((await api.get(`/v1/exports/${id}${path}`)).status, 200, `${path}, to an admin`);
  }
  const others = await api.post('/v1/exports', { ...period, project_id: ['p2'] }, { who: 'reader' });
  t.match(others, { status: 403, json: { code: 'MTR_FORBIDDEN' } });
  const again = await api.post('/v1/exports', period, { who: 'reader' });
  t.equal(again.text, own.text, 'the same question as of the same moment is the same export');
  for (const [wrong, detail] of [
    [{ as_of: '2027-01-01' }, /not settled yet/],
    [{ shape: 'focus', window: 'none', to: '2026-05-01' }, /two billing periods/],
    [{ format: 'xml' }, /format/],
    [{ definitions: ['nosuch'] }, /one of these would be right/],
  ] as const) {
    t.match((await api.post('/v1/exports', { ...period, ...wrong })).json, { status: 400, detail });
  }
  t.equal((await api.get(`/v1/exports/${id}/parts/2026-03-01.0002.csv`)).status, 404);
});
