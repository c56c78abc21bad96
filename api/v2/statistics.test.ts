import t from 'tap';
import { sampleOf, startApi } from '../kit.test.fixture.ts';
import type { SampleSpec } from '../kit.test.fixture.ts';

const cpu = (spec: SampleSpec) => sampleOf({ meter: 'cpu', unit: 'ns', ...spec });

t.test('one tenth, ten times, is one', async (t) => {
  const samples = Array.from({ length: 10 }, (_, i) => cpu({ volume: '0.1', at: `10:00:0${i}` }));
  const { get } = await startApi(t, { samples });
  const { text, json } = await get('/v2/meters/cpu/statistics');
  t.match(text, '"avg":0.1,"sum":1.0,');
  t.strictSame(json, [
    {
      min: 0.1,
      max: 0.1,
      avg: 0.1,
      sum: 1,
      count: 10,
      unit: 'ns',
      duration: 9,
      duration_start: '2026-03-01T10:00:00',
      duration_end: '2026-03-01T10:00:09',
      period: 0,
      period_start: '2026-03-01T10:00:00',
      period_end: '2026-03-01T10:00:09',
      groupby: null,
    },
  ]);
  t.match(text, '"count":10,', 'a count is an integer');
  t.match(text, '"duration":9.0,');
});

t.test('no samples give no row', async (t) => {
  const { get } = await startApi(t);
  t.strictSame((await get('/v2/meters/cpu/statistics')).json, []);
});

t.test('two units give two rows', async (t) => {
  const { get } = await startApi(t, { samples: [cpu({ volume: '1' }), cpu({ volume: '2', unit: 's' })] });
  t.match((await get('/v2/meters/cpu/statistics')).json, [
    { unit: 'ns', sum: 1 },
    { unit: 's', sum: 2 },
  ]);
});

const spread = [
  cpu({ volume: '1', at: '10:00:00', project: 'p1', resource: 'r1' }),
  cpu({ volume: '2', at: '10:00:59.999999', project: 'p2', resource: 'r2' }),
  cpu({ volume: '4', at: '10:01:00', project: 'p1', resource: 'r1', metadata: { instance_type: 'm1.small' } }),
  cpu({ volume: '8', at: '10:05:00', project: 'p1', resource: 'r3', user: null }),
];

interface Row {
  readonly period_start: string;
  readonly period_end: string;
  readonly sum: number;
  readonly period: number;
}

t.test('periods start at the first sample, are half-open, and empty ones are left out', async (t) => {
  const { get } = await startApi(t, { samples: spread });
  const rows = (await get('/v2/meters/cpu/statistics?period=60')).json as Row[];
  t.strictSame(
    rows.map((row) => [row.period_start.slice(11), row.period_end.slice(11), row.sum, row.period]),
    [
      ['10:00:00', '10:01:00', 3, 60],
      ['10:01:00', '10:02:00', 4, 60],
      ['10:05:00', '10:06:00', 8, 60],
    ],
  );
});

t.test('periods start at the start of the question where it has one', async (t) => {
  const { get } = await startApi(t, { samples: spread });
  const q = 'q.field=timestamp&q.op=ge&q.value=2026-03-01T09:59:30';
  const rows = (await get(`/v2/meters/cpu/statistics?period=60&${q}`)).json as Row[];
  t.strictSame(
    rows.map((row) => [row.period_start.slice(11), row.sum]),
    [
      ['09:59:30', 1],
      ['10:00:30', 6],
      ['10:04:30', 8],
    ],
  );
});

t.test('groups name the fields asked for, with null for those who have none', async (t) => {
  const { get } = await startApi(t, { samples: spread });
  t.match((await get('/v2/meters/cpu/statistics?groupby=project_id')).json, [
    { groupby: { project_id: 'p1' }, sum: 13, count: 3 },
    { groupby: { project_id: 'p2' }, sum: 2, count: 1 },
  ]);
  const twice = (await get('/v2/meters/cpu/statistics?groupby=user_id&groupby=resource_id&groupby=user_id')).json;
  t.strictSame(
    (twice as { groupby: unknown }[]).map(({ groupby }) => groupby),
    [
      { user_id: 'u1', resource_id: 'r1' },
      { user_id: 'u1', resource_id: 'r2' },
      { user_id: null, resource_id: 'r3' },
    ],
  );
  const flavors = (await get('/v2/meters/cpu/statistics?groupby=resource_metadata.instance_type')).json;
  t.match(flavors, [
    { groupby: { 'resource_metadata.instance_type': null }, sum: 11 },
    { groupby: { 'resource_metadata.instance_type': 'm1.small' }, sum: 4 },
  ]);
  t.equal((await get('/v2/meters/cpu/statistics?groupby=source')).status, 200);
});

t.test('chosen aggregates stand alone; a standard one shows at the top too', async (t) => {
  const { get } = await startApi(t, { samples: spread });
  const query = 'aggregate.func=cardinality&aggregate.func=max&aggregate.func=stddev&aggregate.func=count';
  const { text, json } = await get(`/v2/meters/cpu/statistics?${query}&aggregate.param=resource_id`);
  const [row] = json as Record<string, unknown>[];
  // Population: the mean of the squares, 21.25, less the square of the mean, 14.0625.
  const aggregate = { 'cardinality/resource_id': 3, max: 8, stddev: Math.sqrt(7.1875), count: 4 };
  t.strictSame(row?.['aggregate'], aggregate);
  t.match(text, '"cardinality/resource_id":3.0,"max":8.0,');
  t.match(row, { max: 8, count: 4, unit: 'ns' });
  for (const absent of ['min', 'avg', 'sum']) t.notOk(Object.hasOwn(row ?? {}, absent), absent);
});

t.test('durations are clamped to the range asked for, and null when nothing is left of it', async (t) => {
  const { get } = await startApi(t, { samples: spread });
  const q = (start: string) =>
    `q.field=timestamp&q.op=ge&q.value=2026-03-01T${start}&q.field=search_offset&q.op=eq&q.value=10`;
  t.match((await get(`/v2/meters/cpu/statistics?${q('10:00:30')}`)).json, [
    { count: 4, duration_start: '2026-03-01T10:00:30', duration_end: '2026-03-01T10:05:00', duration: 270 },
  ]);
  t.match((await get(`/v2/meters/cpu/statistics?${q('10:05:01')}`)).json, [
    { count: 4, duration: null, duration_start: null, duration_end: null },
  ]);
});
