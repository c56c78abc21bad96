import { BusUnavailable, type Delivery, type OutgoingMessage } from '@nephometer/core';
import t, { type Test } from 'tap';
import { startRabbit } from '../servers/index.ts';
import { makeBus, metric, publishUntilConfirmed, type TestedBus } from './bus.amqp-kit.ts';
import { collect, eventually, makePlace, message, rest, settleDown, text } from './bus.kit.ts';

const rabbit = await startRabbit();
t.teardown(() => rabbit.stop());

/** Publishes and consumes while `disturb` does its worst; all that was confirmed must have been delivered. */
async function underLoad(
  t: Test,
  disturb: (unknown: readonly Error[]) => Promise<unknown>,
  prepare?: () => Promise<void>,
) {
  const { exchange, queue, topology } = makePlace();
  const tested = makeBus(t, rabbit.url);
  const { bus } = tested;
  await bus.declare(topology);
  await bus.connect();
  await prepare?.();
  await eventually(() => bus.status().state === 'connected');
  const delivered = new Set<string | null>();
  await bus.consume(queue, { prefetch: 50 }, async (delivery: Delivery) => {
    delivered.add(delivery.messageId);
    await new Promise((resolve) => setTimeout(resolve, 2));
    delivery.ack();
  });
  const unknown: Error[] = [];
  const confirmed: string[] = [];
  let isDone = false;
  const sender = async (name: number): Promise<void> => {
    for (let i = 0; !isDone; i++) {
      const outgoing: OutgoingMessage = message(exchange, 'a.b', 'x'.repeat(2000), { messageId: `${name}-${i}` });
      await publishUntilConfirmed(bus, outgoing, unknown);
      confirmed.push(outgoing.messageId);
    }
  };
  const senders = Array.from({ length: 100 }, (_, name) => sender(name));
  await eventually(() => confirmed.length > 500);
  await disturb(unknown);
  const before = confirmed.length;
  await eventually(() => confirmed.length > before + 500, 30_000);
  isDone = true;
  await Promise.all(senders);
  await eventually(() => confirmed.every((id) => delivered.has(id)), 30_000);
  t.same(
    unknown.filter((cause) => !(cause instanceof BusUnavailable)),
    [],
    'every failure is an unknown outcome',
  );
  t.equal(bus.status().state, 'connected');
  t.equal(bus.status().unconfirmed, 0);
  return { ...tested, unknown, confirmed };
}

t.test('connections that the broker closes are made again; nothing confirmed is lost', async (t) => {
  // Whether something is on its way when the connection goes is chance: closed again until it was.
  const close = async (lost: readonly Error[]): Promise<void> => {
    for (let attempt = 0; attempt < 10 && lost.length === 0; attempt += 1) {
      await rabbit.ctl('close_all_connections', 'by the test');
    }
  };
  const { metrics, unknown, lines } = await underLoad(t, close);
  t.ok(unknown.length > 0, `${unknown.length} outcomes were unknown`);
  t.ok(metric(metrics, 'reconnects_total') >= 2, 'both links');
  t.ok(metric(metrics, 'unknown_total') >= unknown.length);
  t.match(lines.join(''), /No connection; trying again/);
});

t.test('a broker that is shut down and started again is used again', async (t) => {
  await underLoad(t, () => rabbit.restart());
});

t.test('a broker that is killed and started again has all that it confirmed', async (t) => {
  const disturb = async (): Promise<void> => {
    await rabbit.kill();
    await rabbit.restart();
  };
  // RabbitMQ 3.10 writes down the name of a new quorum queue within three minutes, or when it is shut down in order. Killed
  // before that, it starts with a queue that never elects a leader.
  await underLoad(t, disturb, () => rabbit.restart());
});

