import { createMemoryBroker, createMemoryBus } from '@nephometer/bus-memory';
import {
  busNames,
  BusUnavailable,
  defineListener,
  sampleTopology,
  SECOND,
  silentLogger,
  systemClock,
} from '@nephometer/core';
import type { Bus, Delivery, Listener, LoadedPlugins, NotificationSample, OutgoingMessage } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { collect, surroundings, until } from './fixture.ts';
import { createCollector, createNotificationListener } from './index.ts';

const names = busNames('nephometer');
const sizes = { meter: 'volume.size', type: 'gauge', unit: 'GiB', resourceId: 'volume-1' } as const;

function loaded(...listeners: Listener[]): LoadedPlugins {
  const active = listeners.map((plugin) => ({
    entry: {
      namespace: 'nephometer.collector' as const,
      name: plugin.name,
      packageName: '',
      version: '',
      folder: '',
      module: '',
    },
    plugin,
    context: { options: {}, host: 'here', config: {}, log: silentLogger },
  }));
  return { pollsters: [], discoveries: [], listeners: active, idle: [] };
}

function listening(
  name: string,
  hear: (volume: unknown) => readonly NotificationSample[] | Promise<readonly NotificationSample[]>,
) {
  return defineListener<unknown>({
    name,
    contract: 1,
    eventTypes: ['volume.*'],
    onNotification: ({ payload }) => hear(payload['size']),
  });
}

const sizer = listening('sizer', (size) => [{ ...sizes, volume: Number(size) }]);

function notification(id: string, size: unknown, type = 'volume.create.end', version = 2): Buffer {
  const inner = {
    message_id: id,
    publisher_id: 'volume.host-1',
    event_type: type,
    priority: 'INFO',
    payload: { size },
    timestamp: '2016-04-13 09:51:24.512345',
    _context_project_id: 'project-1',
  };
  const envelope = { 'oslo.version': '2.0', 'oslo.message': JSON.stringify(inner) };
  return Buffer.from(JSON.stringify(version === 2 ? envelope : inner));
}

function notify(bus: Bus, body: Uint8Array): Promise<void> {
  return bus.publish({ exchange: 'cinder', routingKey: 'notifications.info', body, messageId: 'n' });
}

async function running(
  t: { teardown(fn: () => Promise<void>): void },
  plugins: LoadedPlugins,
  around = surroundings(),
  timeout = SECOND / 20,
) {
  const broker = createMemoryBroker();
  const bus = createMemoryBus({ broker });
  const store = createMemoryStore();
  const common = { ...around, clock: systemClock, store };
  const collector = createCollector({ ...common, bus });
  const listener = createNotificationListener({ ...common, bus, plugins, timeout });
  await collector.start();
  await listener.start();
  t.teardown(async () => {
    await listener.stop();
    await collector.stop();
    await bus.close();
  });
  const samples = () => collect(store.samples({}));
  const refused = async () => (await store.entries({ kind: 'quarantine' })).map(({ body }) => JSON.parse(body));
  return { bus, broker, store, samples, refused, around };
}

t.test('a notification becomes stored samples, and a metering message that others can read', async (t) => {
  const { bus, samples } = await running(t, loaded(sizer));
  const seen: Delivery[] = [];
  await bus.declare({
    exchanges: [],
    queues: [{ name: 'other', type: 'classic', durable: false }],
    bindings: [{ queue: 'other', exchange: names.exchange, routingKey: '#' }],
  });
  await bus.consume('other', { prefetch: 10 }, (delivery) => void seen.push(delivery));
  await notify(bus, notification('n-1', 12.5));
  await notify(bus, notification('n-2', 3, 'volume.resize.end', 1));
  await until('both are stored', async () => (await samples()).length === 2);
  t.same((await samples()).map(({ volume }) => volume.literal).sort(), ['12.5', '3']);
  t.match((await samples())[0], {
    source: 'openstack',
    slot: null,
    timestamp: Date.UTC(2016, 3, 13, 9, 51, 24, 512) * 1000 + 345,
  });
  t.match((await samples())[0]?.agentId, /^collector\./);
  const [message] = seen;
  const inner = JSON.parse(JSON.parse(Buffer.from(message?.body ?? '').toString())['oslo.message']);
  t.match(inner, { event_type: 'metering', payload: [{ counter_name: 'volume.size' }] });
});

t.test('the same notification again makes no second sample', async (t) => {
  const { bus, samples, around } = await running(t, loaded(sizer));
  await notify(bus, notification('n-1', 12));
  await until('it is stored', async () => (await samples()).length === 1);
  await notify(bus, notification('n-1', 12));
  await until('the second is recorded', () => /samples_total\{outcome="duplicate"\} 1/.test(around.metrics.expose()));
  t.equal((await samples()).length, 1);
});

