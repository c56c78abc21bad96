import { DAY, ManualClock, MINUTE, SharedSecretKeyring, StatementPublicKey, verifyEvidence } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import t from 'tap';
import { startApi } from './api.ts';
import { arrivalsOf, recordArrivals } from './cloud.ts';
import { at } from './month.ts';
import { STORES } from './stores.ts';

/** An agent is silent for three days; within them a machine and its port went from p1 to p2. */
const FROM = at('2026-03-01');
const SILENT = [at('2026-03-04T12:00:00'), at('2026-03-07T12:00:00')] as const;
const SECRET = new TextEncoder().encode('a synthetic cloud');

const owner = (slot: Micros): string => (slot < SILENT[0] ? 'p1' : 'p2');
const CLOUD = arrivalsOf({
  from: FROM,
  to: FROM + 20 * DAY,
  interval: 30 * MINUTE,
  agents: [
    {
      id: 'node-1',
      meters: ['vcpus', 'network.outgoing.bytes'],
      down: [SILENT],
      readings: (slot) => [
        { meter: 'vcpus', type: 'gauge', unit: 'vcpu', volume: '2', resource: 'i1', project: owner(slot) },
        {
          meter: 'network.outgoing.bytes',
          type: 'cumulative',
          unit: 'B',
          volume: `${(slot - FROM) / MINUTE}`,
          resource: 'port-i1',
          project: owner(slot),
          metadata: { boot_id: 'b' },
        },
      ],
    },
  ],
});

t.test('who may have had a machine in a silence has a line of it, and a statement that verifies', async (t) => {
  const clock = new ManualClock(FROM);
  const store = await (await STORES.memory()).open(clock);
  await recordArrivals(store, clock, CLOUD);
  const api = await startApi(store, clock);
  t.teardown(() => api.stop());
  const ask = async (meter: string, kind: string): Promise<unknown> => {
    const period = 'from=2026-03-05&to=2026-03-08&window=day&group_by=project_id';
    return JSON.parse((await api.get(`/v1/usage?meter=${meter}&kind=${kind}&${period}`)).text);
  };
  const line = (day: number, project: string, quantity: string, lower: string, upper: string): object => ({
    from: `2026-03-0${day}T00:00:00Z`,
    group: { project_id: project },
    quantity,
    lower,
    upper,
  });
  t.match(await ask('vcpus', 'duration'), {
    lines: [
      line(5, 'p1', '0', '0', '24'),
      line(5, 'p2', '0', '0', '24'),
      line(6, 'p1', '0', '0', '24'),
      line(6, 'p2', '0', '0', '24'),
      line(7, 'p1', '0', '0', '12'),
      line(7, 'p2', '12', '12', '24'),
    ],
  });
  // From the last reading at 11:30 to the first at 12:00 it grew by 3 d and 30 min, a byte a minute.
  t.match(await ask('network.outgoing.bytes', 'increase'), {
    lines: [
      line(5, 'p1', '1440', '0', '4350'),
      line(5, 'p2', '0', '0', '4350'),
      line(6, 'p1', '1440', '0', '4350'),
      line(6, 'p2', '0', '0', '4350'),
      line(7, 'p1', '720', '0', '4350'),
      line(7, 'p2', '720', '720', '5070'),
    ],
  });

  const key: unknown = JSON.parse((await api.get('/v1/statements/key')).text);
  const publicKey = StatementPublicKey.fromBase64((key as { public_key: string }).public_key);
  for (const project of ['p1', 'p2']) {
    for (const [from, to] of [
      ['2026-03-05', '2026-03-06'],
      ['2026-03-01', '2026-03-10'],
    ]) {
      const definitions = ['vcpu_hours', 'network_out_gib'];
      const closed = await api.post('/v1/statements', { project_id: project, from, to, definitions });
      t.equal(closed.status, 201, closed.text);
      const made: unknown = JSON.parse(closed.text);
      const [statement] = (made as { statements: { statement_id: string }[] }).statements;
      const { text } = await api.get(`/v1/statements/${statement?.statement_id}/evidence`);
      const records = text.trimEnd().split('\n');
      const { checks } = await verifyEvidence(records, { publicKey, keys: new SharedSecretKeyring(SECRET) });
      t.ok(
        checks.every(({ ok }) => ok !== false),
        JSON.stringify(checks),
      );
      t.match(
        JSON.parse(records[0] ?? ''),
        { evidence: { detail: 0 } },
        'of others no more than the readings around it',
      );
    }
  }
});
