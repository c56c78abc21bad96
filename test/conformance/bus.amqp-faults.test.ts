import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'amqplib';
import t from 'tap';
import { startRabbit, uniqueName } from '../servers/index.ts';
import { makeBus, metric } from './bus.amqp-kit.ts';
import { collect, eventually, makePlace, message, rest, settleDown, text } from './bus.kit.ts';

const rabbit = await startRabbit();
t.teardown(() => rabbit.stop());

/** Something that another program does on the broker. */
async function asOther<T>(
  work: (channel: Awaited<ReturnType<typeof openChannel>>['channel']) => Promise<T>,
): Promise<T> {
  const { connection, channel } = await openChannel();
  try {
    return await work(channel);
  } finally {
    await connection.close();
  }
}

async function openChannel() {
  const connection = await connect(rabbit.url);
  const channel = await connection.createConfirmChannel();
  // A question about a queue that is not there closes the channel.
  channel.on('error', () => undefined);
  return { connection, channel };
}

t.test('a queue deleted under its consumer is declared and consumed again', async (t) => {
  const { exchange, queue, topology } = makePlace();
  const { bus, lines } = makeBus(t, rabbit.url);
  await bus.declare(topology);
  await bus.connect();
  const { got } = await collect(bus, queue, 5, (delivery) => delivery.ack());
  await bus.publish(message(exchange, 'a.b', 'before'));
  await eventually(() => got.length === 1);
  await asOther((channel) => channel.deleteQueue(queue));
  await eventually(() =>
    asOther(async (channel) => (await channel.checkQueue(queue)).consumerCount === 1).catch(() => false),
  );
  await bus.publish(message(exchange, 'a.b', 'after'));
  await eventually(() => got.length === 2);
  t.match(lines.join(''), /the queue was deleted/);
});

t.test('an exchange deleted under a publisher is declared again', async (t) => {
  const { exchange, queue, topology } = makePlace();
  const { bus } = makeBus(t, rabbit.url);
  await bus.declare(topology);
  await bus.connect();
  await asOther((channel) => channel.deleteExchange(exchange));
  await t.rejects(bus.publish(message(exchange, 'a.b', 'lost')), { code: 'MTR_BUS_REFUSED', message: exchange });
  await bus.publish(message(exchange, 'a.b', 'kept'));
  t.same((await rest(bus, queue)).map(text), ['kept']);
});

t.test('a queue deleted under a publisher is declared again after a message came back', async (t) => {
  const { exchange, queue, topology } = makePlace();
  const { bus, metrics } = makeBus(t, rabbit.url);
  await bus.declare(topology);
  await bus.connect();
  await asOther((channel) => channel.deleteQueue(queue));
  await t.rejects(bus.publish(message(exchange, 'a.b', 'lost')), { code: 'MTR_BUS_REFUSED' });
  t.equal(metric(metrics, 'returned_total'), 1);
  await eventually(async () => {
    await bus.publish(message(exchange, 'a.b', 'kept')).catch(() => undefined);
    return metric(metrics, 'confirmed_total') === 1;
  });
  t.same((await rest(bus, queue)).map(text), ['kept']);
});

t.test('a queue that others declared otherwise stops the start, without a loop', async (t) => {
  const { queue, topology } = makePlace();
  await asOther((channel) => channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } }));
  const { bus, metrics } = makeBus(t, rabbit.url);
  await bus.declare(topology);
  const begun = performance.now();
  await t.rejects(bus.connect(), { code: 'MTR_BUS_TOPOLOGY', message: new RegExp(`queue "${queue}".*we declare it`) });
  t.ok(performance.now() - begun < 10_000);
  t.equal(bus.status().state, 'closed');
  await settleDown();
  t.equal(metric(metrics, 'reconnects_total'), 0);
  t.equal(await connections(), 0);
});

t.test("a service's exchange declared otherwise says which key to set", async (t) => {
  const exchange = uniqueName('nova');
  await asOther((channel) => channel.assertExchange(exchange, 'topic', { durable: true }));
  const { bus } = makeBus(t, rabbit.url);
  await bus.connect();
  const topology = {
    exchanges: [{ name: exchange, type: 'topic' as const, durable: false }],
    queues: [],
    bindings: [],
  };
  await t.rejects(bus.declare(topology), { code: 'MTR_BUS_TOPOLOGY', message: /notifications\.durable: true/ });
  t.equal(bus.status().state, 'connected');
});

t.test('a delivery limit that was another says so', async (t) => {
  const { topology } = makePlace({ deliveryLimit: 5 });
  const { bus } = makeBus(t, rabbit.url);
  await bus.connect();
  await bus.declare(topology);
  const queues = topology.queues.map((queue) => ({ ...queue, ...(queue.deliveryLimit ? { deliveryLimit: 6 } : {}) }));
  await t.rejects(bus.declare({ ...topology, queues }), { message: /bus\.delivery_limit: 5/ });
});

