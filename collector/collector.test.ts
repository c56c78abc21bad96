import { createMemoryBus } from '@nephometer/bus-memory';
import {
  DAY,
  encodeBatch,
  headerDigest,
  sampleTopology,
  StoreRefused,
  StoreUnavailable,
  systemClock,
  verifyReceipt,
} from '@nephometer/core';
import type { Store } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { batchOf, collect, counter, messageOf, SECRET, surroundings, until } from './fixture.ts';
import { goodBatch, names, now, publish, receiptsOf, running } from './fixture-running.ts';
import { createCollector } from './index.ts';

t.test('a batch goes from the bus to the ledger, and its agent gets a receipt', async (t) => {
  const bus = createMemoryBus();
  const store = createMemoryStore();
  const around = surroundings();
  const now = Date.now() * 1000;
  const batch = batchOf([counter('memory', 512, 'vm-1', now), counter('vcpus', 2, 'vm-1', now)], {
    created: now,
    slot: now,
  });
  await bus.declare(sampleTopology(names, 20));
  const receipts = await receiptsOf(bus, 'agent-1');
  const collector = createCollector({ ...around, clock: systemClock, bus, store });
  await collector.start();
  await publish(bus, batch.body);
  await until('a receipt came', () => receipts.length === 1);
  const samples = await collect(store.samples({}));
  t.same(new Set(samples.map(({ messageId }) => messageId)), new Set(batch.ids));
  const [receipt] = receipts;
  t.same(receipt?.recorded, [headerDigest(batch.header)]);
  t.ok(receipt && verifyReceipt(receipt, SECRET));

  await publish(bus, batch.body);
  await until('the same batch gave a receipt again', () => receipts.length === 2);
  t.equal((await collect(store.samples({}))).length, 2, 'nothing is stored twice');
  t.match(around.metrics.expose(), /batches_total\{outcome="duplicate"\} 1/);
  await collector.stop();
  await bus.close();
});

t.test('what is fresh is recorded while a backlog waits, and the backlog in its order', async (t) => {
  const inner = createMemoryStore();
  const recorded: string[] = [];
  const record: Store['record'] = async (batches) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    recorded.push(...batches.map(({ digest }) => digest));
    return inner.record(batches);
  };
  const { bus, waiting } = await running(t, { collector: { batch: 2, prefetch: 4 } }, { record });
  const backlog = Array.from({ length: 200 }, (_, n) => goodBatch(n + 1));
  for (const { body, header } of backlog) await publish(bus, body, headerDigest(header), names.backlogKey);
  const newest = goodBatch(500);
  await publish(bus, newest.body);
  await until('the fresh one is recorded', () => recorded.includes(headerDigest(newest.header)));
  t.ok(waiting(names.backlog) > 150, `${waiting(names.backlog)} wait behind it`);
  await until('the backlog is recorded', () => recorded.length === backlog.length + 1);
  t.same(
    recorded.filter((digest) => digest !== headerDigest(newest.header)),
    backlog.map(({ header }) => headerDigest(header)),
  );
});

t.test('while the store is away nothing is acknowledged and nothing is held; afterwards all is recorded', async (t) => {
  let isAway = true;
  const away =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
    (...args: Args) =>
      isAway ? Promise.reject(new StoreUnavailable('away')) : call(...args);
  const inner = createMemoryStore();
  const { bus, collector, receipts, counted, status } = await running(
    t,
    {},
    { record: away((batches) => inner.record(batches)), check: away(() => inner.check()) },
  );
  const batches = [1, 2, 3].map((seq) => goodBatch(seq));
  for (const { body } of batches) await publish(bus, body);
  await until('it noticed', async () => !(await status.readiness()).ready);
  await publish(bus, goodBatch(4).body);
  t.equal(receipts.length, 0);
  isAway = false;
  await until('all four are recorded', async () => (await collect(inner.samples({}))).length === 4);
  await until('all four have a receipt', () => receipts.flatMap(({ recorded }) => recorded).length === 4);
  t.ok((await status.readiness()).ready);
  t.ok(counted('store_away_total 1'));
  await collector.stop();
});