t.test('a crash between publishing and acknowledging makes no second sample', async (t) => {
  const { bus, broker, samples, store, around } = await running(t, loaded());
  const dying = createMemoryBus({ broker });
  const first = createNotificationListener({
    ...around,
    clock: systemClock,
    store,
    bus: withoutAck(dying),
    plugins: loaded(sizer),
  });
  await first.start();
  await notify(bus, notification('n-1', 7));
  await until('the sample is stored', async () => (await samples()).length === 1);
  await dying.close();
  const heir = createMemoryBus({ broker });
  const second = createNotificationListener({
    ...around,
    clock: systemClock,
    store,
    bus: heir,
    plugins: loaded(sizer),
  });
  await second.start();
  await until('it was heard again', () => /samples_total\{outcome="duplicate"\} 1/.test(around.metrics.expose()));
  t.equal((await samples()).length, 1);
  await second.stop();
  await heir.close();
});

t.test('an unknown outcome is published again, with the same bytes', async (t) => {
  const { bus, broker, samples, store, around } = await running(t, loaded());
  const attempts: OutgoingMessage[] = [];
  const flaky = createMemoryBus({ broker });
  const publish = flaky.publish.bind(flaky);
  flaky.publish = async (message) => {
    attempts.push(message);
    await publish(message);
    if (attempts.length === 1) throw new BusUnavailable('the connection was lost');
  };
  const listener = createNotificationListener({
    ...around,
    clock: systemClock,
    store,
    bus: flaky,
    plugins: loaded(sizer),
  });
  await listener.start();
  await notify(bus, notification('n-1', 7));
  await until('it was published twice', () => attempts.length === 2);
  t.same(attempts[1], attempts[0]);
  await until('the sample is stored', async () => (await samples()).length === 1);
  await listener.stop();
  t.equal((await samples()).length, 1);
});

t.test(
  'a payload that is no object, of which nobody makes a sample, is refused; nothing is silently empty',
  async (t) => {
    const counting = listening('counting', () => []);
    const { bus, refused, samples } = await running(t, loaded(counting));
    const inner = JSON.parse(notification('n-1', 1, 'volume.create.end', 1).toString());
    const { payload: _dropped, ...bare } = inner;
    for (const body of [{ ...inner, payload: 'x' }, { ...inner, payload: 12 }, { ...inner, payload: null }, bare]) {
      await notify(bus, Buffer.from(JSON.stringify(body)));
    }
    await notify(bus, Buffer.from(JSON.stringify({ ...inner, payload: 'y', event_type: 'nobody.wants.it' })));
    await notify(bus, Buffer.from(JSON.stringify({ ...inner, payload: [] })));
    await until('four are in quarantine', async () => (await refused()).length === 4);
    const details = (await refused()).map(({ reason, detail }) => `${reason}: ${detail}`).sort();
    t.match(details, [/^field: .*found "x"; an object/, /found 12;/, /found none;/, /found null;/]);
    t.same(await samples(), []);
  },
);

t.test('what stops before the broker has confirmed leaves no gap', async (t) => {
  const { bus, broker, store, around } = await running(t, loaded());
  const flaky = createMemoryBus({ broker });
  const publish = flaky.publish.bind(flaky);
  let tried = 0;
  flaky.publish = async (message) => {
    // The second is never taken; all that come behind it would be.
    if ((tried += 1) >= 2 && tried <= 3) throw new BusUnavailable('the connection was lost');
    await publish(message);
  };
  const common = { ...around, clock: systemClock, store };
  const listener = createNotificationListener({ ...common, bus: flaky, plugins: loaded(sizer) });
  await listener.start();
  for (const id of ['n-1', 'n-2', 'n-3', 'n-4']) await notify(bus, notification(id, 7));
  await until('the second was tried', () => tried >= 2);
  await listener.stop();
  await until('the first is recorded', async () => (await collect(store.ledger({}))).length > 0);
  const seqs = (await collect(store.ledger({}))).map(({ seq }) => seq);
  t.same(seqs, [1], 'none overtook it');
  await flaky.close();
});

t.test('a listener that throws or hangs hurts itself alone', async (t) => {
  const around = surroundings({ collector: { max_attempts: 2 } });
  let calls = 0;
  const thrower = listening('thrower', (size) => {
    if (size !== 13) return [];
    calls += 1;
    throw new Error('no thirteen');
  });
  const hanger = listening('hanger', (size) => (size === 14 ? new Promise(() => undefined) : []));
  const { bus, samples, refused } = await running(t, loaded(sizer, thrower, hanger), around);
  for (const size of [12, 13, 14, 15]) await notify(bus, notification(`n-${size}`, size));
  await until('four samples are stored', async () => (await samples()).length === 4);
  await until('two are in quarantine', async () => (await refused()).length === 2);
  t.equal(calls, 2, 'tried as often as max_attempts says');
  const details = (await refused()).map(({ detail }) => String(detail)).sort((a, b) => (a < b ? -1 : 1));
  t.match(details, [/listener hanger failed on .* did not finish within 0\.05 s/, /listener thrower .*no thirteen/]);
  for (const one of await refused())
    t.match(one, { reason: 'poison', transport: 'notification', sender: 'cinder/notifications.info' });
});

