import { HOUR, ManualClock, statementId } from '@nephometer/core';
import t from 'tap';
import type { Test } from 'tap';
import { startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { recordArrivals } from '../usage/cloud.ts';
import { ARRIVALS, at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';

t.setTimeout(600_000);

const ID = '77ef05e5-ce3a-5344-b33d-0a05253ad77c';

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: what comes after a closing shows as adjustments, day by day, to whom it concerns`, async (t) => {
    const clock = new ManualClock(at('2026-02-27'));
    const store = await (await prepare()).open(clock);
    const late = ARRIVALS.findIndex(({ at: arrived }) => arrived > at('2026-03-10'));
    await recordArrivals(
      store,
      clock,
      ARRIVALS.filter((_, i) => i !== late),
    );
    clock.jump(at('2026-04-02T06:00:00') - clock.now());
    const api = await startApi(store, clock);
    t.teardown(async () => {
      await api.stop();
      await store.close();
    });
    const definitions = ['instance_hours', 'vcpu_hours'];
    t.equal((await api.post('/v1/statements', { period: '2026-03', tz: 'Europe/Berlin', definitions })).status, 201);
    clock.jump(HOUR);
    await recordArrivals(store, clock, ARRIVALS.slice(late, late + 1));
    const selector = { meter: 'vcpus', resource_id: 'i1', from: '2026-03-25T06:00:00Z', to: '2026-03-25T09:00:00Z' };
    t.equal((await api.post('/v1/voids', { selector, reason: 'counted the wrong host' })).status, 201);
    clock.jump(HOUR);
    await adjustmentsAre(t, api);
    await visibleAs(t, api);
  });
}

async function adjustmentsAre(t: Test, api: Asking): Promise<void> {
  const { adjustments, totals } = (await api.get(`/v1/statements/${ID}/adjustments`)).json as Adjustments;
  const hours = adjustments.filter(({ definition }) => definition === 'instance_hours');
  t.same(
    hours.map(({ difference, causes }) => [difference, causes]),
    [
      ['0.75', ['late', 'void']],
      ['3.75', ['late']],
    ],
  );
  t.equal(totals.find(({ definition }) => definition === 'instance_hours')?.difference, '4.5');
  const asked = '/v1/usage?definition=instance_hours&tz=Europe/Berlin&window=day&group_by=project_id&limit=100';
  const days = JSON.parse((await api.get(`${asked}&from=2026-03-01&to=2026-04-05`)).text) as { lines: Day[] };
  const ofP1 = days.lines.filter(({ group }) => group.project_id === 'p1');
  t.same(
    ofP1.filter(({ finality }) => finality === 'adjusted').map(({ from }) => from.slice(0, 10)),
    ['2026-03-09', '2026-03-24'],
    'the days of the late batch and of the void, in Berlin',
  );
  t.equal(ofP1.filter(({ finality }) => finality === 'closed').length, 29);
  t.ok(ofP1.filter(({ from }) => from >= '2026-03-31T22').every(({ finality }) => finality === 'provisional'));
}

interface Adjustments {
  readonly adjustments: readonly { definition: string; difference: string; causes: string[] }[];
  readonly totals: readonly { definition: string; difference: string }[];
}

interface Day {
  readonly from: string;
  readonly group: { readonly project_id: string };
  readonly finality: string;
}

async function visibleAs(t: Test, api: Asking): Promise<void> {
  const who = 'reader';
  const listed = JSON.parse((await api.get('/v1/statements', { who })).text) as {
    statements: { project_id: string }[];
  };
  t.same(
    listed.statements.map(({ project_id: project }) => project),
    ['p1'],
  );
  t.equal((await api.get(`/v1/statements/${ID}`, { who })).status, 200);
  t.equal(
    (await api.get(`/v1/statements/${statementId('p2', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z')}`, { who }))
      .status,
    404,
  );
  t.equal((await api.get(`/v1/statements/${ID}/evidence`, { who })).status, 403);
  t.equal((await api.get('/v1/finality?project_id=p2&from=2026-03-01&to=2026-04-01', { who })).status, 403);
  const csv = (await api.get(`/v1/statements/${ID}`, { who, accept: 'text/csv' })).text.trimEnd().split('\n');
  t.match(csv[0], /^statement_id,project_id,definition,from,to,/);
  const rows = (await api.get(`/v1/statements/${ID}`, { who, accept: 'application/x-ndjson' })).text
    .trimEnd()
    .split('\n');
  t.equal(csv.length, rows.length + 1);
}
