import t from 'tap';
import { sampleOf, startApi } from '../kit.test.fixture.ts';

const samples = [
  sampleOf({ meter: 'cpu', unit: 'ns', type: 'cumulative', resource: 'r1', project: 'p1', at: '10:00:00' }),
  sampleOf({
    meter: 'cpu',
    unit: 'ns',
    type: 'cumulative',
    resource: 'r1',
    project: 'p2',
    at: '11:00:00',
    metadata: { a: 1 },
  }),
  sampleOf({ meter: 'cpu', unit: 'ns', type: 'cumulative', resource: 'node/1 #?', project: 'p1', at: '10:00:00' }),
  sampleOf({ meter: 'volume.size', resource: 'r1', project: 'p1', at: '09:00:00' }),
];

t.test('meters are one per meter and resource, with the newest owner and an id made of both', async (t) => {
  const { get } = await startApi(t, { samples });
  const meters = (await get('/v2/meters')).json as { meter_id: string }[];
  t.strictSame(
    meters.map(({ meter_id: id }) => Buffer.from(id, 'base64').toString()),
    ['node/1 #?+cpu', 'r1+cpu', 'r1+volume.size'],
  );
  t.strictSame(meters[1], {
    name: 'cpu',
    type: 'cumulative',
    unit: 'ns',
    resource_id: 'r1',
    user_id: 'u1',
    project_id: 'p2',
    source: 'openstack',
    meter_id: 'cjErY3B1',
  });
  t.equal(((await get('/v2/meters?limit=2')).json as unknown[]).length, 2);
  t.match((await get('/v2/meters?q.field=project_id&q.value=p2')).json, [{ name: 'cpu', resource_id: 'r1' }]);
});

t.test('unique meters are one per name, and the ids are null', async (t) => {
  const { get } = await startApi(t, { samples });
  const nobody = { resource_id: null, user_id: null, project_id: null, source: null };
  t.strictSame((await get('/v2/meters?unique=True')).json, [
    { name: 'cpu', type: 'cumulative', unit: 'ns', ...nobody, meter_id: 'Tm9uZStjcHU=' },
    { name: 'volume.size', type: 'gauge', unit: 'GiB', ...nobody, meter_id: 'Tm9uZSt2b2x1bWUuc2l6ZQ==' },
  ]);
});

t.test('a resource is described by its newest sample and links to its meters', async (t) => {
  const { get, api } = await startApi(t, { samples });
  const links = [
    { href: `${api.url}/v2/resources/r1`, rel: 'self' },
    { href: `${api.url}/v2/meters/cpu?q.field=resource_id&q.value=r1`, rel: 'cpu' },
    { href: `${api.url}/v2/meters/volume.size?q.field=resource_id&q.value=r1`, rel: 'volume.size' },
  ];
  const r1 = {
    resource_id: 'r1',
    project_id: 'p2',
    user_id: 'u1',
    first_sample_timestamp: '2026-03-01T09:00:00',
    last_sample_timestamp: '2026-03-01T11:00:00',
    metadata: { a: '1' },
    links,
    source: 'openstack',
  };
  t.strictSame((await get('/v2/resources/r1')).json, r1);
  t.strictSame(((await get('/v2/resources')).json as unknown[])[1], r1);
  const bare = (await get('/v2/resources?meter_links=0')).json as { links: unknown }[];
  t.strictSame(bare[1]?.links, links.slice(0, 1));
  t.equal(((await get('/v2/resources?limit=1')).json as unknown[]).length, 1);
});

t.test('ids with slashes and other signs of a URL are found, and their links lead somewhere', async (t) => {
  const { get, api } = await startApi(t, { samples });
  t.match((await get('/v2/resources/node%2F1%20%23%3F')).json, { resource_id: 'node/1 #?' });
  const { links } = (await get('/v2/resources/node/1%20%23%3F')).json as { links: { href: string }[] };
  for (const { href } of links) {
    const { status, json } = await get(href.slice(api.url.length));
    t.equal(status, 200, href);
    t.match(JSON.stringify(json), 'node/1 #?');
  }
});

t.test('links begin with the public address where one is configured', async (t) => {
  const { get } = await startApi(t, { samples, config: { api: { public_url: 'https://metering.example/' } } });
  t.match((await get('/v2/resources/r1')).json, { links: [{ href: 'https://metering.example/v2/resources/r1' }] });
  t.match((await get('/', null)).json, {
    versions: { values: [{ id: 'v2', links: [{ href: 'https://metering.example/v2', rel: 'self' }] }] },
  });
});

t.test('the addresses that python-ceilometerclient asks are answered', async (t) => {
  const { get } = await startApi(t, { samples });
  const q = 'q.field=resource_id&q.op=eq&q.type=&q.value=r1';
  const paths = [
    '/v2/meters',
    `/v2/meters?${q}&limit=5&unique=True`,
    `/v2/meters/cpu?${q}&limit=5`,
    `/v2/meters/cpu/statistics?${q}&period=60&groupby=project_id&aggregate.func=cardinality&aggregate.func=avg&aggregate.param=resource_id`,
    `/v2/samples?${q}&limit=5`,
    `/v2/resources?meter_links=0&${q}`,
    '/v2/resources?meter_links=1&limit=5',
    '/v2/resources/r1',
  ];
  for (const path of paths) {
    const answer = await get(path, 'admin', { Accept: 'application/json' });
    t.equal(answer.status, 200, path);
    t.match(answer.headers.get('content-type'), /^application\/json/);
    t.not(answer.text, '[]', path);
  }
});

t.test('the capabilities tell what can be asked here', async (t) => {
  const { get } = await startApi(t);
  const { api, storage } = (await get('/v2/capabilities')).json as Record<string, Record<string, boolean>>;
  t.match(api, { 'meters:query:simple': true, 'samples:query:complex': false, 'events:query:simple': false });
  t.equal(api?.['statistics:aggregation:selectable:cardinality'], true);
  t.strictSame(storage, { 'storage:production_ready': true });
});
