import { createMemoryBus } from '@nephometer/bus-memory';
import { busNames, headerDigest, Receipt, sampleTopology, systemClock, verifyReceipt } from '@nephometer/core';
import type { Bus } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import t from 'tap';
import { batchOf, collect, counter, SECRET, surroundings, until } from './fixture.ts';
import { createCollector } from './index.ts';

const names = busNames('nephometer');

function publish(bus: Bus, body: Uint8Array, messageId = 'one'): Promise<void> {
  return bus.publish({ exchange: names.exchange, routingKey: names.sampleKey, body, messageId });
}

async function receiptsOf(bus: Bus, agent: string): Promise<Receipt[]> {
  const received: Receipt[] = [];
  const queue = `receipts.${agent}`;
  await bus.declare({
    exchanges: [],
    queues: [{ name: queue, type: 'classic', durable: false, exclusive: true }],
    bindings: [{ queue, exchange: names.receipts, routingKey: agent }],
  });
  await bus.consume(queue, { prefetch: 10 }, (delivery) => {
    received.push(Receipt.parse(JSON.parse(Buffer.from(delivery.body).toString())));
    delivery.ack();
  });
  return received;
}

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
