import { BusUnavailable, ManualClock, MetricRegistry, type Delivery, type Topology } from '@nephometer/core';
import t from 'tap';
import { createMemoryBroker, createMemoryBus, topicMatches } from './index.ts';

const TOPOLOGY: Topology = {
  exchanges: [{ name: 'dead', type: 'fanout', durable: true }],
  queues: [
    { name: 'full', type: 'quorum', durable: true, deadLetterExchange: 'dead' },
    { name: 'graves', type: 'quorum', durable: true },
  ],
  bindings: [{ queue: 'graves', exchange: 'dead', routingKey: '' }],
};

const message = (messageId: string, bytes = 400) => ({
  exchange: '',
  routingKey: 'full',
  messageId,
  body: new Uint8Array(bytes),
});

const turn = () => new Promise((resolve) => setTimeout(resolve, 10));

t.test('publishers wait while a queue is full, and go on as it empties', async (t) => {
  const bus = createMemoryBus({ broker: createMemoryBroker({ queueLimit: 1000 }) });
  await bus.declare(TOPOLOGY);
  await bus.publish(message('1'));
  await bus.publish(message('2'));
  let isSent = false;
  const third = bus.publish(message('3')).then(() => (isSent = true));
  await turn();
  t.equal(isSent, false);
  t.match(bus.status(), { state: 'blocked', detail: /1000 bytes/, unconfirmed: 1 });
  const got: Delivery[] = [];
  await bus.consume('full', { prefetch: 1 }, (delivery) => void got.push(delivery));
  await turn();
  t.equal(isSent, false, 'an unsettled message still takes its room');
  got[0]?.ack();
  await third;
  t.match(bus.status(), { state: 'connected', detail: null, unconfirmed: 0 });
});

t.test('a publisher that waits for room learns that the bus was closed', async (t) => {
  const bus = createMemoryBus({ broker: createMemoryBroker({ queueLimit: 100 }) });
  await bus.declare(TOPOLOGY);
  await bus.publish(message('1', 400)); // an empty queue takes any message
  const waiting = t.rejects(bus.publish(message('2')), BusUnavailable);
  await bus.close();
  await waiting;
});

t.test('a full queue of dead letters drops its oldest, and counts it', async (t) => {
  const metrics = new MetricRegistry();
  const bus = createMemoryBus({ metrics, broker: createMemoryBroker({ queueLimit: 1000 }) });
  await bus.declare(TOPOLOGY);
  await bus.consume('full', { prefetch: 1 }, (delivery) => delivery.reject());
  for (const id of ['1', '2', '3', '4']) await bus.publish(message(id));
  await turn();
  const kept: (string | null)[] = [];
  await bus.consume('graves', { prefetch: 9 }, (delivery) => void kept.push(delivery.messageId));
  await turn();
  t.same(kept, ['3', '4']);
  t.match(metrics.expose(), /nephometer_bus_dropped_total\{queue="graves"\} 2/);
});

t.test('a pause is no failure: it never dead-letters a message, however often', async (t) => {
  const bus = createMemoryBus();
  await bus.declare({ ...TOPOLOGY, queues: TOPOLOGY.queues.map((queue) => ({ ...queue, deliveryLimit: 2 })) });
  await bus.publish(message('1'));
  const counts: number[] = [];
  const consumer = await bus.consume('full', { prefetch: 1 }, (delivery) => void counts.push(delivery.deliveryCount));
  for (let i = 0; i < 5; i++) {
    await turn();
    await consumer.pause();
    await consumer.resume();
  }
  await turn();
  t.same(counts, [0, 1, 2, 3, 4, 5]);
});

t.test('a message expires to the microsecond, whether or not somebody looks', async (t) => {
  const clock = new ManualClock();
  const bus = createMemoryBus({ broker: createMemoryBroker({ clock }) });
  const queues = TOPOLOGY.queues.map((queue) => (queue.name === 'full' ? { ...queue, messageTtlMs: 60_000 } : queue));
  await bus.declare({ ...TOPOLOGY, queues });
  await bus.publish(message('1'));
  const dead: (string | null)[] = [];
  await bus.consume('graves', { prefetch: 9 }, (delivery) => void dead.push(delivery.messageId));
  await clock.advance(59_999_999);
  await turn();
  t.same(dead, []);
  await clock.advance(1);
  await turn();
  t.same(dead, ['1']);
});

t.test('topic patterns', async (t) => {
  const cases: [string, string, boolean][] = [
    ['#', '', true],
    ['#', 'a.b.c', true],
    ['*', '', true],
    ['*', 'a', true],
    ['*', 'a.b', false],
    ['a.#.z', 'a.z', true],
    ['a.#.z', 'a.b.c.z', true],
    ['a.#.z', 'a.b.c', false],
    ['#.*', 'a', true],
    ['*.#.*', 'a', false],
    ['#.#', 'a.b', true],
    ['a.*.c', 'a..c', true],
    ['notifications.info', 'notifications.information', false],
  ];
  for (const [pattern, key, expected] of cases)
    t.equal(topicMatches(pattern, key), expected, `${pattern} and "${key}"`);
});
