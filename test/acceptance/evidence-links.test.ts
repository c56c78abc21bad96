import { usageSchemas } from '@nephometer/api';
import { DAY, HOUR, ManualClock, MINUTE, parseTimestamp } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import t from 'tap';
import type { Reading } from '../conformance/fixtures.ts';
import { read, startApi } from '../usage/api.ts';
import type { Asking } from '../usage/api.ts';
import { arrivalsOf, recordArrivals } from '../usage/cloud.ts';
import { at } from '../usage/month.ts';
import { STORES } from '../usage/stores.ts';

t.setTimeout(300_000);

const FROM = at('2026-03-01');

/** Gauges whose metadata are numbers, truths and nothing, one that changes hands and size; counters beside them. */
function readingsAt(slot: Micros): Reading[] {
  const late = slot >= FROM + DAY;
  const of = (resource: string, project: string | null, metadata: Record<string, unknown>, rate: number): Reading[] => [
    { meter: 'vcpus', type: 'gauge', unit: 'vcpu', volume: '2', resource, project, metadata },
    {
      meter: 'net',
      type: 'cumulative',
      unit: 'B',
      volume: String(((slot - FROM + DAY) / 1_000_000) * rate),
      resource,
      project,
      metadata,
    },
  ];
  return [
    ...of('i1', 'p1', { ram: 2048, flavor: { spot: true }, zone: 'a' }, 3),
    ...of('i2', late ? 'p2' : 'p1', { ram: late ? 4096 : 2048, zone: 'b' }, 5),
    ...of('i3', null, { ram: '2048' }, 7),
    ...of('i4', 'p2', { ram: 1.5 }, 11),
  ];
}

const ARRIVALS = arrivalsOf({
  from: FROM - DAY,
  to: FROM + 3 * DAY,
  interval: HOUR,
  batchEvery: 6 * HOUR,
  agents: [
    { id: 'node-1', meters: ['vcpus', 'net'], readings: readingsAt, down: [[FROM + 30 * HOUR, FROM + 34 * HOUR]] },
  ],
});

const PERIOD = 'from=2026-03-01&to=2026-03-03';
const QUESTIONS = [
  'meter=vcpus&kind=duration&group_by=metadata.ram',
  'meter=vcpus&kind=count&group_by=metadata.ram,project_id&window=day',
  'meter=vcpus&kind=integral&group_by=metadata.flavor.spot',
  'meter=vcpus&kind=duration&resource_id=i1&resource_id=i3&window=day',
  'meter=vcpus&kind=count&project_id=p1&project_id=',
  'meter=vcpus&kind=duration&metadata.ram=2048&metadata.ram=1.5&group_by=project_id',
  'meter=vcpus&kind=duration&metadata.zone=&group_by=resource_id',
  'meter=net&kind=increase&group_by=resource_id&window=day',
  'meter=net&kind=increase&group_by=metadata.ram,resource_id',
  'meter=net&kind=increase&group_by=resource_id&from=2026-03-01T00:20:00&to=2026-03-01T00:40:00',
  'meter=net&kind=increase&group_by=resource_id&from=2026-03-02T07:30:00&to=2026-03-02T08:30:00',
  'meter=net&kind=increase&edge=end&group_by=resource_id&from=2026-03-01T00:20:00&to=2026-03-01T02:40:00',
];

interface Listed {
  readonly timestamp: string;
  readonly resource_id: string;
  readonly counter_volume: string;
}

async function follow(api: Asking, link: string): Promise<Listed[]> {
  const found: Listed[] = [];
  for (let cursor = ''; ;) {
    const { text, status } = await api.get(`${link}&limit=7${cursor}`);
    if (status !== 200) throw new Error(`${link}: ${text}`);
    const { samples, next } = JSON.parse(text) as { samples: Listed[]; next: string | null };
    found.push(...samples);
    if (next === null) return found;
    cursor = `&cursor=${next}`;
  }
}

