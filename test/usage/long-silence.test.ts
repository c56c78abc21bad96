import {
  DAY,
  HOUR,
  ManualClock,
  MINUTE,
  SharedSecretKeyring,
  StatementPublicKey,
  verifyEvidence,
} from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import t from 'tap';
import type { Reading } from '../conformance/fixtures.ts';
import { startApi } from './api.ts';
import { arrivalsOf, recordArrivals } from './cloud.ts';
import type { AgentPlan } from './cloud.ts';
import { at } from './month.ts';
import { STORES } from './stores.ts';

/**
 * node-1 is dead for three weeks: i1 runs on, i2 is deleted meanwhile, i3 goes to node-3. node-2 dies for good, with i4; i5 was
 * deleted before that.
 */
const DEAD = [at('2026-03-05'), at('2026-03-26')] as const;
const GONE = at('2026-03-10T12:00:00');
const METERS = ['vcpus', 'network.outgoing.bytes'];
const FROM = at('2026-02-20');

const of = (slot: Micros, resource: string): Reading[] => [
  { meter: 'vcpus', type: 'gauge', unit: 'vcpu', volume: '2', resource, project: 'p1' },
  {
    meter: 'network.outgoing.bytes',
    type: 'cumulative',
    unit: 'B',
    volume: `${(slot - FROM) / MINUTE}`,
    resource: `port-${resource}`,
    project: 'p1',
  },
];
const agent = (id: string, readings: AgentPlan['readings'], ...down: [Micros, Micros][]): AgentPlan => ({
  id,
  meters: METERS,
  readings,
  down,
});
const CLOUD = arrivalsOf({
  from: FROM,
  to: at('2026-05-03'),
  interval: 30 * MINUTE,
  batchEvery: 4 * HOUR,
  agents: [
    agent('node-1', (slot) => [...of(slot, 'i1'), ...(slot < DEAD[0] ? [...of(slot, 'i2'), ...of(slot, 'i3')] : [])], [
      ...DEAD,
    ]),
    agent('node-2', (slot) => [...of(slot, 'i4'), ...(slot < GONE - DAY ? of(slot, 'i5') : [])], [
      GONE,
      at('2026-06-01'),
    ]),
    agent('node-3', (slot) => (slot >= at('2026-03-08') && slot < at('2026-03-12') ? of(slot, 'i3') : [])),
  ],
});

interface Line {
  readonly from: string;
  readonly to: string;
  readonly group: Readonly<Record<string, string | null>>;
  readonly quantity: string | null;
  readonly lower: string | null;
  readonly upper: string | null;
  readonly coverage: string | null;
  readonly gaps: readonly { readonly from: string; readonly to: string; readonly reason: string }[];
}

