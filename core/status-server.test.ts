import t from 'tap';
import { ConfigError } from './errors.ts';
import { silentLogger } from './log.ts';
import { MetricRegistry } from './metrics.ts';
import { ProcessStatus } from './status.ts';
import { serveStatus } from './status-server.ts';

function status(): ProcessStatus {
  return new ProcessStatus(new MetricRegistry(), { version: '0.0.0' });
}

t.test('on loopback it answers without a token, and stops', async (t) => {
  const server = serveStatus({ host: '127.0.0.1', port: 0, status: status(), log: silentLogger });
  await server.start();
  const url = `http://127.0.0.1:${server.port}`;
  t.equal((await fetch(`${url}/healthz`)).status, 200);
  t.match(await (await fetch(`${url}/metrics`)).text(), /# EOF\n$/);
  t.equal((await fetch(`${url}/nothing`)).status, 404);
  t.equal((await fetch(`${url}/varz`, { method: 'POST' })).status, 405);
  await server.stop();
  await server.stop();
  await t.rejects(fetch(`${url}/healthz`));
});

t.test('beyond loopback it wants authentication, or does not start', async (t) => {
  t.throws(() => serveStatus({ host: '0.0.0.0', port: 0, status: status(), log: silentLogger }), ConfigError);
  const server = serveStatus({
    host: '0.0.0.0',
    port: 0,
    status: status(),
    log: silentLogger,
    authenticate: (token) =>
      Promise.resolve(token === 'good' ? { name: 'a', role: 'admin', projects: null, userId: null } : null),
  });
  await server.start();
  t.teardown(() => server.stop());
  const url = `http://127.0.0.1:${server.port}`;
  const ready = await fetch(`${url}/readyz`);
  t.equal(ready.status, 200);
  t.same(await ready.json(), { ready: true }, 'whether, and no more');
  t.equal((await fetch(`${url}/metrics`)).status, 401);
  t.equal((await fetch(`${url}/metrics`, { headers: { 'x-auth-token': 'bad' } })).status, 401);
  t.equal((await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer good' } })).status, 200);
});

t.test('a port that is taken is an error that names it', async (t) => {
  const first = serveStatus({ host: '127.0.0.1', port: 0, status: status(), log: silentLogger });
  await first.start();
  t.teardown(() => first.stop());
  const second = serveStatus({ host: '127.0.0.1', port: first.port ?? 0, status: status(), log: silentLogger });
  await t.rejects(second.start(), { code: 'MTR_CONFIG', message: /taken/ });
});
