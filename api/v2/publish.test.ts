import t from 'tap';
import { createMemoryBroker, createMemoryBus } from '@nephometer/bus-memory';
import {
  BusUnavailable,
  defaultConfig,
  ManualClock,
  MessageTooLarge,
  parseVolume,
  readMeteringEnvelope,
  sharedKey,
  signSample,
} from '@nephometer/core';
import type { BatchHeader, Bus, OutgoingMessage } from '@nephometer/core';
import { PostPublisher } from './publish.ts';

const SECRET = Buffer.from('a secret of the tests');
const key = sharedKey(SECRET);
let made = 0;

function text(): string {
  const counter = {
    meter: 'cpu',
    type: 'gauge' as const,
    unit: 'ns',
    volume: parseVolume('1'),
    resourceId: 'r',
    projectId: null,
    userId: null,
    timestamp: 1_767_225_600_000_000,
    metadata: new Map(),
    monotonicTime: null,
  };
  return signSample(counter, { messageId: `id-${(made += 1)}`, source: 's' }, SECRET).text;
}

/** A publisher on a bus that fails as it is told; `published` is what a queue holds. */
function setUp() {
  const bus = createMemoryBus({ broker: createMemoryBroker() });
  const published: BatchHeader[] = [];
  const failing: Error[] = [];
  const calls: number[] = [];
  const flaky: Bus = {
    declare: (topology) => bus.declare(topology),
    consume: (queue, options, handler) => bus.consume(queue, options, handler),
    status: () => bus.status(),
    close: () => bus.close(),
    async publish(message: OutgoingMessage) {
      calls.push(calls.length);
      const cause = failing.shift();
      if (cause !== undefined) throw cause;
      await bus.publish(message);
      const envelope = readMeteringEnvelope(message.body);
      if (envelope.kind === 'batch') published.push(envelope.header);
    },
  };
  return { publisher: new PostPublisher(flaky, defaultConfig(), new ManualClock()), published, failing, calls };
}

/** Numbers below the newest of their epoch that no queue holds: what a ledger would call missing. */
function missing(headers: readonly BatchHeader[]): number {
  const epochs = new Map<string, BatchHeader[]>();
  for (const header of headers) epochs.set(header.epoch, [...(epochs.get(header.epoch) ?? []), header]);
  return [...epochs.values()].reduce((sum, of) => sum + Math.max(...of.map(({ seq }) => seq)) - of.length, 0);
}

void t.test('posts are numbered and chained, whoever comes at once', async (t) => {
  const { publisher, published } = setUp();
  await Promise.all(Array.from({ length: 5 }, () => publisher.publish([text()], key)));
  t.same(
    published.map(({ seq }) => seq),
    [1, 2, 3, 4, 5],
  );
  t.equal(new Set(published.map(({ epoch }) => epoch)).size, 1);
});

void t.test('a post that failed leaves no number behind that the ledger would wait for', async (t) => {
  const { publisher, published, failing } = setUp();
  for (const cause of [null, new BusUnavailable('unknown'), null, new MessageTooLarge('too large'), null, null]) {
    if (cause !== null) failing.push(cause);
    const post = publisher.publish([text()], key);
    await (cause === null ? post : t.rejects(post, cause));
  }
  t.equal(published.length, 4);
  t.equal(missing(published), 0);
  t.equal(new Set(published.map(({ epoch }) => epoch)).size, 3, 'each failure ends an epoch');
});

void t.test('who waited while the bus failed fails with it; who comes later tries again', async (t) => {
  const { publisher, published, failing, calls } = setUp();
  failing.push(new BusUnavailable('away'));
  const posts = await Promise.allSettled(Array.from({ length: 8 }, () => publisher.publish([text()], key)));
  t.ok(posts.every(({ status }) => status === 'rejected'));
  t.equal(calls.length, 1, 'the bus was asked once');
  await publisher.publish([text()], key);
  t.equal(published.length, 1);
  t.equal(missing(published), 0);
});
