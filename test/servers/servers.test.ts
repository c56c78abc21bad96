import amqp from 'amqplib';
import t from 'tap';
import { influxUrl, startInflux, startRabbit, startVictoria, uniqueName, until } from './index.ts';
import { pause, publishDurably, QUEUE_SETTLES_MS, takeFrom } from './queue.fixture.ts';

t.test('RabbitMQ keeps a confirmed message through kill and restart, and loses it when wiped', async (t) => {
  const rabbit = await startRabbit();
  t.teardown(() => rabbit.stop());
  await publishDurably(rabbit.url, 'kept', 'through a kill');
  const before = rabbit.pid;
  await pause(QUEUE_SETTLES_MS);
  await rabbit.kill();
  await t.rejects(amqp.connect(rabbit.url), { code: 'ECONNREFUSED' });
  await rabbit.restart();
  t.not(rabbit.pid, before);
  t.equal(await takeFrom(rabbit.url, 'kept'), 'through a kill');

  await publishDurably(rabbit.url, 'kept', 'until the wipe');
  t.match(await rabbit.ctl('list_queues', 'name'), 'kept');
  await rabbit.wipe();
  t.equal(await takeFrom(rabbit.url, 'kept'), undefined);
});

t.test('a paused RabbitMQ does not answer until it is resumed', async (t) => {
  const rabbit = await startRabbit();
  t.teardown(() => rabbit.stop());
  rabbit.pause();
  const connecting = amqp.connect(rabbit.url);
  const first = await Promise.race([connecting.then(() => 'answered'), pause(1_000).then(() => 'silent')]);
  t.equal(first, 'silent');
  rabbit.resume();
  await (await connecting).close();
});

t.test('RabbitMQ runs as an unprivileged user', async (t) => {
  const nobody = process.getuid?.() === 0 ? { runAs: { uid: 65_534, gid: 65_534 } } : {};
  const rabbit = await startRabbit(nobody);
  t.teardown(() => rabbit.stop());
  await publishDurably(rabbit.url, 'anyone', 'may run a broker');
  t.equal(await takeFrom(rabbit.url, 'anyone'), 'may run a broker');
  t.match(await rabbit.ctl('status'), 'RabbitMQ version');
});

t.test('InfluxDB keeps what was written through kill and restart', async (t) => {
  const influx = await startInflux();
  t.teardown(() => influx.stop());
  const database = uniqueName('kept');
  await post(`${influx.url}/query`, { q: `CREATE DATABASE ${database}` });
  const written = await fetch(`${influx.url}/write?db=${database}`, {
    method: 'POST',
    body: 'cpu value=42i 1000000001',
  });
  t.equal(written.status, 204);
  await influx.kill();
  await influx.restart();
  const answer = await fetch(`${influx.url}/query?db=${database}&epoch=ns&q=SELECT+value+FROM+cpu`);
  t.match(await answer.json(), { results: [{ series: [{ values: [[1_000_000_001, 42]] }] }] });
});

t.test('the shared InfluxDB answers at the URL that tests ask for', async (t) => {
  const [one, other] = await Promise.all([influxUrl(), influxUrl()]);
  t.equal(one, other);
  t.equal((await fetch(`${one}/ping`)).status, 204);
});

t.test('VictoriaMetrics takes a write in the form of InfluxDB 2', async (t) => {
  const victoria = await startVictoria();
  t.teardown(() => victoria.stop());
  const now = BigInt(Date.now()) * 1_000_000n;
  const body = `probe,host=a value=42 ${now}`;
  const written = await fetch(`${victoria.url}/api/v2/write?org=o&bucket=b`, { method: 'POST', body });
  t.equal(written.status, 204);
  await victoria.restart();
  const isStored = async (): Promise<boolean> => {
    const answer = await fetch(`${victoria.url}/api/v1/export?match[]=probe_value`);
    return (await answer.text()).includes('"values":[42]');
  };
  // It shows what it took within a second or two.
  await until(isStored, { timeoutMs: 20_000, describe: () => 'VictoriaMetrics does not return what it took' });
});

async function post(url: string, form: Record<string, string>): Promise<void> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}
