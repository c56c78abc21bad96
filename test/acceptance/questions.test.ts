import { HOUR, ManualClock, MINUTE, parseDecimal, parseVolume, subtract, toText } from '@nephometer/core';
import type { Counter, Micros, Store } from '@nephometer/core';
import { usageSchemas } from '@nephometer/api';
import t from 'tap';
import type { Test } from 'tap';
import { makeBatch } from '../conformance/fixtures.ts';
import { read, startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import type { AgentPlan } from '../usage/cloud.ts';
import { at, METERS, readingsAt } from '../usage/month.ts';
import { openDoor } from '../usage/refused.ts';
import { STORES } from '../usage/stores.ts';

/** Questions of a critical biller, on every kind of store, with the same bytes. */
t.setTimeout(300_000);
const { FindingsAnswer, QuarantineUsageAnswer, UsageAnswer } = usageSchemas;

const bytes = new Map<string, string>();
function sameBytes(t: Test, question: string, text: string): void {
  const known = bytes.get(question);
  if (known === undefined) bytes.set(question, text);
  else t.equal(text, known, `the same bytes: ${question}`);
}

const agent: AgentPlan = { id: 'node-1', meters: METERS, readings: readingsAt };
const day = { from: at('2026-03-01T20:00:00'), to: at('2026-03-03T04:00:00'), interval: 15 * MINUTE };
const ARRIVALS = arrivalsOf({ ...day, agents: [agent] });
const PERIOD = 'from=2026-03-02&to=2026-03-03';

interface Cloud {
  readonly api: Asking;
  readonly store: Store;
  readonly clock: ManualClock;
}

async function startCloud(t: Test, name: string, arrivals = ARRIVALS, expected = ['node-1']): Promise<Cloud> {
  const clock = new ManualClock(day.from);
  const data = await Object.entries(STORES).find(([known]) => known === name)?.[1]();
  if (data === undefined) throw new Error(`There is no store ${name}.`);
  const store = await data.open(clock);
  t.teardown(() => store.close());
  await recordArrivals(store, clock, arrivals);
  clock.jump(Math.max(0, at('2026-03-03T05:00:00') - clock.now()));
  const api = await startApi(store, clock, { expected_agents: expected });
  t.teardown(() => api.stop());
  return { api, store, clock };
}

async function usage(api: Asking, query: string): Promise<ReturnType<typeof UsageAnswer.parse>> {
  return read(await api.get(`/v1/usage?${query}`), UsageAnswer);
}

for (const name of Object.keys(STORES)) {
  t.test(`${name}: a conflict of which no version is kept stays a gap, and the figure as it was`, async (t) => {
    const { api, store, clock } = await startCloud(t, name);
    const reading = {
      meter: 'vcpus',
      type: 'gauge' as const,
      unit: 'vcpu',
      resource: 'i1',
      project: 'p1',
      id: 'twice',
    };
    const slot = at('2026-03-02T12:05:00');
    const own = { agentId: 'node-1' };
    const question = `meter=vcpus&kind=duration&${PERIOD}&resource_id=i1&gaps=true`;
    const whole = await usage(api, question);
    t.match(whole.lines, [{ quantity: '24', gaps: [] }]);
    await store.record([makeBatch([{ ...reading, volume: '2', at: slot }], own)]);
    await store.record([makeBatch([{ ...reading, volume: '3', at: slot }], own)]);
    clock.jump(MINUTE);
    const open = await usage(api, question);
    const resolved = await api.post('/v1/conflicts/twice/resolve', { keep: null, why: 'nobody knows' });
    t.equal(resolved.status, 200);
    clock.jump(MINUTE);
    const settled = await usage(api, question);
    t.match(open.lines[0]?.gaps, [{ reason: 'conflict', from: '2026-03-02T12:05:00Z', to: '2026-03-02T12:15:00Z' }]);
    t.strictSame(settled.lines, open.lines, 'that nothing was kept changes no line');
    t.strictSame((await usage(api, `${question}&as_of=${whole.as_of}`)).lines, whole.lines);
    const later = [{ ...reading, volume: '4', at: slot }];
    await store.record([makeBatch(later, own)]);
    t.match((await usage(api, question)).lines[0]?.gaps, [{ reason: 'conflict' }], 'nor another version');
  });

  t.test(`${name}: what is in quarantine, and what the total would be with it`, async (t) => {
    // Four batches of the afternoon come with a signature that does not match.
    const isForged = ({ at: arrived }: { at: Micros }): boolean =>
      arrived > at('2026-03-02T12:00:00') && arrived < at('2026-03-02T16:00:00');
    const { api, store, clock } = await startCloud(
      t,
      name,
      ARRIVALS.filter((one) => !isForged(one)),
    );
    const door = openDoor(store, clock);
    for (const { batch } of ARRIVALS.filter(isForged)) {
      t.match(await door.post(batch), [{ outcome: 'refused', reason: 'signature' }]);
    }
    const ahead: Counter = {
      meter: 'vcpus',
      type: 'gauge',
      unit: 'vcpu',
      volume: parseVolume('8'),
      resourceId: 'i9',
      projectId: 'p9',
      userId: null,
      timestamp: at('2026-03-03T06:00:00'),
      metadata: new Map(),
      monotonicTime: null,
    };
    t.match(await door.postSigned(ahead, 'ahead'), [{ outcome: 'refused', reason: 'future' }]);
    await t.rejects(door.postText('{"counter_name": '), { code: 'MTR_REFUSED' });
    clock.jump(2.5 * HOUR);

    const question = 'meter=vcpus&kind=duration&from=2026-03-02&to=2026-03-04&group_by=project_id';
    const answered = await usage(api, `${question}&gaps=true`);
    const [line] = answered.lines;
    t.ok(line?.gaps?.some(({ reason }) => reason === 'quarantined'));
    const asked = await api.get(`/v1/usage/quarantine?${question}&as_of=${answered.as_of}`);
    const whatIf = read(asked, QuarantineUsageAnswer);
    sameBytes(t, 'quarantine', asked.text.replaceAll(/"as_of":"[^"]+"/g, ''));
    t.match(whatIf.refused, [
      { reason: 'future', messages: 1, samples: 1, unreadable_messages: 0 },
      { reason: 'malformed', messages: 1, samples: 0, unreadable_messages: 1 },
      { reason: 'signature', messages: 4, samples: 32, unreadable_messages: 0, unreadable_samples: 0 },
    ]);
    const [p1, p9] = whatIf.lines;
    t.match(p1, {
      group: { project_id: 'p1' },
      quantity: line?.quantity,
      with_quarantine: '56.5',
      by_reason: { signature: p1?.in_quarantine },
    });
    t.equal(toText(subtract(parseDecimal('56.5'), parseDecimal(line?.quantity ?? ''))), p1?.in_quarantine);
    t.match(p9, { group: { project_id: 'p9' }, quantity: null, with_quarantine: '1', by_reason: { future: '1' } });
    t.equal(whatIf.lines.length, 2);
    t.strictSame(
      (await usage(api, `${question}&as_of=${answered.as_of}&gaps=true`)).lines,
      answered.lines,
      'no figure has it',
    );
    t.equal((await api.get(`/v1/usage/quarantine?${question}`, { who: 'reader' })).status, 403);
  });

  t.test(`${name}: what was there and is not sampled, and the other way round`, async (t) => {
    const { api, clock } = await startCloud(t, name, ARRIVALS, ['node-1', 'node-9']);
    const question = `meter=vcpus&kind=duration&${PERIOD}`;
    const before = await usage(api, question);
    t.strictSame(before.warnings, [{ warning: 'agent-not-heard', agents: 1, agent_ids: ['node-9'] }]);
    const csv = await api.get(`/v1/usage?${question}`, { accept: 'text/csv' });
    t.equal(csv.headers.get('nephometer-warnings'), 'agent-not-heard');
    const own = read(await api.get(`/v1/usage?${question}`, { who: 'reader' }), UsageAnswer);
    t.strictSame(own.warnings, [{ warning: 'agent-not-heard', agents: 1 }], 'a reader is not told which');

    clock.jump(MINUTE);
    const resources = [{ resource_id: 'i1', project_id: 'p1' }, { resource_id: 'i7', project_id: 'p1' }, 'i8'];
    const list = { name: 'instances', meters: ['vcpus'], resources };
    for (const moment of ['2026-03-02T06:00:00Z', '2026-03-02T18:00:00Z']) {
      t.match(await api.post('/v1/inventory', { ...list, at: moment }), {
        status: 201,
        json: { resources: 3, by: 'admin' },
      });
    }
    clock.jump(MINUTE);
    const answer = await api.get(`/v1/findings?${PERIOD}`);
    sameBytes(t, 'findings', answer.text.replaceAll(/"as_of":"[^"]+"/g, ''));
    const findings = read(answer, FindingsAnswer);
    t.equal(findings.lists, 2);
    t.match(findings.findings, [
      {
        finding: 'never-sampled',
        resource_id: 'i7',
        project_id: 'p1',
        list: 'instances',
        times: 2,
        first_sample: null,
      },
      {
        finding: 'never-sampled',
        resource_id: 'i8',
        project_id: null,
        first: '2026-03-02T06:00:00Z',
        last: '2026-03-02T18:00:00Z',
      },
      {
        finding: 'unknown-resource',
        resource_id: 'i2',
        project_id: 'p1',
        meter: 'vcpus',
        source: 'openstack',
        times: 2,
      },
    ]);
    t.equal(findings.findings.length, 3, 'volumes and ports are not compared with a list of instances');
    const page = read(await api.get(`/v1/findings?${PERIOD}&limit=2`), FindingsAnswer);
    const rest = read(await api.get(`/v1/findings?${PERIOD}&limit=2&cursor=${page.next}`), FindingsAnswer);
    t.strictSame([...page.findings, ...rest.findings], findings.findings);
    t.equal(rest.next, null);

    const after = await usage(api, question);
    t.strictSame(after.warnings.slice(1), [
      { warning: 'never-sampled', resources: 2 },
      { warning: 'unknown-resource', resources: 1 },
    ]);
    t.strictSame((await usage(api, `${question}&project_id=p1`)).warnings.slice(1), [
      { warning: 'never-sampled', resources: 1 },
      { warning: 'unknown-resource', resources: 1 },
    ]);
    t.strictSame(
      (await usage(api, `meter=volume.size&kind=duration&${PERIOD}`)).warnings.length,
      1,
      'of no other meter',
    );
    const then = await usage(api, `${question}&as_of=${before.as_of}`);
    t.strictSame(then.warnings, before.warnings, 'as of a moment at which the lists were not there');

    // A resource that was listed in the morning and read from the afternoon on.
    const early = {
      name: 'ports',
      meters: ['network.outgoing.bytes'],
      at: '2026-03-01T02:00:00Z',
      resources: ['port1'],
    };
    t.equal((await api.post('/v1/inventory', early)).status, 201);
    clock.jump(MINUTE);
    t.match(read(await api.get('/v1/findings?from=2026-03-01&to=2026-03-03&list=ports'), FindingsAnswer).findings, [
      {
        finding: 'not-sampled-then',
        resource_id: 'port1',
        first: '2026-03-01T02:00:00Z',
        first_sample: '2026-03-01T20:00:00Z',
      },
    ]);
    for (const [wrong, detail] of [
      [{ name: 'x' }, /neither agents nor resources/],
      [{ name: 'x', resources: ['a'] }, /meters/],
      [{ name: 'x y', agents: ['a'] }, /must be a word/],
      [{ name: 'expected_agents', agents: ['a'] }, /configuration/],
    ] as const) {
      t.match(await api.post('/v1/inventory', wrong), { status: 400, json: { detail } });
    }
    t.match(await api.get('/v1/inventory'), {
      json: {
        lists: [
          { name: 'expected_agents', agents: ['node-1', 'node-9'] },
          { at: '2026-03-02T18:00:00Z', resources: 3 },
        ],
      },
    });
    t.equal((await api.get(`/v1/findings?${PERIOD}`, { who: 'reader' })).status, 403);
  });

  t.test(`${name}: month to date, and where it leads`, async (t) => {
    const { api } = await startCloud(t, name);
    // The readings begin at 20:00 on the 1st: in 24 of 48 h, 28 h of i1 and of i2 each.
    const question = 'meter=vcpus&kind=duration&from=2026-03-01&to=2026-03-03&projection=linear';
    const answer = await usage(api, question);
    t.strictSame(answer.projection, { policy: 'linear', to: '2026-04-01T00:00:00Z' });
    // 31 days are 15.5 times two days.
    t.match(answer.lines, [
      {
        quantity: '56',
        finality: 'provisional',
        projected: { to: '2026-04-01T00:00:00Z', quantity: '868', lower: '56', upper: null },
      },
    ]);
    const days = await usage(api, `${question}&window=day&project_to=2026-03-04`);
    t.match(
      days.lines,
      [{ projected: null }, { projected: { quantity: '96', lower: '48' } }],
      'what is over is not projected',
    );
    const levels = await usage(api, question.replace('duration', 'max'));
    t.match(levels.lines, [{ projected: null }]);
    const zone = await usage(api, `${question}&tz=Europe/Berlin&window=billing-month&anchor=15`);
    t.match(zone.projection, { to: '2026-03-14T23:00:00Z' });
    const csv = await api.get(`/v1/usage?${question}`, { accept: 'text/csv' });
    t.match(csv.text, /,projected,as_of,id\n.*,868,/);
    for (const wrong of ['projection=linear&project_to=2026-03-02', 'project_to=2026-05-01', 'projection=cubic']) {
      t.equal(
        (await api.get(`/v1/usage?meter=vcpus&kind=duration&from=2026-03-01&to=2026-03-03&${wrong}`)).status,
        400,
      );
    }
  });

  t.test(`${name}: what a gap may hide is as much as the question says`, async (t) => {
    const down = [[at('2026-03-02T10:00:00'), at('2026-03-02T12:00:00')]] as const;
    const { api } = await startCloud(t, name, arrivalsOf({ ...day, agents: [{ ...agent, down }] }));
    const question = `meter=vcpus&kind=integral&${PERIOD}&resource_id=i1`;
    t.match((await usage(api, question)).lines, [{ quantity: '44.5', lower: '44.5', upper: null }]);
    t.match((await usage(api, `${question}&ceiling=4&floor=1`)).lines, [{ lower: '46.25', upper: '51.5' }]);
    t.equal((await api.get(`/v1/usage?${question}&ceiling=many`)).status, 400);
    const p95 = `meter=vcpus&kind=p95&${PERIOD}&resource_id=i1&min_coverage=`;
    t.match((await usage(api, `${p95}0.92`)).lines, [{ quantity: '2', coverage: '0.927083' }]);
    t.match(
      (await usage(api, `${p95}0.95`)).lines,
      [{ quantity: null, coverage: '0.927083' }],
      'too little was measured',
    );
  });
}

t.test('an agent that a later list does not name need not be heard any more', async (t) => {
  const clock = new ManualClock(day.from);
  const store = await (await STORES['memory']?.())?.open(clock);
  if (store === undefined) throw new Error('There is no memory store.');
  await recordArrivals(store, clock, ARRIVALS);
  const api = await startApi(store, clock);
  t.teardown(() => api.stop());
  const post = async (moment: string, agents: string[]): Promise<void> => {
    t.equal((await api.post('/v1/inventory', { name: 'nodes', at: moment, agents })).status, 201);
  };
  await post('2026-03-01T00:00:00Z', ['node-1', 'node-2']);
  await post('2026-03-02T12:00:00Z', ['node-1']);
  clock.jump(HOUR);
  const [, gone] = read(await api.get(`/v1/coverage?${PERIOD}`), usageSchemas.CoverageAnswer).coverage;
  t.match(gone, { agent_id: 'node-2', gaps: [{ from: '2026-03-02T00:00:00Z', to: '2026-03-02T12:00:00Z' }] });
  const question = 'meter=vcpus&kind=duration&to=2026-03-03&from=';
  t.match((await usage(api, `${question}2026-03-02`)).warnings, [{ agent_ids: ['node-2'] }]);
  t.strictSame((await usage(api, `${question}2026-03-02T12:00:00Z`)).warnings, []);
});
