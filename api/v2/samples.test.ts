import t from 'tap';
import { sampleOf, startApi } from '../kit.test.fixture.ts';

const METADATA = {
  name: 'db1',
  size: 5,
  share: 0.5,
  is_public: true,
  nothing: null,
  flavor: { id: '1', extra: { cpu: { model: 'x' } } },
  tags: ['a', 1, null, 'é'],
  'dotted.key': 'd',
  empty: {},
};
const samples = [
  sampleOf({ id: 'a', volume: '1', at: '10:00:00', metadata: METADATA }),
  sampleOf({ id: 'b', volume: '0.1', at: '10:00:00.5', project: 'p2', user: 'u2', resource: 'r2' }),
  sampleOf({ id: 'c', volume: '18446744073709551616', unit: null, at: '11:00:00', meter: 'cpu', type: 'cumulative' }),
];

t.test('a Sample shows its volume as a float, times without a zone, and metadata as one level of texts', async (t) => {
  const { get } = await startApi(t, { samples });
  const { text } = await get('/v2/samples/a');
  t.match(text, '"volume":1.0,');
  t.strictSame(JSON.parse(text), {
    id: 'a',
    meter: 'volume.size',
    type: 'gauge',
    unit: 'GiB',
    volume: 1,
    user_id: 'u1',
    project_id: 'p1',
    resource_id: 'r1',
    source: 'openstack',
    timestamp: '2026-03-01T10:00:00',
    recorded_at: '2026-03-01T12:00:00',
    metadata: {
      name: 'db1',
      size: '5',
      share: '0.5',
      is_public: 'True',
      nothing: 'None',
      'flavor.id': '1',
      'flavor.extra:cpu:model': 'x',
      tags: "[u'a', 1, None, u'\\xe9']",
      'dotted.key': 'd',
    },
  });
});

t.test('an OldSample has the same under its old names, newest first', async (t) => {
  const { get } = await startApi(t, { samples });
  const { text, json } = await get('/v2/meters/volume.size');
  t.match(text, '"counter_volume":0.1,');
  t.strictSame(
    (json as { message_id: string }[]).map(({ message_id: id }) => id),
    ['b', 'a'],
  );
  t.match((json as unknown[])[0], {
    source: 'openstack',
    counter_name: 'volume.size',
    counter_type: 'gauge',
    counter_unit: 'GiB',
    counter_volume: 0.1,
    user_id: 'u2',
    project_id: 'p2',
    resource_id: 'r2',
    timestamp: '2026-03-01T10:00:00.500000',
    recorded_at: /^2026-03-01T12:00:00/,
    resource_metadata: {},
    message_id: 'b',
  });
});

t.test('a number beyond the doubles is shown as the nearest one, in the spelling of Python', async (t) => {
  const { get } = await startApi(t, { samples });
  const { text } = await get('/v2/samples/c');
  t.match(text, '"unit":null,"volume":1.8446744073709552e+19,');
});

/** q, and the ids that it finds, newest first. */
const QUESTIONS: readonly [q: string, ids: string][] = [
  ['', 'c b a'],
  ['limit=2', 'c b'],
  ['q.field=meter&q.value=cpu', 'c'],
  ['q.field=resource&q.value=r2', 'b'],
  ['q.field=resource_id&q.op=eq&q.type=&q.value=r2', 'b'],
  ['q.field=project&q.value=p2', 'b'],
  ['q.field=user_id&q.value=u1', 'c a'],
  ['q.field=source&q.value=elsewhere', ''],
  ['q.field=message_id&q.value=b', 'b'],
  ['q.field=timestamp&q.op=gt&q.value=2026-03-01T10:00:00', 'c b'],
  ['q.field=timestamp&q.op=ge&q.value=2026-03-01T10:00:00', 'c b a'],
  ['q.field=timestamp&q.op=lt&q.value=2026-03-01T11:00:00', 'b a'],
  ['q.field=timestamp&q.op=le&q.value=2026-03-01T11:00:00', 'c b a'],
  ['q.field=timestamp&q.op=ge&q.value=2026-03-01T12:00:00%2B01:00', 'c'],
  ['q.field=timestamp&q.op=gt&q.value=2026-03-01', 'c b a'],
  ['q.field=timestamp&q.op=gt&q.value=2026-03-01T10:30Z', 'c'],
  // Grouped by list, as python-ceilometerclient sends it: positions belong together.
  [
    'q.field=timestamp&q.field=timestamp&q.op=gt&q.op=lt&q.type=&q.type=&q.value=2026-03-01T10:00:00&q.value=2026-03-01T11:00:00',
    'b',
  ],
  ['q.field=timestamp&q.field=search_offset&q.op=gt&q.op=eq&q.value=2026-03-01T11:30:00&q.value=31', 'c'],
  ['q.field=metadata.name&q.value=db1', 'a'],
  ['q.field=resource_metadata.name&q.value=db1', 'a'],
  ["q.field=metadata.name&q.value='db1'", 'a'],
  ['q.field=metadata.size&q.value=5', 'a'],
  ['q.field=metadata.size&q.type=integer&q.value=5', 'a'],
  ['q.field=metadata.size&q.type=float&q.value=5', 'a'],
  ['q.field=metadata.size&q.type=string&q.value=5', ''],
  ['q.field=metadata.flavor.id&q.value=1', ''],
  ['q.field=metadata.flavor.id&q.type=string&q.value=1', 'a'],
  ['q.field=metadata.share&q.value=5e-1', 'a'],
  ['q.field=metadata.is_public&q.value=True', 'a'],
  ['q.field=metadata.is_public&q.type=boolean&q.value=yes', 'a'],
  ['q.field=metadata.is_public&q.value=true', ''],
  ['q.field=metadata.nothing&q.value=None', 'a'],
  ['q.field=metadata.dotted.key&q.value=d', 'a'],
  ['q.field=project&q.field=project&q.value=p1&q.value=p2', ''],
  ['q.field=meter&q.field=meter&q.value=cpu&q.value=volume.size', ''],
];

t.test('q filters by position, with types guessed as Python literals', async (t) => {
  const { get } = await startApi(t, { samples });
  for (const [q, ids] of QUESTIONS) {
    const { status, json } = await get(`/v2/samples?${q}`);
    t.equal(status, 200, q);
    t.equal((json as { id: string }[]).map(({ id }) => id).join(' '), ids, q);
  }
  t.strictSame((await get('/v2/meters/cpu?q.field=meter&q.value=volume.size')).json, []);
});

t.test('a list that is too long to be held arrives whole', async (t) => {
  const many = Array.from({ length: 3000 }, (_, i) => sampleOf({ meter: 'many', volume: `${i}`, metadata: METADATA }));
  const { get, send } = await startApi(t, { samples: many });
  const { json, headers } = await get('/v2/samples?limit=3000');
  t.equal(headers.get('content-length'), null);
  t.equal(new Set((json as { id: string }[]).map(({ id }) => id)).size, 3000);
  t.equal(((await get('/v2/samples')).json as unknown[]).length, 100, 'the default limit');
  t.match(await get('/v2/samples?limit=1000000000'), { status: 400 });
  const head = await send('HEAD', '/v2/samples?limit=3000');
  t.match(head, { status: 200, text: '' });
});
