import amqp from 'amqplib';
import t from 'tap';
import { influxUrl, startInflux, startRabbit, startRabbitCluster, startVictoria, uniqueName, until } from './index.ts';

/** RabbitMQ 3.10 writes down that a quorum queue exists a moment after it said so; killed before, it loses the queue. */
const QUEUE_SETTLES_MS = 3_000;

async function publishDurably(url: string, queue: string, text: string): Promise<void> {
  const connection = await amqp.connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
    await channel.waitForConfirms();
  } finally {
    await connection.close();
  }
}

/** The next message's text; undefined when the queue is empty or not there. */
async function takeFrom(url: string, queue: string): Promise<string | undefined> {
  // A quorum queue that has no leader yet, right after the broker's start, may never answer; then we ask anew.
  for (let attempt = 0; attempt < 10; attempt++) {
    const answer = await Promise.race([takeOnce(url, queue), pause(3_000).then(() => 'unanswered' as const)]);
    if (answer !== 'unanswered') return answer.text;
  }
  throw new Error(`Queue ${queue} does not answer.`);
}

async function takeOnce(url: string, queue: string): Promise<{ text: string | undefined }> {
  const connection = await amqp.connect(url);
  connection.on('error', () => undefined); // of a try that was given up
  const channel = await connection.createChannel();
  channel.on('error', () => undefined); // 404, told by the rejection of `get`
  try {
    const message = await channel.get(queue, { noAck: true });
    return { text: message ? message.content.toString() : undefined };
  } catch {
    return { text: undefined };
  } finally {
    await connection.close().catch(() => undefined);
  }
}

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

t.test('a cluster of three serves a quorum queue without the node that is killed', async (t) => {
  const cluster = await startRabbitCluster(3);
  t.teardown(() => cluster.stop());
  const [first, second, third] = cluster.nodes;
  if (!first || !second || !third) throw new Error('three nodes were asked for');
  const running = await second.ctl('cluster_status', '--formatter', 'json');
  t.same((JSON.parse(running) as { running_nodes: string[] }).running_nodes.sort(), [
    first.nodeName,
    second.nodeName,
    third.nodeName,
  ]);
  await publishDurably(first.url, 'replicated', 'thrice');
  await pause(QUEUE_SETTLES_MS);
  await first.kill();
  // Refused while the two that are left elect a leader.
  const published = (): Promise<boolean> =>
    publishDurably(third.url, 'replicated', 'still').then(
      () => true,
      () => false,
    );
  await until(published, { timeoutMs: 30_000, describe: () => 'the two nodes that are left confirm nothing' });
  t.equal(await takeFrom(second.url, 'replicated'), 'thrice');
  await first.restart();
  t.equal(await takeFrom(first.url, 'replicated'), 'still');
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

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function post(url: string, form: Record<string, string>): Promise<void> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}