t.test('a topology that changed while we were away ends the bus, and says so once', async (t) => {
  const exchange = uniqueName('nova');
  const fatal: Error[] = [];
  const { bus } = makeBus(t, rabbit.url, {}, { onFatal: (cause) => fatal.push(cause) });
  await bus.connect();
  await bus.declare({ exchanges: [{ name: exchange, type: 'topic', durable: false }], queues: [], bindings: [] });
  await asOther(async (channel) => {
    await channel.deleteExchange(exchange);
    await channel.assertExchange(exchange, 'topic', { durable: true });
  });
  await rabbit.ctl('close_all_connections', 'by the test');
  await eventually(() => fatal.length > 0);
  await settleDown();
  t.match(fatal[0], { code: 'MTR_BUS_TOPOLOGY', message: exchange });
  t.equal(bus.status().state, 'closed');
  t.match(bus.status().detail, exchange);
  await t.rejects(bus.publish(message(exchange, 'a.b', 'x')));
});

t.test('wrong password and wrong virtual host fail at once, and no log shows a password', async (t) => {
  const wrong = rabbit.url.replace('guest:guest', 'guest:sesame');
  const { bus, lines } = makeBus(t, wrong);
  const failure = await bus.connect().catch((cause: unknown) => String(cause));
  t.match(failure, /refuses the user "guest".*bus\.password_file/s);
  t.notMatch([failure, ...lines, bus.status().detail].join(''), /sesame/);
  const elsewhere = makeBus(t, `${rabbit.url}/not%2Fthere`).bus;
  await t.rejects(elsewhere.connect(), { code: 'MTR_BUS_TOPOLOGY', message: /virtual host "not\/there"/ });
  await t.rejects(makeBus(t, 'amqp://[broken').bus.connect(), { code: 'MTR_CONFIG' });
  t.equal(await connections(), 0);
});

t.test('the password comes from a file, whatever its letters', async (t) => {
  const password = 'ü p/a:s@s%20#?é';
  await rabbit.ctl('add_user', 'meter', password);
  await rabbit.ctl('set_permissions', 'meter', '.*', '.*', '.*');
  const file = join(t.testdir({}), 'password');
  writeFileSync(file, `${password}\n`);
  const url = rabbit.url.replace('guest:guest', 'meter');
  const { bus } = makeBus(t, url, { password_file: file });
  await bus.connect();
  t.equal(bus.status().state, 'connected');
  t.equal(await connections(), 2, 'one to publish, one to consume');
  const inUrl = rabbit.url.replace('guest:guest', `meter:${encodeURIComponent(password)}`);
  await makeBus(t, inUrl).bus.connect();
  await t.rejects(makeBus(t, url, { password_file: `${file}.missing` }).bus.connect(), {
    message: /bus\.password_file/,
  });
});

t.test('without permission on a name the error says which', async (t) => {
  await rabbit.ctl('add_user', 'narrow', 'narrow');
  await rabbit.ctl('set_permissions', 'narrow', '^mine', '.*', '.*');
  const { bus } = makeBus(t, rabbit.url.replace('guest:guest', 'narrow:narrow'));
  const { topology } = makePlace();
  await bus.declare(topology);
  await t.rejects(bus.connect(), { code: 'MTR_BUS_TOPOLOGY', message: /does not let us declare the exchange/ });
});

t.test('in a memory alarm publishers wait, consumers go on, and nothing is torn down', async (t) => {
  const { exchange, queue, topology } = makePlace();
  const { bus, metrics } = makeBus(t, rabbit.url, { window: 4, heartbeat: '1s' });
  await bus.declare(topology);
  await bus.connect();
  await bus.publish(message(exchange, 'a.b', 'before'));
  await rabbit.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
  t.teardown(() => rabbit.ctl('set_vm_memory_high_watermark', '0.4'));
  let confirmed = 0;
  const publishing = Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      await bus.publish(message(exchange, 'a.b', String(i)));
      confirmed++;
    }),
  );
  await eventually(() => bus.status().state === 'blocked');
  t.match(bus.status().detail, /memory/);
  t.equal(metric(metrics, 'blocked'), 1);
  const { got } = await collect(bus, queue, 50, (delivery) => delivery.ack());
  await eventually(() => got.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  t.equal(confirmed, 0);
  t.ok(bus.status().unconfirmed <= 4, 'the window holds');
  t.equal(metric(metrics, 'reconnects_total'), 0);
  await rabbit.ctl('set_vm_memory_high_watermark', '0.4');
  await publishing;
  t.equal(bus.status().state, 'connected');
  await eventually(() => got.length === 21);
});