for (const kind of ['memory', 'duckdb', 'influxdb'] as const) {
  t.test(`${kind}: an agent that is dead for weeks leaves a gap for all that time`, async (t) => {
    const clock = new ManualClock(FROM);
    const store = await (await STORES[kind]()).open(clock);
    t.teardown(() => store.close());
    await recordArrivals(store, clock, CLOUD);
    const api = await startApi(store, clock, { folds: { enabled: false } });
    t.teardown(() => api.stop());
    const ask = async (asked: Record<string, string>): Promise<readonly Line[]> => {
      const answer = await api.get(`/v1/usage?${new URLSearchParams({ gaps: 'true', ...asked }).toString()}`);
      if (answer.status !== 200) throw new Error(answer.text);
      return (JSON.parse(answer.text) as { lines: readonly Line[] }).lines;
    };
    const hours = { meter: 'vcpus', kind: 'duration', group_by: 'resource_id' };
    const lineOf = async (id: string, month: string, next: string): Promise<Line | undefined> =>
      (await ask({ ...hours, from: month, to: next })).find(({ group }) => group['resource_id'] === id);

    const silent = { from: '2026-03-05T00:30:00Z', to: '2026-03-26T00:00:00Z', reason: 'agent-silent' };
    t.match(await lineOf('i1', '2026-03-01', '2026-04-01'), {
      quantity: '240.5',
      lower: '240.5',
      upper: '744',
      gaps: [silent],
      coverage: '0.323252',
    });
    t.match(
      await lineOf('i2', '2026-03-01', '2026-04-01'),
      { quantity: '96.5', upper: '600', gaps: [silent] },
      'until it is seen absent',
    );
    const moved = await lineOf('i3', '2026-03-01', '2026-04-01');
    t.match(moved?.gaps, [{ ...silent, to: '2026-03-08T00:00:00Z' }], 'until somebody else has it');
    t.equal(moved?.quantity, '192.5');
    t.match(await lineOf('i4', '2026-04-01', '2026-05-01'), {
      quantity: '0',
      lower: '0',
      upper: '720',
      coverage: '0',
      gaps: [{ from: '2026-04-01T00:00:00Z', to: '2026-05-01T00:00:00Z', reason: 'agent-silent' }],
    });
    t.equal(await lineOf('i5', '2026-04-01', '2026-05-01'), undefined, 'seen absent before its agent died');
    t.equal(await lineOf('i2', '2026-04-01', '2026-05-01'), undefined);
    const within = await ask({ ...hours, from: '2026-03-15', to: '2026-03-16' });
    t.strictSame(
      within.map(({ group, quantity, upper }) => [group['resource_id'], quantity, upper]),
      [
        ['i1', '0', '24'],
        ['i2', '0', '24'],
        ['i4', '0', '24'],
      ],
    );

    const growth = { meter: 'network.outgoing.bytes', kind: 'increase', resource_id: 'port-i1' };
    const [march] = await ask({ ...growth, from: '2026-03-01', to: '2026-04-01' });
    t.equal(march?.quantity, String(31 * 24 * 60), 'what a counter grew by in the silence is there');
    const days = await ask({ ...growth, from: '2026-03-01', to: '2026-04-01', window: 'day' });
    t.equal(days.length, 31);
    t.ok(days.every(({ quantity }) => quantity === '1440'));
    const [whole] = await ask({ ...growth, edge: 'end', from: '2026-03-25', to: '2026-03-27' });
    t.equal(whole?.quantity, String(22 * 24 * 60 + 30), 'given whole to where it ends');

    // As it was known in the silence.
    const asked = { ...hours, from: '2026-03-01', to: '2026-04-01', as_of: '2026-03-20T12:00:00Z' };
    const [then] = await ask({ ...asked, resource_id: 'i1' });
    t.match(then?.gaps, [{ from: silent.from, to: '2026-03-20T12:00:00Z', reason: 'agent-silent' }]);

    const coverage = await api.get('/v1/coverage?by=resource&meter=vcpus&from=2026-04-01&to=2026-05-01');
    t.match(JSON.parse(coverage.text), {
      coverage: [
        { resource_id: 'i1', coverage: '1' },
        { resource_id: 'i4', coverage: '0' },
      ],
    });
  });
}

t.test('a statement carries the reading that a silence began with', async (t) => {
  const clock = new ManualClock(FROM);
  const store = await (await STORES.memory()).open(clock);
  await recordArrivals(store, clock, CLOUD);
  const api = await startApi(store, clock);
  t.teardown(() => api.stop());
  const SECRET = new TextEncoder().encode('a synthetic cloud');
  const key = JSON.parse((await api.get('/v1/statements/key')).text) as { public_key: string };
  const publicKey = StatementPublicKey.fromBase64(key.public_key);
  for (const [from, to] of [
    ['2026-03-14', '2026-03-16'],
    ['2026-04-01', '2026-05-01'],
  ]) {
    const closed = await api.post('/v1/statements', {
      project_id: 'p1',
      from,
      to,
      definitions: ['vcpu_hours', 'network_out_gib'],
    });
    t.equal(closed.status, 201, closed.text);
    const { statements } = JSON.parse(closed.text) as { statements: [{ statement_id: string }] };
    const { text } = await api.get(`/v1/statements/${statements[0].statement_id}/evidence`);
    const report = await verifyEvidence(text.trimEnd().split('\n'), {
      publicKey,
      keys: new SharedSecretKeyring(SECRET),
    });
    t.ok(
      report.checks.every(({ ok }) => ok !== false),
      JSON.stringify(report.checks),
    );
  }
});
