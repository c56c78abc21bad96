import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '@nephometer/core';
import t from 'tap';
import type { Test } from 'tap';
import { connectInflux } from './open.ts';
import { findRefused, writeLines } from './write-lines.ts';

interface Reply {
  readonly status: number;
  readonly body?: string | readonly Buffer[];
}

/** A server that answers as told; null means never. */
async function serve(t: Test, reply: (request: IncomingMessage, body: string) => Reply | null) {
  const seen: { url: string; body: string; headers: IncomingMessage['headers'] }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      seen.push({ url: request.url ?? '', body, headers: request.headers });
      const answer = reply(request, body);
      if (answer === null) return;
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      for (const part of typeof answer.body === 'string' ? [answer.body] : (answer.body ?? [])) response.write(part);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const connect = (api: 1 | 2, timeoutMs = 2000) => {
    const url = api === 1 ? `influxdb://me@127.0.0.1:${port}/db` : `influxdb2://127.0.0.1:${port}/org/bucket`;
    const client = connectInflux({ url, secret: 'hunter2', timeoutMs });
    t.teardown(() => client.close());
    return client;
  };
  return { seen, connect };
}

for (const api of [1, 2] as const) {
  t.test(`${api}.x: only "no content" is success`, async (t) => {
    let reply: Reply = { status: 204 };
    const { seen, connect } = await serve(t, () => reply);
    const client = connect(api);
    await client.write(['m f=1 1', 'm f=2 2']);
    t.equal(seen.length, 1);
    t.equal(seen[0]?.body, 'm f=1 1\nm f=2 2');
    t.match(
      seen[0]?.url,
      api === 1 ? /^\/write\?db=db&precision=ns$/ : /^\/api\/v2\/write\?org=org&bucket=bucket&precision=ns/,
    );
    t.match(seen[0]?.headers.authorization, api === 1 ? /^Basic / : 'Token hunter2');
    for (const status of [200, 201, 202]) {
      reply = { status, body: '{"error":"partial write: 1 of 2"}' };
      await t.rejects(client.write(['m f=1 1']), { code: 'MTR_STORE_UNAVAILABLE' }, `status ${status}`);
    }
    for (const status of [400, 413, 422]) {
      reply = { status, body: '{"error":"partial write: dropped=1"}' };
      await t.rejects(client.write(['m f=1 1']), { name: 'WriteRejected', status }, `status ${status}`);
    }
    for (const status of [401, 403, 404, 429, 500, 503]) {
      reply = { status, body: '{"error":"hinted handoff queue not empty"}' };
      await t.rejects(client.write(['m f=1 1']), { code: 'MTR_STORE_UNAVAILABLE' }, `status ${status}`);
    }
    t.equal(seen.length, 1 + 3 + 3 + 6, 'nothing is sent twice');
  });

  t.test(`${api}.x: refused credentials are said plainly, without the secret`, async (t) => {
    const { connect } = await serve(t, () => ({ status: 401, body: '{"error":"authorization failed"}' }));
    const client = connect(api);
    await t.rejects(client.write(['m f=1 1']), { message: /credentials.*store\.secret_file/ });
    await t.rejects(client.query(['SHOW DATABASES']), { message: /credentials/ });
    const shown = await client.prepare().catch(messageOf);
    t.match(shown, /credentials/);
    t.notMatch(shown, /hunter2/);
  });

  t.test(`${api}.x: a server that does not answer is given up in time`, async (t) => {
    const { connect } = await serve(t, () => null);
    const client = connect(api, 300);
    const asked: (() => Promise<unknown>)[] = [
      () => client.write(['m f=1 1']),
      () => client.query(['SHOW DATABASES']),
      () => client.ping(),
    ];
    for (const ask of asked) {
      const started = performance.now();
      await t.rejects(ask(), { code: 'MTR_STORE_UNAVAILABLE', message: /did not answer within/ });
      t.ok(performance.now() - started < 1500);
    }
  });
}

t.test('nobody listens', async (t) => {
  const client = connectInflux({ url: 'influxdb://127.0.0.1:1/db', secret: null, timeoutMs: 1000 });
  t.teardown(() => client.close());
  await t.rejects(client.write(['m f=1 1']), { code: 'MTR_STORE_UNAVAILABLE', message: /cannot be reached/ });
  await t.rejects(client.write(['m f=1 1']), { message: /cannot be reached/ }, 'and is asked again at once');
});

t.test('answers that are cut short or hold an error are errors', async (t) => {
  let body: string | Buffer[] = '';
  const { connect } = await serve(t, () => ({ status: 200, body }));
  const client = connect(1);
  for (const wrong of [
    'not JSON',
    '{"error":"no"}',
    '{"results":[{"error":"timeout"}]}',
    '{"results":[{"partial":true,"series":[]}]}',
    '{"results":[{"series":[{"partial":true,"columns":[],"values":[]}]}]}',
    '{"results":[]}',
  ]) {
    body = wrong;
    await t.rejects(client.query(['SELECT 1']), { code: 'MTR_STORE_UNAVAILABLE' }, wrong);
  }
  const bytes = Buffer.from('{"results":[{"series":[{"name":"m","columns":["a"],"values":[["ü😀"]]}]}]}');
  body = [...bytes].map((byte) => Buffer.of(byte));
  const [[series] = []] = await client.query(['SELECT 1']);
  t.strictSame(series?.values, [['ü😀']], 'characters may arrive in pieces');
});

t.test('the refused line is found among many, and all others are written', async (t) => {
  const written = new Set<string>();
  const { connect } = await serve(t, (_request, body) => {
    const lines = body.split('\n');
    if (lines.includes('bad')) return { status: 400, body: 'partial write' };
    for (const line of lines) written.add(line);
    return { status: 204 };
  });
  const client = connect(1);
  const good = Array.from({ length: 37 }, (_, i) => `good ${i}`);
  const problem = await findRefused(client, [...good.slice(0, 20), 'bad']);
  t.match(problem, { code: 'MTR_STORE_REFUSED', message: /The line is: bad/ });
  t.equal(await findRefused(client, good), null);
  await writeLines(client, good);
  t.equal(written.size, 37);
});
