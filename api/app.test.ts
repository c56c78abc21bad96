import { request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { BehindRetention, StoreUnavailable } from '@nephometer/core';
import type { Store } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { faultOf, sampleOf, startApi, TOKENS } from './kit.test.fixture.ts';

/** A store whose questions fail. */
function failing(cause: () => Error): Store {
  const store = createMemoryStore();
  const fail = async (): Promise<never> => {
    throw cause();
  };
  return {
    ...store,
    meters: fail,
    statistics: fail,
    resources: fail,
    record: fail,
    samples() {
      return { [Symbol.asyncIterator]: () => ({ next: fail }) };
    },
  };
}

t.test('while the store is away the answer is 503 and when to ask again, without its address', async (t) => {
  const { get } = await startApi(t, {
    store: failing(() => new StoreUnavailable('connect ECONNREFUSED 10.1.2.3:8086')),
  });
  for (const path of ['/v2/samples', '/v2/meters', '/v2/resources', '/v2/meters/cpu/statistics', '/v1/samples']) {
    const answer = await get(path);
    t.equal(answer.status, 503, path);
    t.equal(answer.headers.get('retry-after'), '5');
    t.notMatch(answer.text, /10\.1\.2\.3/);
  }
  t.match((await get('/v2/samples')).json, { error_message: { faultcode: 'Server' } });
  t.match((await get('/v1/samples')).json, { status: 503, code: 'MTR_STORE_UNAVAILABLE', instance: '/v1/samples' });
});

t.test('an answer whose store breaks off is cut, so that half a list is never taken for a whole one', async (t) => {
  const store = createMemoryStore();
  const metadata = { filling: 'x'.repeat(2000) };
  await store.record(Array.from({ length: 200 }, () => sampleOf({ metadata })));
  const breaking: Store = {
    ...store,
    async *samples(query) {
      let count = 0;
      for await (const sample of store.samples(query)) {
        count += 1;
        if (count > 150) throw new StoreUnavailable('gone');
        yield sample;
      }
    },
  };
  const { get } = await startApi(t, { store: breaking });
  t.equal((await get('/v2/samples?limit=20')).status, 200);
  await t.rejects(get('/v2/samples?limit=200'), 'the client sees a broken connection');
  await t.rejects(get('/v1/samples?limit=200'));
});

t.test('an error of our own is 500; the log says more than the answer', async (t) => {
  const { get, log } = await startApi(t, { store: failing(() => new TypeError('secret place /var/lib')) });
  t.equal((await get('/v2/meters')).status, 500);
  t.notMatch((await get('/v1/samples')).text, /secret/);
  t.match(log.join(''), /secret place/);
});

t.test('a question behind retention is 410', async (t) => {
  const { get } = await startApi(t, { store: failing(() => new BehindRetention('Samples before March are gone.')) });
  const answer = await get('/v2/samples');
  t.equal(answer.status, 410);
  t.equal(faultOf(answer), 'Samples before March are gone.');
});

t.test('a body that is no JSON, compressed, of another type or too large is refused', async (t) => {
  const { send, api } = await startApi(t, { config: { api: { max_body: '64KiB' } } });
  const path = '/v2/meters/cpu?direct=true';
  t.equal((await send('POST', path, '[1,')).status, 400);
  t.equal((await send('POST', path, '[]', 'admin', { 'Content-Type': 'text/xml' })).status, 415);
  const init = {
    method: 'POST',
    headers: { 'X-Auth-Token': TOKENS.admin, 'Content-Encoding': 'gzip' },
    body: gzipSync('[]'),
  };
  t.equal((await fetch(api.url + path, init)).status, 415);
  const big = await send('POST', path, JSON.stringify('x'.repeat(70_000)));
  t.equal(big.status, 413);
  t.match(faultOf(big), /larger than 65536 bytes/);
});

t.test('a body that says it is too large is refused before it is sent', async (t) => {
  const { api } = await startApi(t, { config: { api: { max_body: '64KiB' } } });
  const status = await new Promise((resolve, reject) => {
    const headers = { 'X-Auth-Token': TOKENS.admin, 'Content-Length': '100000000', 'Content-Type': 'application/json' };
    const asking = request(`${api.url}/v2/meters/cpu`, { method: 'POST', headers }, (response) => {
      resolve(response.statusCode);
      asking.destroy();
    });
    asking.on('error', reject);
    asking.flushHeaders();
  });
  t.equal(status, 413);
});

t.test('a body without length is cut off at the limit', async (t) => {
  const { api } = await startApi(t, { config: { api: { max_body: '64KiB' } } });
  const status = await new Promise((resolve, reject) => {
    const headers = { 'X-Auth-Token': TOKENS.admin, 'Content-Type': 'application/json' };
    const asking = request(`${api.url}/v2/meters/cpu`, { method: 'POST', headers }, (response) => {
      resolve(response.statusCode);
      asking.destroy();
    });
    asking.on('error', reject);
    asking.write('['.padEnd(70_000));
  });
  t.equal(status, 413);
});

t.test('HEAD answers as GET without the body', async (t) => {
  const { send } = await startApi(t, { samples: [sampleOf({})] });
  for (const path of ['/v2/samples', '/v2/meters', '/v1/samples', '/healthz']) {
    const { status, text, headers } = await send('HEAD', path);
    t.equal(status, 200, path);
    t.equal(text, '');
    t.ok(Number(headers.get('content-length')) > 2);
  }
});

t.test('requests are counted by route and status, never by path', async (t) => {
  const { get, metrics } = await startApi(t);
  await get('/v2/samples/one');
  await get('/v2/samples/two');
  await get('/nowhere/1');
  const text = metrics.expose();
  t.match(text, 'nephometer_api_requests_total{route="/v2/samples/:id",status="404"} 2\n');
  t.match(text, 'nephometer_api_requests_total{route="none",status="404"} 1\n');
  t.match(text, 'nephometer_api_request_seconds_count{route="/v2/samples/:id"} 2\n');
});

t.test('a request that runs when the server stops is answered; a new one is not taken', async (t) => {
  const store = createMemoryStore();
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let entered = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    entered = resolve;
  });
  const slow: Store = {
    ...store,
    async meters() {
      entered();
      await held;
      return [];
    },
  };
  const { api, get } = await startApi(t, { store: slow });
  const { url } = api;
  const running = get('/v2/meters');
  await asked;
  const stopped = api.stop();
  const refused = await new Promise((resolve) => {
    const { port } = new URL(url);
    connect(Number(port), '127.0.0.1')
      .on('error', () => resolve(true))
      .on('connect', () => resolve(false));
  });
  t.equal(refused, true);
  const released = performance.now();
  release();
  const answer = await running;
  t.match(answer, { status: 200, text: '[]' });
  t.equal(answer.headers.get('connection'), 'close');
  await stopped;
  t.ok(performance.now() - released < 5_000, 'the stop does not wait for the client to hang up');
  await api.stop();
});

t.test('a port that is taken fails the start', async (t) => {
  const { api } = await startApi(t);
  const port = Number(new URL(api.url).port);
  await t.rejects(startApi(t, { config: { listen: { port } } }), {
    code: 'MTR_CONFIG',
    message: /listen\.port: cannot listen on .*: the port is taken/,
  });
});
