import { BusRefused, BusTopologyError, BusUnavailable, MessageTooLarge } from '@nephometer/core';
import type { Bus, QueueSpec, Topology } from '@nephometer/core';
import type { Test } from 'tap';
import { uniqueName } from '../servers/index.ts';
import { collect, eventually, makePlace, message, rest, settleDown, text, type Place } from './bus.kit.ts';

/** How the suite reaches one kind of bus. */
export interface BusUnderTest {
  /** A bus on the same broker as all others of this run, connected. The suite closes it. */
  readonly open: () => Promise<Bus>;
  /** Bytes above which publish refuses. */
  readonly maxMessage: number;
}

/** What every adapter of the Bus port does alike. */
export function busSuite(t: Test, { open, maxMessage }: BusUnderTest): void {
  /** A test with its own bus, declared names and helpers; whatever it opened is closed. */
  const busTest = (
    title: string,
    run: (t: Test, bus: Bus, place: Place) => Promise<void>,
    queue?: Partial<QueueSpec>,
  ) =>
    t.test(title, async (t) => {
      const bus = await open();
      t.teardown(() => bus.close());
      const place = makePlace(queue);
      await bus.declare(place.topology);
      await run(t, bus, place);
    });

  busTest(
    'a published message is delivered once and is gone when acknowledged',
    async (t, bus, { exchange, queue }) => {
      await bus.publish(message(exchange, 'a.b', 'hello', { messageId: 'id-1' }));
      const { got, consumer } = await collect(bus, queue);
      await eventually(() => got.length === 1);
      const [first] = got;
      t.match(first, { exchange, routingKey: 'a.b', messageId: 'id-1', redelivered: false, deliveryCount: 0 });
      t.equal(text(first), 'hello');
      first?.ack();
      await consumer.cancel();
      t.same(await rest(bus, queue), [], 'nothing is left in the queue');
    },
  );

  busTest('messages come in the order in which they were published', async (t, bus, { exchange, queue }) => {
    const numbers = Array.from({ length: 500 }, (_, i) => String(i));
    await Promise.all(numbers.map((n) => bus.publish(message(exchange, 'a.b', n))));
    const { got } = await collect(bus, queue, 20, (delivery) => delivery.ack());
    await eventually(() => got.length === numbers.length);
    t.same(got.map(text), numbers);
  });

  busTest('topic patterns route: * is one word, # any number', async (t, bus, place) => {
    const { exchange } = place;
    const patterns = {
      'one.*': ['one.x'],
      'one.#': ['one', 'one.x', 'one.x.y'],
      '#.y': ['one.x.y', 'y'],
      'one.x': ['one.x'],
    };
    const queues = Object.keys(patterns).map((routingKey) => ({ routingKey, queue: uniqueName('route') }));
    await bus.declare({
      exchanges: [],
      queues: queues.map(({ queue }) => classic(queue)),
      bindings: queues.map(({ queue, routingKey }) => ({ queue, exchange, routingKey })),
    });
    for (const key of ['one', 'one.x', 'one.x.y', 'y', 'two.x'])
      await bus.publish(message(exchange, key, key, { mandatory: false }));
    for (const { routingKey, queue } of queues) {
      t.same((await rest(bus, queue)).map(text), patterns[routingKey as keyof typeof patterns], routingKey);
    }
  });

  busTest('direct and fanout exchanges, and a queue bound twice, get one copy each', async (t, bus) => {
    const [direct, fanout, one, two] = ['direct', 'fanout', 'one', 'two'].map(uniqueName) as [
      string,
      string,
      string,
      string,
    ];
    await bus.declare({
      exchanges: [
        { name: direct, type: 'direct', durable: true },
        { name: fanout, type: 'fanout', durable: true },
      ],
      queues: [classic(one), classic(two)],
      bindings: [
        { queue: one, exchange: direct, routingKey: 'x' },
        { queue: one, exchange: fanout, routingKey: '' },
        { queue: one, exchange: fanout, routingKey: 'again' },
        { queue: two, exchange: fanout, routingKey: '' },
      ],
    });
    await bus.publish(message(direct, 'x', 'to one'));
    await bus.publish(message(fanout, 'whatever', 'to all'));
    await t.rejects(bus.publish(message(direct, 'y', 'to nobody')), BusRefused);
    t.same((await rest(bus, one)).map(text), ['to one', 'to all']);
    t.same((await rest(bus, two)).map(text), ['to all']);
  });

  busTest(
    'a message that no queue takes is refused, unless it need not arrive',
    async (t, bus, { exchange, queue }) => {
      await t.rejects(bus.publish(message(exchange, 'nobody.listens.here', 'x', { messageId: 'lost' })), BusRefused);
      await bus.publish(message(exchange, 'nobody.listens.here', 'x', { mandatory: false }));
      await t.rejects(bus.publish(message(uniqueName('missing'), 'a.b', 'x')), BusRefused, 'no such exchange');
      await bus.publish(message(exchange, 'a.b', 'the bus goes on'));
      t.same((await rest(bus, queue)).map(text), ['the bus goes on']);
      t.equal(bus.status().unconfirmed, 0);
    },
  );

  busTest('refused and kept messages are told apart when published at once', async (t, bus, { exchange, queue }) => {
    const keys = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 'nobody.listens.here' : 'a.b'));
    const outcomes = await Promise.allSettled(keys.map((key, i) => bus.publish(message(exchange, key, String(i)))));
    t.same(
      outcomes.map(({ status }) => status),
      keys.map((key) => (key === 'a.b' ? 'fulfilled' : 'rejected')),
    );
    t.equal((await rest(bus, queue)).length, 40);
  });

  busTest('an alternate exchange takes what no queue is bound for', async (t, bus) => {
    const [main, other, queue] = ['main', 'other', 'catchall'].map(uniqueName) as [string, string, string];
    await bus.declare({
      exchanges: [
        { name: other, type: 'fanout', durable: true },
        { name: main, type: 'topic', durable: true, alternate: other },
      ],
      queues: [classic(queue)],
      bindings: [{ queue, exchange: other, routingKey: '' }],
    });
    await bus.publish(message(main, 'no.binding', 'caught'));
    t.same((await rest(bus, queue)).map(text), ['caught']);
  });

  busTest('the nameless exchange leads to a queue by its name', async (t, bus, { queue }) => {
    await bus.publish(message('', queue, 'direct'));
    t.same((await rest(bus, queue)).map(text), ['direct']);
  });

  busTest('a requeued message comes again and counts its deliveries', async (t, bus, { exchange, queue }) => {
    await bus.publish(message(exchange, 'a.b', 'again'));
    const { got } = await collect(bus, queue, 10, (delivery) =>
      delivery.deliveryCount < 2 ? delivery.requeue() : delivery.ack(),
    );
    await eventually(() => got.length === 3);
    t.same(
      got.map(({ deliveryCount }) => deliveryCount),
      [0, 1, 2],
    );
    t.same(
      got.map(({ redelivered }) => redelivered),
      [false, true, true],
    );
  });

  busTest(
    'beyond the delivery limit a message is dead-lettered',
    async (t, bus, { exchange, queue, dead }) => {
      await bus.publish(message(exchange, 'a.b', 'poison', { messageId: 'poison' }));
      await bus.publish(message(exchange, 'a.b', 'good'));
      const { got } = await collect(bus, queue, 10, (delivery) =>
        text(delivery) === 'poison' ? delivery.requeue() : delivery.ack(),
      );
      const graves = await collect(bus, dead, 10, (delivery) => delivery.ack());
      await eventually(() => graves.got.length === 1);
      t.match(graves.got[0], { messageId: 'poison', routingKey: 'a.b', redelivered: false });
      t.match(graves.got[0]?.headers, {
        'x-death': [{ queue, exchange, reason: 'delivery_limit' }],
        'x-first-death-queue': queue,
        'x-first-death-exchange': exchange,
        'x-first-death-reason': 'delivery_limit',
      });
      t.equal(got.filter((delivery) => text(delivery) === 'poison').length, 4, 'the first and three more');
      t.equal(got.filter((delivery) => text(delivery) === 'good').length, 1);
    },
    { deliveryLimit: 3 },
  );

  busTest('a rejected message is dead-lettered at once', async (t, bus, { exchange, queue, dead }) => {
    await bus.publish(message(exchange, 'a.b', 'bad', { headers: { note: 'kept' } }));
    const { got } = await collect(bus, queue, 10, (delivery) => delivery.reject());
    const graves = await collect(bus, dead, 10, (delivery) => delivery.ack());
    await eventually(() => graves.got.length === 1);
    t.equal(got.length, 1);
    t.match(graves.got[0]?.headers, { note: 'kept', 'x-death': [{ reason: 'rejected', queue }] });
  });

  busTest('a message older than its queue allows is dead-lettered', async (t, bus, { dead, topology }) => {
    const queue = uniqueName('short');
    const deadLetterExchange = topology.exchanges[0]?.name ?? '';
    await bus.declare({
      exchanges: [],
      queues: [{ ...classic(queue), messageTtlMs: 100, deadLetterExchange }],
      bindings: [],
    });
    await bus.publish(message('', queue, 'old'));
    const graves = await collect(bus, dead, 10, (delivery) => delivery.ack());
    await eventually(() => graves.got.length === 1);
    t.match(graves.got[0]?.headers['x-death'], [{ reason: 'expired', queue }]);
    t.same(await rest(bus, queue), []);
  });

  busTest('no more than prefetch are unsettled at a time', async (t, bus, { exchange, queue }) => {
    for (let i = 0; i < 10; i++) await bus.publish(message(exchange, 'a.b', String(i)));
    const { got } = await collect(bus, queue, 3);
    await eventually(() => got.length === 3);
    await settleDown();
    t.equal(got.length, 3);
    got[0]?.ack();
    await eventually(() => got.length === 4);
    for (const delivery of got.slice(1)) delivery.ack();
    await eventually(() => got.length === 7);
    await settleDown();
    t.equal(got.length, 7);
  });

  busTest('settling twice settles once', async (t, bus, { exchange, queue }) => {
    await bus.publish(message(exchange, 'a.b', 'one'));
    await bus.publish(message(exchange, 'a.b', 'two'));
    const { got, consumer } = await collect(bus, queue, 1, (delivery) => {
      delivery.ack();
      delivery.ack();
      delivery.requeue();
      delivery.reject();
    });
    await eventually(() => got.length === 2);
    await consumer.cancel();
    t.same(await rest(bus, queue), []);
  });

  busTest(
    'while paused the broker holds all, and gives back what was not settled',
    async (t, bus, { exchange, queue }) => {
      for (const body of ['1', '2', '3']) await bus.publish(message(exchange, 'a.b', body));
      const { got, consumer } = await collect(bus, queue, 2);
      await eventually(() => got.length === 2);
      got[0]?.ack();
      await eventually(() => got.length === 3);
      await consumer.pause();
      const seen = got.length;
      await bus.publish(message(exchange, 'a.b', '4'));
      await settleDown();
      t.equal(got.length, seen, 'nothing is delivered');
      const other = await open();
      t.teardown(() => other.close());
      const taken = await collect(other, queue, 1);
      await eventually(() => taken.got.length === 1);
      t.equal(text(taken.got[0]), '2', 'another consumer is given it');
      taken.got[0]?.ack();
      await taken.consumer.cancel();
      got[1]?.ack(); // of before the pause: says nothing about the delivery to come
      await consumer.resume();
      await eventually(() => got.length === seen + 2);
      const after = got.slice(seen);
      t.same(after.map(text).toSorted(), ['3', '4']);
      t.equal(after.find((delivery) => text(delivery) === '3')?.redelivered, true);
      for (const delivery of after) delivery.ack();
    },
  );

  busTest('pause and resume are safe to repeat, and cancel is final', async (t, bus, { exchange, queue }) => {
    const { got, consumer } = await collect(bus, queue, 5, (delivery) => delivery.ack());
    await Promise.all([consumer.pause(), consumer.pause()]);
    await Promise.all([consumer.resume(), consumer.resume()]);
    await bus.publish(message(exchange, 'a.b', 'one'));
    await eventually(() => got.length === 1);
    await Promise.all([consumer.cancel(), consumer.cancel()]);
    await consumer.resume();
    await bus.publish(message(exchange, 'a.b', 'two'));
    await settleDown();
    t.equal(got.length, 1);
  });

  busTest('two consumers share a queue', async (t, bus, { exchange, queue }) => {
    const other = await open();
    t.teardown(() => other.close());
    const a = await collect(bus, queue, 5, (delivery) => delivery.ack());
    const b = await collect(other, queue, 5, (delivery) => delivery.ack());
    const numbers = Array.from({ length: 200 }, (_, i) => String(i));
    await Promise.all(numbers.map((n) => bus.publish(message(exchange, 'a.b', n))));
    await eventually(() => a.got.length + b.got.length === numbers.length);
    t.ok(a.got.length > 20 && b.got.length > 20, `${a.got.length} and ${b.got.length}`);
    t.same([...a.got, ...b.got].map(text).toSorted(), numbers.toSorted());
  });

  busTest('what a cancelled consumer did not settle is delivered to the next', async (t, bus, { exchange, queue }) => {
    await bus.publish(message(exchange, 'a.b', 'kept'));
    const first = await collect(bus, queue);
    await eventually(() => first.got.length === 1);
    await first.consumer.cancel();
    const second = await collect(bus, queue, 1, (delivery) => delivery.ack());
    await eventually(() => second.got.length === 1);
    t.match(second.got[0], { redelivered: true, deliveryCount: 1 });
    first.got[0]?.ack();
  });

  busTest('what a closed bus did not settle is delivered to the next', async (t, bus, { exchange, queue }) => {
    const other = await open();
    await bus.publish(message(exchange, 'a.b', 'kept'));
    const { got } = await collect(other, queue);
    await eventually(() => got.length === 1);
    await other.close();
    got[0]?.ack();
    const [kept] = await rest(bus, queue);
    t.equal(text(kept), 'kept');
    t.equal(kept?.redelivered, true);
  });

  busTest('a handler that throws or rejects gives the message back', async (t, bus, { exchange, queue }) => {
    await bus.publish(message(exchange, 'a.b', 'throws'));
    await bus.publish(message(exchange, 'a.b', 'rejects'));
    const seen: string[] = [];
    await bus.consume(queue, { prefetch: 10 }, (delivery) => {
      seen.push(`${text(delivery)} ${delivery.deliveryCount}`);
      if (delivery.deliveryCount > 0) return delivery.ack();
      if (text(delivery) === 'throws') throw new Error('thrown on purpose');
      return Promise.reject(new Error('rejected on purpose'));
    });
    await eventually(() => seen.length === 4);
    t.same(seen.toSorted(), ['rejects 0', 'rejects 1', 'throws 0', 'throws 1']);
    t.equal(bus.status().state, 'connected');
  });

  busTest('a handler may settle long after it returned', async (t, bus, { exchange, queue }) => {
    for (const body of ['1', '2']) await bus.publish(message(exchange, 'a.b', body));
    const { got, consumer } = await collect(bus, queue, 1);
    await eventually(() => got.length === 1);
    await settleDown();
    got[0]?.ack();
    await eventually(() => got.length === 2);
    got[1]?.ack();
    await consumer.cancel();
    t.same(await rest(bus, queue), []);
  });

  busTest('one message id published twice is two deliveries', async (t, bus, { exchange, queue }) => {
    const twice = message(exchange, 'a.b', 'same', { messageId: 'same' });
    await Promise.all([bus.publish(twice), bus.publish(twice)]);
    t.same(
      (await rest(bus, queue)).map(({ messageId }) => messageId),
      ['same', 'same'],
    );
  });

  busTest('declaring again changes nothing', async (t, bus, { exchange, queue, topology }) => {
    await bus.publish(message(exchange, 'a.b', 'still here'));
    await bus.declare(topology);
    const other = await open();
    t.teardown(() => other.close());
    await other.declare(topology);
    t.same((await rest(bus, queue)).map(text), ['still here']);
  });

  busTest('declared otherwise is an error that names the thing', async (t, bus, { exchange, queue, topology }) => {
    const spec = topology.queues.find(({ name }) => name === queue);
    const changed: Topology = { exchanges: [], queues: [{ ...spec!, deliveryLimit: 7 }], bindings: [] };
    await t.rejects(bus.declare(changed), isTopologyError(queue));
    const other: Topology = {
      exchanges: [{ name: exchange, type: 'topic', durable: false }],
      queues: [],
      bindings: [],
    };
    await t.rejects(bus.declare(other), isTopologyError(exchange));
    const unbound: Topology = {
      exchanges: [],
      queues: [],
      bindings: [{ queue, exchange: 'not_there', routingKey: '#' }],
    };
    await t.rejects(bus.declare(unbound), isTopologyError('not_there'));
    await t.rejects(
      bus.consume('not_there', { prefetch: 1 }, () => undefined),
      isTopologyError('not_there'),
    );
    await bus.publish(message(exchange, 'a.b', 'the bus goes on'));
    t.same((await rest(bus, queue)).map(text), ['the bus goes on']);
  });

  busTest('an exclusive queue is its own bus alone, and goes with it', async (t, bus, { exchange }) => {
    const queue = uniqueName('mine');
    const own: Topology = {
      exchanges: [],
      queues: [{ name: queue, type: 'classic', durable: false, exclusive: true }],
      bindings: [{ queue, exchange, routingKey: 'to.me' }],
    };
    const owner = await open();
    t.teardown(() => owner.close());
    await owner.declare({ ...own, exchanges: [{ name: exchange, type: 'topic', durable: true }] });
    const { got } = await collect(owner, queue, 1, (delivery) => delivery.ack());
    await bus.publish(message(exchange, 'to.me', 'private'));
    await eventually(() => got.length === 1);
    await t.rejects(
      bus.consume(queue, { prefetch: 1 }, () => undefined),
      BusTopologyError,
    );
    await owner.close();
    await t.rejects(bus.publish(message(exchange, 'to.me', 'nobody is here')), BusRefused);
  });

  busTest('a queue that deletes itself goes with its last consumer', async (t, bus, { exchange }) => {
    const queue = uniqueName('brief');
    await bus.declare({
      exchanges: [],
      queues: [{ name: queue, type: 'classic', durable: false, autoDelete: true }],
      bindings: [{ queue, exchange, routingKey: 'brief' }],
    });
    const { consumer } = await collect(bus, queue);
    await bus.publish(message(exchange, 'brief', 'x'));
    await consumer.cancel();
    await t.rejects(bus.publish(message(exchange, 'brief', 'x')), BusRefused);
  });

  busTest('bytes and headers arrive as they were', async (t, bus, { exchange, queue }) => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const headers = { text: 'Grüße \u{1f4c8}', count: 42, negative: -7, large: 2 ** 40, fraction: 0.1, empty: '' };
    await bus.publish({ ...message(exchange, 'a.b', ''), body: bytes, headers, contentType: 'application/json' });
    const view = new Uint8Array(new ArrayBuffer(300), 7, 256);
    view.set(bytes);
    await bus.publish({ ...message(exchange, 'a.b', ''), body: view });
    await bus.publish({ ...message(exchange, 'a.b', ''), body: new Uint8Array(0) });
    const [first, second, third] = await rest(bus, queue);
    t.same(Buffer.from(first?.body ?? []), Buffer.from(bytes));
    t.match(first?.headers, headers);
    t.same(Buffer.from(second?.body ?? []), Buffer.from(bytes), 'a view into a larger buffer');
    t.equal(third?.body.length, 0);
  });

  busTest('the sender may reuse its buffer once publish was called', async (t, bus, { exchange, queue }) => {
    const body = Buffer.from('before');
    const published = bus.publish({ ...message(exchange, 'a.b', ''), body });
    body.write('after!');
    await published;
    t.same((await rest(bus, queue)).map(text), ['before']);
  });

  busTest(
    'large bodies arrive whole, larger ones are refused before they are sent',
    async (t, bus, { exchange, queue }) => {
      const body = new Uint8Array(maxMessage).fill(120);
      body[maxMessage - 1] = 33;
      await bus.publish({ ...message(exchange, 'a.b', ''), body });
      const larger = { ...message(exchange, 'a.b', ''), body: new Uint8Array(maxMessage + 1) };
      await t.rejects(bus.publish(larger), MessageTooLarge);
      const { got } = await collect(bus, queue, 1, (delivery) => delivery.ack());
      await eventually(() => got.length === 1);
      const [arrived] = got;
      t.equal(Buffer.compare(arrived?.body ?? Buffer.alloc(0), body), 0);
    },
  );

  busTest(
    'a closed bus refuses everything, and closes as often as asked',
    async (t, bus, { exchange, queue, topology }) => {
      t.match(bus.status(), { state: 'connected', detail: null, unconfirmed: 0 });
      const published = bus.publish(message(exchange, 'a.b', 'just in time'));
      await Promise.all([published, bus.close(), bus.close()]);
      t.equal(bus.status().state, 'closed');
      await t.rejects(bus.publish(message(exchange, 'a.b', 'x')), BusUnavailable);
      await t.rejects(bus.declare(topology), BusUnavailable);
      await t.rejects(
        bus.consume(queue, { prefetch: 1 }, () => undefined),
        BusUnavailable,
      );
      const other = await open();
      t.teardown(() => other.close());
      t.same((await rest(other, queue)).map(text), ['just in time']);
    },
  );
}

function classic(name: string): QueueSpec {
  return { name, type: 'classic', durable: true };
}

function isTopologyError(name: string) {
  return { name: 'BusTopologyError', code: 'MTR_BUS_TOPOLOGY', message: new RegExp(name) };
}
