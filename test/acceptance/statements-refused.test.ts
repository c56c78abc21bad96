import { join } from 'node:path';
import { DAY, ManualClock, MINUTE, Statement } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import type { Test } from 'tap';
import { read, startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import type { Arrival } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { runNephometer, scratch } from './exports.ts';

t.setTimeout(300_000);

const MARCH = { period: '2026-03', tz: 'Europe/Berlin' };
const ID = '77ef05e5-ce3a-5344-b33d-0a05253ad77c';

interface Closed {
  readonly statements: readonly { readonly statement_id: string; readonly project_id: string | null }[];
  readonly refused: readonly { readonly project_id: string | null; readonly reason: string }[];
}

async function close(api: Asking, body: Record<string, unknown>): Promise<Closed> {
  const answer = await api.post('/v1/statements', body);
  if (answer.status >= 400) throw new Error(answer.text);
  return answer.json as Closed;
}

/** The bounds of what was asked for, and what is asked for otherwise. */
t.test('what cannot be closed is refused with the reason', async (t) => {
  const clock = new ManualClock(at('2026-02-27'));
  const store = createMemoryStore({ clock });
  await recordArrivals(store, clock, ARRIVALS);
  clock.jump(at('2026-04-02T06:00:00') - clock.now());
  const api = await startApi(store, clock);
  t.teardown(() => api.stop());
  const p1 = { ...MARCH, project_id: 'p1', definitions: ['instance_hours'] };
  const refused = async (body: Record<string, unknown>, code: string, words: RegExp): Promise<void> => {
    const { text } = await api.post('/v1/statements', body);
    t.match(text, new RegExp(`"code":"${code}"`));
    t.match(text, words);
  };
  await refused({ ...p1, period: '2026-04' }, 'MTR_PERIOD_OPEN', /ends at 2026-04-30T22:00:00Z/);
  await refused({ ...p1, min_coverage: '0.999' }, 'MTR_COVERAGE_LOW', /instance_hours with 0\.9/);
  await refused({ ...p1, period: 'March' }, 'MTR_BAD_REQUEST', /must be a month/);
  await refused({ ...p1, project_id: 'p-one' }, 'MTR_BAD_REQUEST', /\\"p-one\\", of which nothing is recorded/);
  await refused({ ...p1, definitions: ['nothing'] }, 'MTR_BAD_REQUEST', /one of these would be right/);
  const all = await close(api, { ...MARCH, definitions: ['instance_hours'], min_coverage: '0.999' });
  t.same([all.statements.length, all.refused.length], [0, 2], 'of all projects each says why');
  await close(api, { ...p1, min_coverage: '0.999', below: 'flag' });
  const { text } = await api.get(`/v1/statements/${ID}`);
  t.equal(Statement.parse(JSON.parse(text)).flagged.length, 1);
  await refused({ ...p1, window: 'day' }, 'MTR_STATEMENT_EXISTS', /window is \\"none\\", asked for is \\"day\\"/);
  await refused({ ...p1, definitions: ['vcpu_hours'] }, 'MTR_STATEMENT_EXISTS', /definitions is/);
  t.equal((await api.post('/v1/statements', p1, { who: 'reader' })).status, 403);
});

t.test('a month of which an expected agent was not heard is not invoiced in good faith', async (t) => {
  const clock = new ManualClock(at('2026-02-27'));
  const store = createMemoryStore({ clock });
  await recordArrivals(store, clock, ARRIVALS);
  clock.jump(at('2026-04-02T06:00:00') - clock.now());
  const api = await startApi(store, clock, { expected_agents: ['node-1', 'node-9'] });
  t.teardown(() => api.stop());
  const resources = [
    { resource_id: 'i1', project_id: 'p1' },
    { resource_id: 'i2', project_id: 'p2' },
    { resource_id: 'i7', project_id: 'p1' },
    { resource_id: 'i8', project_id: 'p2' },
    { resource_id: 'i9', project_id: 'p9' },
  ];
  const list = { name: 'nova', at: '2026-03-15T00:00:00Z', meters: ['vcpus'], resources };
  t.equal((await api.post('/v1/inventory', list)).status, 201);
  clock.jump(60_000_000);
  const asked = { ...MARCH, definitions: ['instance_hours'] };
  const { status, json } = await api.post('/v1/statements', { ...asked, project_id: 'p1' });
  t.match(
    { status, json },
    { status: 409, json: { code: 'MTR_AGENT_NOT_HEARD', detail: /1 agent that was expected: node-9\. / } },
  );
  const all = await close(api, asked);
  t.same(all.statements, []);
  t.match(all.refused, [
    { reason: /Project p1: .*node-9/ },
    { reason: /Project p2: .*node-9/ },
    {
      project_id: 'p9',
      reason: /^Project p9: nothing was measured of it from .*, though lists name 1 resources of it\./,
    },
  ]);
  const command = ['statement', 'create', '--period', '2026-03', '--tz', 'Europe/Berlin', '--definition'];
  const run = await runNephometer(api.url, [...command, 'instance_hours']);
  t.match(run, {
    code: 1,
    stderr: /^Not closed: Project p1: .*\nNot closed: Project p2: .*\nNot closed: Project p9: /,
  });
  const flagged = await close(api, { ...asked, below: 'flag' });
  t.match(flagged.statements, [
    { project_id: 'p1', warnings: 2 },
    { project_id: 'p2', warnings: 2 },
  ]);
  t.match(flagged.refused, [{ project_id: 'p9' }], 'of which nothing is known is closed by its name alone');
  const answer = await api.get(`/v1/statements/${ID}`, { who: 'reader' });
  t.same(read(answer, Statement).warnings, [
    { warning: 'agent-not-heard', meter: null, count: 1 },
    { warning: 'never-sampled', meter: 'vcpus', count: 1 },
  ]);
  t.notOk(answer.text.includes('node-9'), 'which agent it is, is not for who is billed');
  await warningsAreSeen(t, api);
  const named = await close(api, { ...asked, project_id: 'p9', below: 'flag' });
  t.match(named.statements, [{ project_id: 'p9', lines: 0, warnings: 2 }]);
  t.same((await close(api, { ...asked, below: 'flag' })).refused, [], 'and then all are closed');
  t.equal((await runNephometer(api.url, [...command, 'instance_hours', '--below', 'flag'])).code, 0);
});

/** By whoever reads the statement, or checks it away from the server. */
async function warningsAreSeen(t: Test, api: Asking): Promise<void> {
  const words =
    /warning: 1 expected agent was not heard in the period at all\. The figures may be low\.\nwarning: 1 listed resource has no sample of vcpus in the period\.\n/;
  t.match(await runNephometer(api.url, ['statement', 'show', ID]), { code: 0, stdout: words });
  const json = await runNephometer(api.url, ['statement', 'show', ID, '--format', 'json']);
  t.match(json, { code: 0, stderr: words });
  t.ok(Array.isArray(JSON.parse(json.stdout)));
  const file = join(scratch(t), 'march.ndjson');
  t.equal((await runNephometer(api.url, ['statement', 'evidence', ID, '--out', file])).code, 0);
  t.match(await runNephometer(api.url, ['verify', file]), { code: 0, stdout: words });
  const report = JSON.parse((await runNephometer(api.url, ['verify', file, '--json'])).stdout) as unknown;
  t.match(report, {
    statement: { warnings: [{ warning: 'agent-not-heard', count: 1 }, { warning: 'never-sampled' }] },
  });
}

t.test('a project that only a silent agent measured is named, by what it had before', async (t) => {
  const clock = new ManualClock(at('2026-02-27'));
  const store = createMemoryStore({ clock });
  const days = (from: number, id: string, project: string): Arrival[] =>
    arrivalsOf({
      from: at('2026-02-27'),
      to: at('2026-02-27') + from * DAY,
      interval: 15 * MINUTE,
      agents: [
        { id, meters: ['vcpus'], readings: () => [{ meter: 'vcpus', resource: `of-${id}`, project, volume: '1' }] },
      ],
    });
  const both = [...days(23, 'node-1', 'p1'), ...days(3, 'node-9', 'p9')].sort((a, b) => a.at - b.at);
  await recordArrivals(store, clock, both);
  clock.jump(at('2026-03-22') - clock.now());
  const api = await startApi(store, clock, { expected_agents: ['node-1', 'node-9'] });
  t.teardown(() => api.stop());
  const asked = { from: '2026-03-11', to: '2026-03-21', definitions: ['instance_hours'], below: 'flag' };
  const { statements, refused } = await close(api, asked);
  const named = [...statements, ...refused].map(({ project_id: project }) => project);
  t.same(named, ['p1', 'p9'], 'of whom the silence hides everything is not left out');
  for (const { reason } of refused)
    t.match(reason, /it had lines in the time before, and nothing was heard of 1 agent /);
});
