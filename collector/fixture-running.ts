import { createMemoryBroker, createMemoryBus } from '@nephometer/bus-memory';
import { busNames, createLogger, Receipt, systemClock } from '@nephometer/core';
import type { Bus, ConfigInput, Micros, Store } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import { createCollector } from './collector.ts';
import { batchOf, collect, counter, surroundings } from './fixture.ts';
import type { BatchOf } from './fixture.ts';

export const names = busNames('nephometer');

export function publish(bus: Bus, body: Uint8Array, messageId = 'one', routingKey = names.sampleKey): Promise<void> {
  return bus.publish({ exchange: names.exchange, routingKey, body, messageId });
}

export async function receiptsOf(bus: Bus, agent: string): Promise<Receipt[]> {
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

/** A collector that takes from a bus, with a store that can be broken. */
export async function running(
  t: { teardown(fn: () => Promise<void>): void },
  config: ConfigInput = {},
  broken: Partial<Store> = {},
) {
  const broker = createMemoryBroker();
  const bus = createMemoryBus({ broker });
  const inner = createMemoryStore();
  const store: Store = { ...inner, ...broken };
  const lines: string[] = [];
  const log = createLogger({ level: 'info', format: 'json', write: (line) => void lines.push(line) });
  const around = surroundings({ collector: { linger: '5ms' }, ...config });
  const collector = createCollector({ ...around, log, clock: systemClock, bus, store });
  const restart = () => createCollector({ ...around, log, clock: systemClock, bus, store });
  await collector.start();
  const receipts = await receiptsOf(bus, 'agent-1');
  t.teardown(async () => {
    await collector.stop();
    await bus.close();
  });
  const samples = () => collect(inner.samples({ limit: 100_000 }));
  const refused = async () =>
    (await inner.entries({ kind: 'quarantine', limit: 1000 })).map(({ body }) => JSON.parse(body));
  const waiting = (queue = names.samples): number => broker.queue(queue)?.depth ?? 0;
  const counted = (text: string) => around.metrics.expose().includes(text);
  return { bus, store, inner, collector, restart, receipts, samples, refused, waiting, counted, lines, ...around };
}

export const now = (): Micros => Date.now() * 1000;

export function goodBatch(seq: number, of: BatchOf = {}) {
  const at = now();
  return batchOf([counter('memory', seq, `vm-${seq}`, at)], { seq, created: at, slot: at, ...of });
}
