import t from 'tap';
import { sampleOf, startApi } from './kit.test.fixture.ts';
import type { Who } from './kit.test.fixture.ts';

const mine = sampleOf({ id: 'mine', meter: 'cpu', resource: 'r-mine', project: 'p1', user: 'u1', at: '10:00:00' });
const colleague = sampleOf({
  id: 'colleague',
  meter: 'cpu',
  resource: 'r-colleague',
  project: 'p1',
  user: 'u2',
  at: '10:01:00',
});
const foreign = sampleOf({
  id: 'foreign',
  meter: 'secret.meter',
  resource: 'r-foreign',
  project: 'p2',
  user: 'u3',
  at: '10:02:00',
});
const nobody = sampleOf({
  id: 'nobody',
  meter: 'cpu',
  resource: 'r-nobody',
  project: null,
  user: null,
  at: '10:03:00',
});
const samples = [mine, colleague, foreign, nobody];
const quarantined = { kind: 'quarantine', id: 'q1', body: '{}' } as const;

/** Every GET route that wants a token, and who may ask it. */
const ROUTES: readonly [path: string, roles: readonly ('admin' | 'reader' | 'writer')[]][] = [
  ['/v2/meters', ['admin', 'reader']],
  ['/v2/meters?unique=true', ['admin', 'reader']],
  ['/v2/meters/cpu', ['admin', 'reader']],
  ['/v2/meters/secret.meter', ['admin', 'reader']],
  ['/v2/meters/cpu/statistics?groupby=resource_id&groupby=user_id', ['admin', 'reader']],
  ['/v2/meters/secret.meter/statistics', ['admin', 'reader']],
  ['/v2/samples', ['admin', 'reader']],
  ['/v2/samples/mine', ['admin', 'reader']],
  ['/v2/resources', ['admin', 'reader']],
  ['/v2/resources/r-mine', ['admin', 'reader']],
  ['/v1/samples', ['admin', 'reader']],
  ['/v1/samples/mine', ['admin', 'reader']],
  ['/v2/capabilities', ['admin', 'reader', 'writer']],
  ['/v1/whoami', ['admin', 'reader', 'writer']],
  ['/v1/ledger', ['admin']],
  ['/v1/conflicts', ['admin']],
  ['/v1/quarantine', ['admin']],
  ['/v1/quarantine/q1', ['admin']],
  ['/v1/tokens', ['admin']],
];

t.test('every route but the open ones wants a token', async (t) => {
  const { get } = await startApi(t, { samples });
  for (const [path] of ROUTES) {
    const none = await get(path, null);
    t.equal(none.status, 401, path);
    t.equal(none.headers.get('www-authenticate'), 'Bearer realm="nephometer"');
    t.match(
      none.text,
      /Found neither; a token in X-Auth-Token, or as Authorization: Bearer TOKEN, would be right/,
      path,
    );
    t.match(
      none.headers.get('content-type'),
      path.startsWith('/v2') ? /^application\/json/ : /^application\/problem\+json/,
    );
    const wrong = await get(path, null, { 'X-Auth-Token': 'wrong' });
    t.equal(wrong.status, 401, path);
    t.match(wrong.headers.get('www-authenticate'), /invalid_token/);
    t.match(wrong.text, /The token in X-Auth-Token or Authorization is not known/, path);
  }
  for (const path of ['/', '/healthz', '/readyz', '/metrics', '/varz'])
    t.equal((await get(path, null)).status, 200, path);
  t.equal((await get('/v1/whoami', null, { Authorization: 'Bearer reader-of-p1-0123456789' })).status, 200);
  t.equal((await get('/nowhere', null)).status, 401, 'even whether a path exists');
});