/** What a counter that never fell grew in [from, to), each step shared by time or given to the side in which it ends. */
function grown(listed: readonly Listed[], from: Micros, to: Micros, edge: string): number {
  return listed.slice(1).reduce((sum, b, i) => {
    const a = listed[i] ?? b;
    const [start, end] = [parseTimestamp(a.timestamp), parseTimestamp(b.timestamp)];
    const share = Math.max(0, Math.min(end, to) - Math.max(start, from)) / (end - start);
    const whole = end >= from && end < to ? 1 : 0;
    return sum + (Number(b.counter_volume) - Number(a.counter_volume)) * (edge === 'end' ? whole : share);
  }, 0);
}

for (const [name, prepare] of Object.entries(STORES)) {
  t.test(`${name}: the evidence of a line is its samples, and those next to it that it stands on`, async (t) => {
    const clock = new ManualClock(FROM - DAY);
    const store = await (await prepare()).open(clock);
    await recordArrivals(store, clock, ARRIVALS);
    clock.jump(FROM + 4 * DAY - clock.now());
    const api = await startApi(store, clock);
    t.teardown(async () => {
      await api.stop();
      await store.close();
    });
    for (const question of QUESTIONS) {
      const period = question.includes('from=') ? '' : `&${PERIOD}`;
      const answer = await api.get(`/v1/usage?${question}${period}&max_hold=2h&evidence=true`);
      const { lines } = read(answer, usageSchemas.UsageAnswer);
      t.ok(lines.length > 0, question);
      for (const line of lines) {
        const [from, to] = [parseTimestamp(line.from), parseTimestamp(line.to)];
        const listed = await follow(api, line.evidence ?? '');
        const times = listed.map(({ timestamp }) => parseTimestamp(timestamp));
        t.same(
          times,
          times.toSorted((a, b) => a - b),
          'in the order of time, on every page',
        );
        const within = times.filter((time) => time >= from && time < to).length;
        t.equal(within, line.samples, `${question} ${JSON.stringify(line.group)}`);
        // The step in which a resource changes ends with a reading of the next line.
        const changes = question.includes('metadata.ram') && line.group['resource_id'] === 'i2';
        if (question.includes('resource_id') && question.includes('increase') && !changes) {
          const edge = question.includes('edge=end') ? 'end' : 'interpolate';
          t.equal(grown(listed, from, to, edge), Number(line.quantity), `${line.evidence} gives the figure`);
          t.equal(
            times.at(-1) !== undefined && (times.at(-1) ?? 0) >= to,
            edge === 'interpolate',
            'the reading behind',
          );
        }
      }
    }
  });
}

t.test('what can be asked beside samples, and by whom', async (t) => {
  const clock = new ManualClock(FROM - DAY);
  const store = await (await STORES.memory()).open(clock);
  await recordArrivals(store, clock, ARRIVALS);
  clock.jump(MINUTE);
  const api = await startApi(store, clock);
  t.teardown(() => api.stop());
  const period = 'from=2026-03-01T23:50:00Z&to=2026-03-02T00:10:00Z&order=oldest';
  const asked = `/v1/samples?meter=net&resource_id=i2&${period}&beside=both`;
  const own = JSON.parse((await api.get(asked, { who: 'reader' })).text) as { samples: Listed[] };
  t.match(
    own.samples.map(({ timestamp }) => timestamp),
    ['2026-03-01T23:00:00Z'],
    'nothing of the next owner',
  );
  t.equal(own.samples.length, 1);
  t.match((await api.get(`/v1/samples?beside=both`)).json, {
    status: 400,
    detail: /beside: only means something with from/,
  });
  t.match((await api.get('/v1/samples?metadata.ram=1&metadata.ram=2')).json, { detail: /metadata\.ram: given twice/ });
  t.equal((await api.get('/v1/samples?project_id=', { who: 'reader' })).status, 403);
  t.equal((await api.get('/v1/conflicts?beside=both')).status, 400);
});