t.test('a batch that the store refuses is quarantined alone; the others are recorded', async (t) => {
  const inner = createMemoryStore();
  const poison = goodBatch(13);
  let attempts = 0;
  const record: Store['record'] = (batches) => {
    if (!batches.some(({ digest }) => digest === headerDigest(poison.header))) return inner.record(batches);
    if (batches.length === 1) attempts += 1;
    return Promise.reject(batches.length === 1 ? new StoreRefused('thirteen') : new TypeError('something in it'));
  };
  const { bus, receipts, refused } = await running(t, { collector: { max_attempts: 3, linger: '20ms' } }, { record });
  for (const seq of [1, 2, 3, 4, 5]) await publish(bus, goodBatch(seq).body);
  await publish(bus, poison.body);
  for (const seq of [6, 7, 8]) await publish(bus, goodBatch(seq).body);
  await until('the good ones are stored', async () => (await collect(inner.samples({}))).length === 8);
  await until('the poison is in quarantine', async () => (await refused()).length === 1);
  t.equal(attempts, 3);
  const [kept] = await refused();
  t.match(kept, {
    reason: 'poison',
    detail: /refused it 3 times, at last with: thirteen/,
    agent_id: 'agent-1',
    samples: 1,
  });
  t.ok(poison.body.equals(Buffer.from(kept.bytes, 'base64')), 'the original bytes are kept');
  await until('the agent is told', () => receipts.some(({ refused }) => refused.length === 1));
  t.same(
    receipts.flatMap(({ refused }) => refused),
    [{ digest: headerDigest(poison.header), reason: 'poison' }],
  );
});

t.test('what cannot be put into quarantine is not acknowledged', async (t) => {
  const inner = createMemoryStore();
  let isAway = true;
  const appendEntry: Store['appendEntry'] = (entry) =>
    isAway ? Promise.reject(new StoreUnavailable('away')) : inner.appendEntry(entry);
  const { bus, status } = await running(t, {}, { appendEntry, entries: (query) => inner.entries(query) });
  await publish(bus, Buffer.from('no message'));
  await until('it noticed', async () => !(await status.readiness()).ready);
  t.equal((await inner.entries({ kind: 'quarantine' })).length, 0);
  isAway = false;
  await until('it is in quarantine', async () => (await inner.entries({ kind: 'quarantine' })).length === 1);
});

t.test('a refused message that is delivered again is kept once, logged once, and counted each time', async (t) => {
  const { bus, refused, counted, lines } = await running(t);
  const forged = goodBatch(1, { secret: Buffer.from('another') });
  for (let i = 0; i < 3; i++) await publish(bus, forged.body);
  await until('all are counted', () => counted('quarantined_total{reason="signature",agent="agent-1"} 3'));
  t.equal((await refused()).length, 1);
  t.match((await refused())[0], {
    reason: 'signature',
    transport: 'bus',
    sender: 'nephometer/metering.sample',
    state: 'refused',
  });
  t.equal(lines.filter((line) => line.includes('is in quarantine')).length, 1);
});

t.test('an agent is told of a refusal only when its key proves that the batch is its own', async (t) => {
  const { bus, receipts, refused } = await running(t);
  const good = goodBatch(1);
  const tampered = Buffer.from(encodeBatch(good.header, [good.texts[0]?.replace('vm-1', 'vm-2') ?? '']));
  await publish(bus, tampered);
  const late = goodBatch(2, { slot: now() - 100 * DAY });
  await publish(bus, late.body);
  await until('both are refused', async () => (await refused()).length === 2);
  await until('one is told', () => receipts.length === 1);
  t.same(
    receipts.flatMap(({ refused }) => refused),
    [{ digest: headerDigest(late.header), reason: 'past' }],
  );
  await publish(bus, good.body);
  await until('the good one is recorded', () => receipts.length === 2);
  t.same(receipts[1]?.recorded, [headerDigest(good.header)], 'though one of its digest was refused');
});

t.test('three deliveries of each batch at once leave one row each', async (t) => {
  const { bus, samples, inner, receipts } = await running(t);
  const batches = [1, 2, 3, 4].map((seq) => goodBatch(seq));
  for (let i = 0; i < 3; i++) for (const { body } of batches) await publish(bus, body);
  await until('all have their receipts', () => receipts.flatMap(({ recorded }) => recorded).length >= 4);
  await until('all are done', async () => (await collect(inner.ledger({}))).length === 4);
  t.equal((await samples()).length, 4);
});

t.test('a message without its header is refused on our exchange, and taken from that of a Ceilometer', async (t) => {
  const { bus, samples, refused, receipts, counted } = await running(t, { ceilometer: { enabled: true } });
  const own = goodBatch(1);
  const stripped = { ...JSON.parse(own.body.toString()) };
  delete stripped['nephometer.batch'];
  await publish(bus, Buffer.from(JSON.stringify(stripped)));
  await until('it is refused', async () => (await refused()).length === 1);
  t.match((await refused())[0], { reason: 'headerless', agent_id: 'agent-1', samples: 1 });

  const texts = ['a', 'b'].map((id) => messageOf(counter('memory', 1, id, now()), id));
  const inner = `{"message_id":"n","publisher_id":"telemetry.publisher.host","event_type":"metering","priority":"SAMPLE","payload":[${texts.join(',')},${texts[0]}]}`;
  const body = Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': inner }));
  await bus.publish({ exchange: 'ceilometer', routingKey: 'metering.sample', body, messageId: 'c' });
  await until('both samples are stored', async () => (await samples()).length === 2);
  await bus.publish({
    exchange: 'ceilometer',
    routingKey: 'metering.sample',
    body: Buffer.from(JSON.stringify(stripped)),
    messageId: 's',
  });
  await until('the stripped one is refused here too', () =>
    counted('quarantined_total{reason="headerless",agent="agent-1"} 2'),
  );
  t.equal((await samples()).length, 2);
  t.equal(receipts.length, 0);
});