t.test('a role may ask what its routes say, and nothing else', async (t) => {
  const { get, store } = await startApi(t, { samples });
  await store.appendEntry({ ...quarantined, body: JSON.stringify(QUARANTINED) });
  const whos = { admin: 'admin', reader: 'reader', writer: 'writer' } as const satisfies Record<string, Who>;
  for (const [path, roles] of ROUTES) {
    for (const who of Object.values(whos)) {
      t.equal((await get(path, who)).status, roles.includes(who) ? 200 : 403, `${who} ${path}`);
    }
  }
});

t.test('a reader sees samples of its projects and nothing of others, on every route', async (t) => {
  const { get } = await startApi(t, { samples });
  for (const [path, roles] of ROUTES.filter(([, roles]) => roles.includes('reader'))) {
    t.ok(roles.length > 0);
    const { text } = await get(path, 'reader');
    t.notMatch(text, /foreign|secret|nobody|"p2"|"u3"/, path);
    t.notMatch((await get(path, 'user')).text, /foreign|secret|nobody|colleague|"u2"/, `${path} as one user`);
  }
  t.match(
    (await get('/v2/samples', 'admin')).text,
    /foreign.*colleague|colleague.*foreign|nobody/s,
    'an admin sees all',
  );
  t.equal(((await get('/v2/samples', 'reader')).json as unknown[]).length, 2);
  t.equal(((await get('/v2/samples', 'user')).json as unknown[]).length, 1);
});

t.test("others' samples and resources are not there for a reader", async (t) => {
  const { get } = await startApi(t, { samples });
  const hidden = ['/v2/samples/foreign', '/v2/samples/nobody', '/v2/resources/r-foreign', '/v1/samples/foreign'];
  for (const path of [...hidden, '/v1/samples/nobody']) t.equal((await get(path, 'reader')).status, 404, path);
  for (const path of ['/v2/samples/colleague', '/v1/samples/colleague', '/v2/resources/r-colleague']) {
    t.equal((await get(path, 'reader')).status, 200, path);
    t.equal((await get(path, 'user')).status, 404, path);
  }
  t.equal((await get('/v1/samples?project_id=p2', 'reader')).status, 403);
  t.equal((await get('/v1/samples?project_id=p1&project_id=p2', 'reader')).status, 403);
  t.equal((await get('/v1/samples?user_id=u2', 'user')).status, 403);
  t.strictSame((await get('/v1/samples?message_id=foreign', 'reader')).json, { samples: [], next: null });
});

t.test('only writers and admins change something', async (t) => {
  const { send } = await startApi(t, { samples, ingest: { ingest: async () => [] } });
  for (const who of ['reader', 'user'] as const) {
    t.equal((await send('POST', '/v2/meters/cpu', [], who)).status, 403);
    t.equal((await send('POST', '/v1/messages', [], who)).status, 403);
  }
  for (const who of ['reader', 'writer'] as const) {
    t.equal((await send('POST', '/v1/tokens', { name: 'x', role: 'admin' }, who)).status, 403);
    t.equal((await send('DELETE', '/v1/tokens/x', undefined, who)).status, 403);
    t.equal((await send('POST', '/v1/quarantine/q1/replay', undefined, who)).status, 403);
  }
  t.equal((await send('POST', '/v1/messages', [], 'writer')).status, 200);
});

t.test('beyond loopback the figures of the process want the token of an admin', async (t) => {
  const { api, get } = await startApi(t, { config: { listen: { host: '0.0.0.0' } } });
  t.match(api.url, /^http:\/\/0\.0\.0\.0:/);
  for (const path of ['/metrics', '/varz']) {
    t.equal((await get(path, null)).status, 401, path);
    t.equal((await get(path, 'reader')).status, 403, path);
    t.equal((await get(path, 'admin')).status, 200, path);
  }
  t.equal((await get('/healthz', null)).status, 200);
});

const QUARANTINED = {
  reason: 'signature',
  detail: 'It does not match.',
  transport: 'bus',
  sender: 'nephometer/metering.sample',
  agent_id: null,
  message_id: null,
  from: null,
  to: null,
  samples: 0,
  received: 0,
  size: 0,
  bytes: '',
  state: 'refused',
};