t.test('a listener that hangs delays nobody: samples of others are there before it is given up', async (t) => {
  const hanger = listening('hanger', () => new Promise(() => undefined));
  const { bus, samples, refused } = await running(t, loaded(sizer, hanger), surroundings(), 4 * SECOND);
  await notify(bus, notification('n-1', 1));
  await until("the other's sample is stored", async () => (await samples()).length === 1);
  t.same(await refused(), [], 'while the listener still hangs');
  await until('the hanging one is refused', async () => (await refused()).length === 1);
  t.equal((await samples()).length, 1);
});

t.test('a listener that hangs again and again is left alone for a while', async (t) => {
  let calls = 0;
  const hanger = listening('hanger', (size) => {
    calls += 1;
    return Number(size) < 4 ? new Promise(() => undefined) : [];
  });
  const { bus, refused } = await running(t, loaded(hanger));
  for (const size of [1, 2, 3]) {
    await notify(bus, notification(`n-${size}`, size));
    await until(`${size} are refused`, async () => (await refused()).length === size);
  }
  await notify(bus, notification('n-4', 4));
  await until('the fourth is refused at once', async () => (await refused()).length === 4);
  t.equal(calls, 3, 'it was not asked');
  t.match((await refused())[0], { reason: 'poison', detail: /left alone for a minute; it was not asked/ });
});

t.test('a sample that cannot be one is refused with the field; the others go on', async (t) => {
  const both = listening('both', (size) => [
    { ...sizes, volume: String(size) },
    { ...sizes, meter: 'volume', volume: 1 },
  ]);
  const { bus, samples, refused } = await running(t, loaded(both));
  await notify(bus, notification('n-1', 'much'));
  await until('one is stored', async () => (await samples()).length === 1);
  await until('one is refused', async () => (await refused()).length === 1);
  t.match((await refused())[0], { reason: 'volume', detail: /listener both: volume\.size: Found the number "much"/ });
});

t.test('what nobody wants, and what is no notification, does not stay in the queue', async (t) => {
  const { bus, refused, around } = await running(t, loaded(sizer));
  await notify(bus, notification('n-1', 1, 'image.create'));
  await notify(bus, Buffer.from('no notification'));
  await until('one is refused', async () => (await refused()).length === 1);
  t.match((await refused())[0], { reason: 'malformed', transport: 'notification' });
  t.match(around.metrics.expose(), /notifications_total\{outcome="ignored"\} 1/);
});

t.test('a plugin may name exchanges and topics of its own, and match by regular expressions', async (t) => {
  const custom = {
    ...sizer,
    exchanges: ['billing'],
    topics: ['custom'],
    eventTypes: () => [/volume\.(?!delete)/g],
  };
  const { bus, samples } = await running(t, loaded(custom));
  const body = notification('n-1', 5);
  await bus.publish({ exchange: 'billing', routingKey: 'custom.sample', body, messageId: 'a' });
  await bus.publish({
    exchange: 'billing',
    routingKey: 'custom.info',
    body: notification('n-2', 5, 'volume.delete'),
    messageId: 'b',
  });
  await bus.publish({ exchange: 'cinder', routingKey: 'custom.info', body: notification('n-3', 6), messageId: 'c' });
  await until('two are stored', async () => (await samples()).length === 2);
  t.same((await samples()).map(({ volume }) => volume.literal).sort(), ['5', '6']);
});

t.test('exchanges that are declared otherwise stop the start with an error', async (t) => {
  const bus = createMemoryBus();
  await bus.declare(sampleTopology(names, 20));
  await bus.declare({ exchanges: [{ name: 'cinder', type: 'topic', durable: true }], queues: [], bindings: [] });
  const store = createMemoryStore();
  const listener = createNotificationListener({
    ...surroundings(),
    clock: systemClock,
    bus,
    store,
    plugins: loaded(sizer),
  });
  await t.rejects(listener.start(), { code: 'MTR_BUS_TOPOLOGY' });
  await listener.stop();
});

/** A bus whose consumer never gets round to acknowledging. */
function withoutAck(bus: Bus): Bus {
  const consume: Bus['consume'] = (queue, options, handler) =>
    bus.consume(queue, options, (delivery) => handler({ ...delivery, ack: () => undefined }));
  return new Proxy(bus, {
    get: (target, name: keyof Bus) => (name === 'consume' ? consume : target[name].bind(target)),
  });
}
