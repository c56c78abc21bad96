import { DAY, HOUR, ManualClock, MINUTE, StatementPublicKey } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import type { Reading } from '../conformance/fixtures.ts';
import { startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import { at } from '../usage/month.ts';

/** Signs everything of the synthetic cloud. */
export const AGENT_SECRET = new TextEncoder().encode('a synthetic cloud');

const FROM = at('2026-03-01');

/** Two instances of p1, one of which goes to p2 at noon of the second day, with their CPU time; and one of p3. */
function readingsAt(slot: Micros): Reading[] {
  const nanoseconds = (start: number): string => `${(slot - FROM) * 250 + start}`;
  const moved = slot >= FROM + DAY + 12 * HOUR;
  const of = (resource: string, project: string, start: number): Reading[] => [
    { meter: 'vcpus', type: 'gauge', unit: 'vcpu', volume: '2', resource, project },
    { meter: 'cpu', type: 'cumulative', unit: 'ns', volume: nanoseconds(start), resource, project },
  ];
  return [...of('i1', 'p1', 500), ...of('i2', moved ? 'p2' : 'p1', 900), ...of('i3', 'p3', 700)];
}

const CLOUD = arrivalsOf({
  from: FROM,
  to: FROM + 3 * DAY,
  interval: 15 * MINUTE,
  batchEvery: 2 * HOUR,
  agents: [
    {
      id: 'node-1',
      meters: ['vcpus', 'cpu'],
      readings: readingsAt,
      down: [[FROM + 20 * HOUR, FROM + 22 * HOUR]],
    },
  ],
});

export interface ClosedPeriod {
  readonly id: string;
  readonly statement: string;
  readonly evidence: readonly string[];
  readonly publicKey: StatementPublicKey;
  readonly api: Asking;
  readonly clock: ManualClock;
}

/** Two days of a project, closed on an API over the memory store. */
export async function closePeriod(project: string): Promise<ClosedPeriod> {
  const clock = new ManualClock(FROM);
  const store = createMemoryStore({ clock });
  await recordArrivals(store, clock, CLOUD);
  clock.jump(FROM + 4 * DAY - clock.now());
  const api = await startApi(store, clock);
  const definitions = ['instance_hours', 'cpu_hours', 'vcpu_peak'];
  const asked = { project_id: project, from: '2026-03-01', to: '2026-03-03', window: 'day', definitions };
  const answer = await api.post('/v1/statements', asked);
  if (answer.status !== 201) throw new Error(answer.text);
  const { statements } = JSON.parse(answer.text) as { statements: [{ statement_id: string }] };
  const id = statements[0].statement_id;
  const { text: statement } = await api.get(`/v1/statements/${id}`);
  const { text } = await api.get(`/v1/statements/${id}/evidence`);
  const key = JSON.parse((await api.get('/v1/statements/key')).text) as { pem: string; public_key: string };
  const publicKey = StatementPublicKey.fromBase64(key.public_key);
  return { id, statement, evidence: text.trimEnd().split('\n'), publicKey, api, clock };
}