t.test('acknowledgements of before a loss are dropped, the message comes again', async (t) => {
  const { exchange, queue, topology } = makePlace();
  const { bus, metrics } = makeBus(t, rabbit.url);
  await bus.connect();
  await bus.declare(topology);
  await bus.publish(message(exchange, 'a.b', 'one'));
  const { got } = await collect(bus, queue);
  await eventually(() => got.length === 1);
  await rabbit.ctl('close_all_connections', 'by the test');
  await eventually(() => got.length === 2);
  got[0]?.ack();
  t.equal(metric(metrics, 'stale_settlements_total'), 1);
  await settleDown();
  got[1]?.ack();
  await bus.publish(message(exchange, 'a.b', 'two'));
  await eventually(() => got.length === 3);
  t.same(got.map(text), ['one', 'one', 'two'], 'the consumer is alive');
  t.equal(got[1]?.redelivered, true);
});

t.test('publishing waits for a broker that is away, but not for ever', async (t) => {
  const { exchange, queue, topology } = makePlace({ type: 'classic' });
  const { bus } = makeBus(t, rabbit.url, {}, { patience: 1_500_000 });
  await bus.declare(topology);
  await bus.connect();
  await rabbit.kill();
  await eventually(() => bus.status().state === 'connecting');
  t.match(bus.status().detail, /\S/);
  const begun = performance.now();
  await t.rejects(bus.publish(message(exchange, 'a.b', 'too early')), {
    code: 'MTR_BUS_UNAVAILABLE',
    message: /1\.5 s/,
  });
  t.ok(performance.now() - begun >= 1_400, 'it waited');
  await rabbit.restart();
  await bus.publish(message(exchange, 'a.b', 'in time')).catch(async () => {
    await eventually(() => bus.status().state === 'connected');
    await bus.publish(message(exchange, 'a.b', 'in time'));
  });
  t.same((await rest(bus, queue)).map(text), ['in time']);
});

t.test('a broker that is not there yet is waited for', async (t) => {
  const { exchange, queue, topology } = makePlace();
  await rabbit.kill();
  const { bus } = makeBus(t, rabbit.url);
  await bus.declare(topology);
  const got: string[] = [];
  await bus.consume(queue, { prefetch: 5 }, (delivery) => {
    got.push(text(delivery));
    delivery.ack();
  });
  let isConnected = false;
  const connected = bus.connect().then(() => (isConnected = true));
  await eventually(() => /ECONNREFUSED/.test(bus.status().detail ?? ''));
  t.equal(bus.status().state, 'connecting');
  t.equal(isConnected, false);
  await rabbit.restart();
  await connected;
  await bus.publish(message(exchange, 'a.b', 'at last'));
  await eventually(() => got.length === 1);
});

t.test('a broker that answers no more is noticed by its missing heartbeats', async (t) => {
  const { exchange, topology } = makePlace();
  const { bus, metrics, lines }: TestedBus = makeBus(t, rabbit.url, { heartbeat: '1s', confirm_alarm: '1s' });
  await bus.declare(topology);
  await bus.connect();
  rabbit.pause();
  const outcome = t.rejects(bus.publish(message(exchange, 'a.b', 'x')), BusUnavailable, 'outcome unknown');
  await eventually(() => metric(metrics, 'overdue') === 1);
  t.ok(metric(metrics, 'oldest_unconfirmed_seconds') >= 1);
  t.match(lines.join(''), /does not confirm what was published/);
  await outcome;
  rabbit.resume();
  await eventually(() => bus.status().state === 'connected');
  await bus.publish(message(exchange, 'a.b', 'y'));
  await eventually(() => metric(metrics, 'overdue') === 0);
});

t.test('closing is safe at any time: before, while and after connecting', async (t) => {
  const idle = makeBus(t, rabbit.url).bus;
  await idle.close();
  await t.rejects(idle.connect(), BusUnavailable);
  const early = makeBus(t, rabbit.url).bus;
  const connecting = t.rejects(early.connect(), BusUnavailable);
  await Promise.all([early.close(), early.close()]);
  await connecting;
  await rabbit.kill();
  const away = makeBus(t, rabbit.url).bus;
  const waiting = t.rejects(away.connect(), BusUnavailable);
  await eventually(() => /ECONNREFUSED/.test(away.status().detail ?? ''));
  const publish = t.rejects(away.publish(message('any', 'a.b', 'x')), BusUnavailable);
  const begun = performance.now();
  await away.close();
  await Promise.all([waiting, publish]);
  t.ok(performance.now() - begun < 3_000);
  t.equal(away.status().state, 'closed');
});
