import t from 'tap';
import { MINUTE, SECOND } from './time.ts';
import { ServiceGroup } from './lifecycle.ts';
import type { Service } from './lifecycle.ts';
import { createLogger, silentLogger } from './log.ts';
import { MetricRegistry } from './metrics.ts';
import { ManualClock, systemClock } from './ports/clock.ts';
import { ProcessStatus } from './status.ts';
import { hashToken, identify, isLoopback, missingToken, newToken, tokenFromHeaders } from './tokens.ts';
import type { TokenRecord } from './tokens.ts';

function recorder(name: string, done: string[], fails: 'start' | 'stop' | null = null): Service {
  const step = (what: 'start' | 'stop') => async (): Promise<void> => {
    done.push(`${what} ${name}`);
    if (fails === what) throw new Error(`${name} cannot ${what}`);
  };
  return { name, start: step('start'), stop: step('stop') };
}

void t.test('services start in order and stop in reverse, once', async (t) => {
  const done: string[] = [];
  const group = new ServiceGroup('g', [recorder('a', done), recorder('b', done)], silentLogger);
  await group.start();
  await Promise.all([group.stop(), group.stop()]);
  await group.stop();
  t.same(done, ['start a', 'start b', 'stop b', 'stop a']);
});

void t.test('when one cannot start, what had started is stopped again', async (t) => {
  const done: string[] = [];
  const group = new ServiceGroup(
    'g',
    [recorder('a', done), recorder('b', done, 'start'), recorder('c', done)],
    silentLogger,
  );
  await t.rejects(group.start(), /b cannot start/);
  t.same(done, ['start a', 'start b', 'stop b', 'stop a']);
});

void t.test('one that cannot stop does not keep the others from it; stopping before the start is safe', async (t) => {
  const done: string[] = [];
  const group = new ServiceGroup('g', [recorder('a', done), recorder('b', done, 'stop')], silentLogger);
  await group.start();
  await group.stop();
  t.same(done.slice(2), ['stop b', 'stop a']);
  const never = new ServiceGroup('g', [recorder('x', done)], silentLogger);
  await never.stop();
  await never.start();
  t.notOk(done.includes('start x'), 'what was stopped does not start any more');
});

void t.test('the log is one line an event, below the level silent, errors by their message', (t) => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', format: 'json', write: (line) => void lines.push(line) }).child({
    agent: 'a',
  });
  log.debug({}, 'Not shown.');
  log.warn({ batch: 200n, cause: new Error('why') }, 'Broker unreachable; batch spooled.');
  t.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  t.match(line, {
    level: 'warn',
    message: 'Broker unreachable; batch spooled.',
    agent: 'a',
    batch: '200',
    cause: { message: 'why' },
  });
  createLogger({ level: 'info', format: 'text', write: (text) => void lines.push(text) }).info(
    { n: 1, s: 'a b' },
    'Hello.',
  );
  t.match(lines[1], /INFO {2}Hello\. n=1 s="a b"\n$/);
  t.end();
});

void t.test('metrics are exposed as OpenMetrics: families, escapes, histograms, one EOF', (t) => {
  const metrics = new MetricRegistry();
  const counter = metrics.counter('nephometer_things_total', 'Things.');
  t.match(metrics.expose(), 'nephometer_things_total 0', 'a counter shows its zero from the start');
  counter.add(2, { kind: 'a "b"\n' });
  counter.add(1, { kind: 'a "b"\n' });
  metrics.gauge('nephometer_spool_bytes', 'Bytes.').set(7);
  const seconds = metrics.histogram('nephometer_wait_seconds', 'Waits.', [1, 5]);
  seconds.observe(0.5);
  seconds.observe(9);
  const text = metrics.expose();
  t.match(text, '# TYPE nephometer_things counter\n');
  t.match(text, 'nephometer_things_total{kind="a \\"b\\"\\n"} 3\n');
  t.match(text, 'nephometer_wait_seconds_bucket{le="1"} 1\n');
  t.match(text, 'nephometer_wait_seconds_bucket{le="+Inf"} 2\n');
  t.match(text, 'nephometer_wait_seconds_sum 9.5\n');
  t.ok(text.endsWith('# EOF\n'));
  t.throws(() => counter.add(-1), RangeError);
  t.throws(() => metrics.gauge('nephometer_things_total', 'x'), TypeError);
  t.equal(metrics.toJSON()['nephometer_spool_bytes'], 7);
  t.end();
});