t.test('an oversized message is refused, and its beginning kept with its size', async (t) => {
  const { bus, refused } = await running(t, {
    bus: { max_message: '1KiB' },
    collector: { quarantine_max: '100B', linger: '5ms' },
  });
  await publish(bus, Buffer.alloc(5000, 'x'));
  await until('it is refused', async () => (await refused()).length === 1);
  const [kept] = await refused();
  t.match(kept, { reason: 'oversized', size: 5000 });
  t.equal(Buffer.from(kept.bytes, 'base64').length, 100);
});

t.test('what the broker gave up on is tried once more, or kept as poison', async (t) => {
  const { bus, samples, refused, waiting } = await running(t);
  await bus.publish({ exchange: names.dead, routingKey: 'x', body: goodBatch(1).body, messageId: 'd' });
  await until('it is recorded', async () => (await samples()).length === 1);
  const headers = {
    'x-first-death-queue': names.notifications('notifications', 'info'),
    'x-first-death-exchange': 'nova',
  };
  await bus.publish({
    exchange: names.dead,
    routingKey: 'notifications.info',
    body: Buffer.from('{}'),
    messageId: 'e',
    headers,
  });
  await until('it is kept', async () => (await refused()).length === 1);
  const origin = { transport: 'notification', sender: 'nova/notifications.info' };
  t.match((await refused())[0], { reason: 'poison', ...origin }, 'with where a replay has to go');
  t.equal(waiting(names.dead), 0);
});

t.test('a dead letter that no store was there for is no poison', async (t) => {
  const inner = createMemoryStore();
  let attempts = 0;
  let isAway = true;
  const record: Store['record'] = (batches) => {
    attempts += 1;
    return isAway ? Promise.reject(new StoreUnavailable('it answers, but writes nothing')) : inner.record(batches);
  };
  const config = { collector: { max_attempts: 1, linger: '5ms' } };
  const { bus, refused } = await running(t, config, { record });
  const headers = { 'x-first-death-queue': names.backlog, 'x-first-death-exchange': names.exchange };
  await bus.publish({ exchange: names.dead, routingKey: 'x', body: goodBatch(1).body, messageId: 'd', headers });
  await until('it was tried more often than a poison is', () => attempts >= 3);
  isAway = false;
  await until('it is recorded', async () => (await collect(inner.samples({}))).length === 1);
  t.same(await refused(), []);
});

t.test('a dead letter that alone fails is poison, whatever the store calls it', async (t) => {
  const inner = createMemoryStore();
  const poison = goodBatch(13);
  let attempts = 0;
  const record: Store['record'] = (batches) => {
    if (!batches.some(({ digest }) => digest === headerDigest(poison.header))) return inner.record(batches);
    attempts += 1;
    return Promise.reject(new StoreUnavailable('as if it were away'));
  };
  const config = { collector: { max_attempts: 1, linger: '5ms' } };
  const { bus, refused, waiting } = await running(t, config, { record });
  await bus.publish({ exchange: names.dead, routingKey: 'x', body: poison.body, messageId: 'd' });
  await until('it failed', () => attempts === 1);
  await publish(bus, goodBatch(1).body);
  await until('it is in quarantine', async () => (await refused()).length === 1);
  t.match((await refused())[0], { reason: 'poison', transport: 'bus' });
  t.equal((await collect(inner.samples({}))).length, 1);
  t.equal(attempts, 2);
  await publish(bus, poison.body, 'again');
  await publish(bus, goodBatch(2).body, 'good');
  await until('the good one is recorded', async () => (await collect(inner.samples({}))).length === 2);
  t.equal(attempts, 3, 'sent again it is tried once, and known when it comes back');
  t.equal((await refused()).length, 1);
  t.equal(waiting(), 0);
});

