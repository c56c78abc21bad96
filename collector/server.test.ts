import { connect } from 'node:net';
import { hashToken, MetricRegistry, ProcessStatus, silentLogger, StoreUnavailable, TokenBook } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { counter, messageOf, surroundings } from './fixture.ts';
import { createCollector, createCollectorServer } from './index.ts';

const token = (role: 'admin' | 'reader' | 'writer') => ({
  id: role,
  name: role,
  role,
  projects: null,
  userId: null,
  hash: hashToken(`the token of the ${role}`),
  revoked: false,
});

async function serving(
  t: { teardown(fn: () => Promise<void>): void },
  store: Store = createMemoryStore(),
  maxBody = 100_000,
  host = '127.0.0.1',
) {
  const collector = createCollector({ ...surroundings(), bus: null, store });
  const server = createCollectorServer({
    host,
    port: 0,
    collector,
    status: new ProcessStatus(new MetricRegistry(), { version: 'test' }),
    tokens: new TokenBook([token('admin'), token('reader'), token('writer')], null),
    log: silentLogger,
    maxBody,
  });
  await server.start();
  t.teardown(() => server.stop());
  const url = `http://127.0.0.1:${server.port}`;
  const post = (body: string | Uint8Array, role = 'writer', headers: Record<string, string> = {}) =>
    fetch(`${url}/v1/messages`, {
      method: 'POST',
      body,
      headers: { 'x-auth-token': `the token of the ${role}`, ...headers },
    });
  return { url, post, server, store };
}

t.test('posted messages are answered one by one, in order, once they are stored', async (t) => {
  const { post, store } = await serving(t);
  const good = messageOf(counter('memory', 512), 'id-1');
  const forged = messageOf(counter('memory', 512), 'id-2').replace('512', '513');
  const answer = await post(`[${good},${forged},${good}]`);
  t.equal(answer.status, 200);
  t.match(await answer.json(), {
    results: [
      { message_id: 'id-1', outcome: 'accepted' },
      { message_id: 'id-2', outcome: 'refused', reason: 'signature' },
      { message_id: 'id-1', outcome: 'duplicate' },
    ],
  });
  const [entry] = await store.entries({ kind: 'quarantine' });
  t.match(JSON.parse(entry?.body ?? '{}'), { reason: 'signature', transport: 'http', sender: /^writer@127/ });
});

t.test('only writers and admins may post', async (t) => {
  const { post, url } = await serving(t);
  const body = messageOf(counter('memory', 512), 'id-1');
  t.equal((await post(body, 'admin')).status, 200);
  const reader = await post(body, 'reader');
  t.equal(reader.status, 403);
  t.equal(reader.headers.get('content-type'), 'application/problem+json');
  t.match(await reader.json(), { detail: /role reader/ });
  t.equal((await post(body, 'stranger')).status, 401);
  t.equal((await fetch(`${url}/v1/messages`, { method: 'POST', body })).status, 401);
  t.equal((await fetch(`${url}/v1/messages`)).status, 405);
});

t.test('a body that cannot be read is answered 400 and kept', async (t) => {
  const { post, store } = await serving(t);
  const answer = await post('{"oslo.version": "3.0", "oslo.message": "{}"}');
  t.equal(answer.status, 400);
  t.match(await answer.json(), { reason: 'malformed', detail: /2\.0/ });
  t.equal((await store.entries({ kind: 'quarantine' })).length, 1);
});

t.test('what is no metering message at all is told what was found and what would be right', async (t) => {
  const { post, store } = await serving(t);
  const wrong = { '': 'an empty body', null: '"null"', ' 12': '"12"', hello: '"hello"' };
  for (const [body, found] of Object.entries(wrong)) {
    const answer = await post(body);
    t.equal(answer.status, 400);
    const detail = `Found ${found}; a metering message (an object with counter_name), an array of them, or a batch`;
    t.ok(((await answer.json()) as { detail: string }).detail.startsWith(detail), body);
  }
  t.equal((await store.entries({ kind: 'quarantine' })).length, Object.keys(wrong).length, 'each is kept');
});

t.test('a body that is too large is not read to its end', async (t) => {
  const { post, server } = await serving(t, createMemoryStore(), 1000);
  const answer = await post('x'.repeat(2000));
  t.equal(answer.status, 413);
  const endless = await new Promise<string>((resolve) => {
    let seen = '';
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(
        'POST /v1/messages HTTP/1.1\r\nhost: here\r\nx-auth-token: the token of the writer\r\ntransfer-encoding: chunked\r\n\r\n',
      );
      const chunk = `200\r\n${'y'.repeat(512)}\r\n`;
      for (let i = 0; i < 4; i++) socket.write(chunk);
    });
    socket.on('data', (part) => (seen += part.toString()));
    socket.on('error', () => resolve(seen));
    socket.on('close', () => resolve(seen));
  });
  t.match(endless, /^HTTP\/1\.1 413 /);
});

t.test('while the store is away a post is told to come back', async (t) => {
  const away = () => Promise.reject(new StoreUnavailable('away'));
  const { post } = await serving(t, { ...createMemoryStore(), record: away, entries: away, appendEntry: away });
  for (const body of [messageOf(counter('memory', 512), 'id-1'), 'no JSON']) {
    const answer = await post(body);
    t.equal(answer.status, 503);
    t.ok(Number(answer.headers.get('retry-after')) > 0);
  }
});

t.test('it tells the state of its process', async (t) => {
  const { url } = await serving(t);
  for (const path of ['/healthz', '/readyz', '/metrics', '/varz']) t.equal((await fetch(url + path)).status, 200, path);
  t.equal((await fetch(`${url}/elsewhere`)).status, 404);
});

t.test('beyond loopback its figures want the token of an admin', async (t) => {
  const { url } = await serving(t, createMemoryStore(), 1000, '0.0.0.0');
  for (const path of ['/healthz', '/readyz']) t.equal((await fetch(url + path)).status, 200, path);
  for (const path of ['/metrics', '/varz']) {
    t.equal((await fetch(url + path)).status, 401, path);
    for (const [role, status] of Object.entries({ reader: 403, writer: 403, admin: 200 })) {
      const answer = await fetch(url + path, { headers: { 'x-auth-token': `the token of the ${role}` } });
      t.equal(answer.status, status, `${role} ${path}`);
    }
  }
});

t.test('a port that is taken is an error that names the key', async (t) => {
  const { server } = await serving(t);
  const second = createCollectorServer({
    host: '127.0.0.1',
    port: server.port,
    collector: createCollector({ ...surroundings(), bus: null, store: createMemoryStore() }),
    status: new ProcessStatus(new MetricRegistry(), {}),
    tokens: new TokenBook([], null),
    log: silentLogger,
    maxBody: 1,
  });
  await t.rejects(second.start(), { message: /listen\.port: cannot listen on 127\.0\.0\.1/ });
  await second.stop();
});