void t.test('a process is ready when all its parts are; a check that throws is not ready', async (t) => {
  const status = new ProcessStatus(new MetricRegistry(), { version: '1' });
  t.equal((await status.answer('/readyz'))?.status, 200);
  status.addCheck('bus', () => {
    throw new Error('broker away');
  });
  const answer = await status.answer('/readyz');
  t.equal(answer?.status, 503);
  t.match(answer?.body, 'broker away');
  t.equal((await status.answer('/healthz'))?.status, 200, 'alive all the same');
  t.match((await status.answer('/varz'))?.body, '"version": "1"');
  t.equal(await status.answer('/v2/meters'), null);
});

void t.test('a clock that is turned by hand fires what falls due, in order, and may jump', async (t) => {
  const clock = new ManualClock();
  const start = clock.now();
  const fired: string[] = [];
  clock.after(2 * SECOND, () => fired.push('two'));
  clock.after(SECOND, () => {
    fired.push('one');
    clock.after(SECOND / 2, () => fired.push('one and a half'));
  });
  clock.after(3 * SECOND, () => fired.push('never')).cancel();
  clock.jump(MINUTE);
  await clock.advance(5 * SECOND);
  t.same(fired, ['one', 'one and a half', 'two']);
  t.equal(clock.now(), start + MINUTE + 5 * SECOND);
  t.equal(clock.monotonic(), 5 * SECOND);
  t.ok(Math.abs(systemClock.now() - Date.now() * 1000) < 10 * SECOND);
});

void t.test('a token is known by its hash, until it is revoked', (t) => {
  const token = newToken();
  const record: TokenRecord = {
    id: '1',
    name: 'n',
    role: 'reader',
    projects: ['p'],
    userId: null,
    hash: hashToken(token),
    revoked: false,
  };
  t.match(identify(token, [record]), { name: 'n', role: 'reader' });
  t.equal(identify(`${token}x`, [record]), null);
  t.equal(identify(token, [{ ...record, revoked: true }]), null);
  t.not(newToken(), newToken());
  t.end();
});

void t.test('tokens come in either header', (t) => {
  t.equal(tokenFromHeaders({ 'x-auth-token': 'a' }), 'a');
  t.equal(tokenFromHeaders({ authorization: 'Bearer b' }), 'b');
  t.equal(tokenFromHeaders({ authorization: 'Basic b' }), null);
  t.equal(tokenFromHeaders({}), null);
  t.match(missingToken({}), /^Found neither; a token in X-Auth-Token, or as Authorization: Bearer TOKEN/);
  t.match(missingToken({ authorization: 'Basic c2VjcmV0' }), /^Found Authorization Basic;/);
  t.match(missingToken({ authorization: 'c2VjcmV0' }), /^Found Authorization without a scheme;/);
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) t.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example']) t.notOk(isLoopback(host), host);
  t.end();
});

void t.test('the system clock never calls early, and its two hands agree', async (t) => {
  for (const delay of [0, 100, 1500, 20_300]) {
    const [wall, start] = [systemClock.now(), systemClock.monotonic()];
    await new Promise<void>((resolve) => void systemClock.after(delay, resolve));
    const passed = systemClock.monotonic() - start;
    t.ok(passed >= delay, `${passed} us passed of ${delay}`);
    t.ok(Math.abs(systemClock.now() - wall - passed) < 5000, 'the wall clock moved as the steady one did');
  }
});