t.test('headers of a dead letter mean nothing on a message that is none', async (t) => {
  const { bus, samples, refused } = await running(t, { ceilometer: { enabled: true } });
  const headers = { 'x-first-death-queue': names.ceilometer, 'x-first-death-exchange': 'ceilometer' };
  const body = Buffer.from(messageOf(counter('memory', 1, 'vm', now()), 'a'));
  await bus.publish({ exchange: names.exchange, routingKey: names.sampleKey, body, messageId: 'a', headers });
  await until('it is refused', async () => (await refused()).length === 1);
  t.match((await refused())[0], { reason: 'headerless', sender: 'nephometer/metering.sample' });
  t.same(await samples(), []);
  await bus.publish({ exchange: names.dead, routingKey: names.sampleKey, body, messageId: 'a', headers });
  await until('the dead letter of a Ceilometer is taken', async () => (await samples()).length === 1);
});

t.test('what is refused says of which time it is, as far as it can be read', async (t) => {
  const { collector, bus, refused } = await running(t);
  const at = now() - 40 * DAY;
  const single = messageOf(counter('memory', 1, 'vm', at), 'a', Buffer.from('another key'));
  await collector.ingest(Buffer.from(single), 'me');
  t.match(await refused(), [{ reason: 'signature', from: at, to: at }]);
  const [early, late] = [counter('memory', 1, 'vm', at), counter('memory', 2, 'vm', at + DAY)];
  const batch = batchOf([early, late], { slot: null, created: at, secret: Buffer.from('another key') });
  await publish(bus, batch.body);
  await until('it is refused', async () => (await refused()).length === 2);
  t.match((await refused())[0], { samples: 2, from: at, to: at + DAY });
  await publish(bus, Buffer.from(`{"payload": [${single.replace(/"timestamp"/, '"when"')}]}`));
  await until('it is refused', async () => (await refused()).length === 3);
  t.match((await refused())[0], { reason: 'headerless', samples: 1, from: null, to: null });
});

t.test('other content under a stored message_id is a conflict, and an error in the log', async (t) => {
  const { collector, lines } = await running(t);
  const [first, second] = [1, 2].map((volume) => messageOf(counter('memory', volume, 'vm', now()), 'the id'));
  t.match(await collector.ingest(Buffer.from(first ?? ''), 'me'), [{ outcome: 'accepted' }]);
  t.match(await collector.ingest(Buffer.from(second ?? ''), 'me'), [{ outcome: 'refused', reason: 'conflict' }]);
  t.equal(lines.filter((line) => line.includes('"level":"error"') && line.includes('the id')).length, 1);
});

t.test('a posted batch of ours is answered sample by sample, and refused as one', async (t) => {
  const { collector, refused } = await running(t);
  const at = now();
  const batch = batchOf([counter('a', 1, 'vm', at), counter('b', 2, 'vm', at)], { created: at, slot: at });
  t.match(
    await collector.ingest(batch.body, 'me'),
    batch.ids.map((id) => ({ message_id: id, outcome: 'accepted' })),
  );
  t.match(
    await collector.ingest(batch.body, 'me'),
    batch.ids.map((id) => ({ message_id: id, outcome: 'duplicate' })),
  );
  const forged = batchOf([counter('a', 1), counter('b', 2)], { secret: Buffer.from('x'), created: at });
  t.match(
    await collector.ingest(forged.body, 'me'),
    forged.ids.map((id) => ({ message_id: id, outcome: 'refused', reason: 'signature' })),
  );
  t.equal((await refused()).length, 1);
});

t.test('whatever is posted gets an answer, and never ends the process', async (t) => {
  const { collector } = await running(t);
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  const unreadable = [
    '',
    ' ',
    'null',
    '7',
    '"a"',
    '{',
    '{}',
    '[1',
    '{"payload": 7}',
    '{"oslo.version":"2.0","oslo.message":7}',
    '{"nephometer.batch": {}}',
    '\u0000',
    `{"payload": ${deep}`,
    '{"__proto__": []}',
  ];
  for (const body of unreadable) {
    await t.rejects(
      collector.ingest(Buffer.from(body), 'me'),
      { code: 'MTR_REFUSED', reason: 'malformed' },
      body.slice(0, 40),
    );
  }
  await t.rejects(collector.ingest(Buffer.from([0xff, 0xfe]), 'me'), { code: 'MTR_REFUSED', reason: 'malformed' });
  for (const body of [
    '[null, 1, "a", [], {}, NaN]',
    `[${deep}]`,
    '[{"counter_name": {"a": []}}]',
    '[{"message_id": 7}]',
  ]) {
    const results = await collector.ingest(Buffer.from(body), 'me');
    t.ok(
      results.length > 0 && results.every(({ outcome, reason }) => outcome === 'refused' && reason !== undefined),
      body.slice(0, 40),
    );
  }
  t.same(await collector.ingest(Buffer.from('[]'), 'me'), []);
});

t.test('a collector that is stopped twice, or before it runs, is at rest', async (t) => {
  const { restart } = await running(t);
  const collector = restart();
  await collector.stop();
  await collector.stop();
  await collector.start();
});