t.test('closing while the broker is in alarm does not hang', async (t) => {
  const { exchange, topology } = makePlace();
  const { bus } = makeBus(t, rabbit.url, {}, { closeLimit: 500_000 });
  await bus.declare(topology);
  await bus.connect();
  await rabbit.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
  t.teardown(() => rabbit.ctl('set_vm_memory_high_watermark', '0.4'));
  const outcome = t.rejects(bus.publish(message(exchange, 'a.b', 'x')), { code: 'MTR_BUS_UNAVAILABLE' });
  await eventually(() => bus.status().state === 'blocked');
  const begun = performance.now();
  await bus.close();
  await outcome;
  t.ok(performance.now() - begun < 5_000);
});

t.test('what a Ceilometer publishes to its own exchange is received', async (t) => {
  const [exchange, queue] = [uniqueName('ceilometer'), uniqueName('ours')];
  const { bus } = makeBus(t, rabbit.url);
  await bus.connect();
  await bus.declare({
    exchanges: [{ name: exchange, type: 'topic', durable: false }],
    queues: [{ name: queue, type: 'quorum', durable: true }],
    bindings: [{ queue, exchange, routingKey: 'metering.sample' }],
  });
  const inner = {
    message_id: 'a',
    event_type: 'metering',
    publisher_id: 'telemetry',
    payload: [{ counter_name: 'cpu' }],
  };
  const envelope = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(inner) };
  await asOther(async (channel) => {
    await channel.assertExchange(exchange, 'topic', { durable: false, autoDelete: false });
    const options = { contentType: 'application/json', contentEncoding: 'utf-8', headers: {}, deliveryMode: 2 };
    channel.publish(exchange, 'metering.sample', Buffer.from(JSON.stringify(envelope)), options);
    await channel.waitForConfirms();
  });
  const [arrived] = await rest(bus, queue);
  t.same(JSON.parse(text(arrived)), envelope);
  t.match(arrived, { exchange, routingKey: 'metering.sample', messageId: null });
});

t.test('headers, names and bodies that do not fit are refused, and the channel lives', async (t) => {
  const { exchange, queue, topology } = makePlace();
  const { bus } = makeBus(t, rabbit.url);
  await bus.declare(topology);
  await bus.connect();
  const tooLarge = { code: 'MTR_MESSAGE_TOO_LARGE' };
  await t.rejects(bus.publish(message(exchange, 'k'.repeat(256), 'x')), tooLarge);
  await t.rejects(bus.publish(message(exchange, 'a.b', 'x', { messageId: 'ü'.repeat(128) })), tooLarge);
  await t.rejects(bus.publish(message(exchange, 'a.b', 'x', { headers: { big: 'x'.repeat(100_000) } })), tooLarge);
  await bus.publish(message(exchange, 'a.b', 'fits'));
  t.same((await rest(bus, queue)).map(text), ['fits']);
});

t.test('a body larger than a process can take goes to the dead letters unseen', async (t) => {
  const { exchange, queue, dead, topology } = makePlace();
  const { bus, metrics } = makeBus(t, rabbit.url, {}, { hardLimit: 1000 });
  await bus.declare(topology);
  await bus.connect();
  const { got } = await collect(bus, queue, 5, (delivery) => delivery.ack());
  await bus.publish(message(exchange, 'a.b', 'x'.repeat(1001)));
  await bus.publish(message(exchange, 'a.b', 'small'));
  await eventually(() => got.length === 1);
  await eventually(() => asOther(async (channel) => (await channel.checkQueue(dead)).messageCount === 1));
  t.same(got.map(text), ['small']);
  t.equal(metric(metrics, 'oversized_total'), 1);
});

t.test('more publishers than the window holds: all are confirmed, the window is never exceeded', async (t) => {
  const { exchange, queue, topology } = makePlace();
  const { bus, metrics } = makeBus(t, rabbit.url, { window: 8 });
  await bus.declare(topology);
  await bus.connect();
  let most = 0;
  const body = 'x'.repeat(300_000);
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      await bus.publish(message(exchange, 'a.b', body));
      most = Math.max(most, bus.status().unconfirmed);
    }),
  );
  t.ok(most <= 8, `${most} at most`);
  t.equal(metric(metrics, 'confirmed_total'), 100);
  t.equal((await rest(bus, queue)).length, 100);
});

/** How many connections the broker has now. */
async function connections(): Promise<number> {
  await settleDown();
  const listed = await rabbit.ctl('list_connections', 'pid');
  return listed.split('\n').filter((line) => /^<.*>$/.test(line.trim())).length;
}
