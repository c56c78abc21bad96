import t from 'tap';
import type { Test } from 'tap';
import {
  busNames,
  ConfigError,
  BusUnavailable,
  ManualClock,
  readMessage,
  readMeteringEnvelope,
  sampleTopology,
  SECOND,
  SHARED_KEY_ID,
  signReceipt,
  verifyHeader,
  verifyMessage,
} from '@nephometer/core';
import type { BatchEnvelope, Bus, ConfigInput, OutgoingMessage, Pollster, Spool } from '@nephometer/core';
import { createMemoryBus } from '@nephometer/bus-memory';
import { createAgent } from './agent.ts';
import type { Agent } from './agent.ts';
import { openMemorySpool } from './spool-memory.ts';
import { keyring, plugins, pollster, processStatus, recordingLogger, SECRET, testConfig } from './test-kit.ts';
import type { LogLine } from './test-kit.ts';

const names = busNames('nephometer');

interface Rig {
  readonly agent: Agent;
  readonly clock: ManualClock;
  readonly spool: Spool;
  readonly bus: Bus;
  readonly batches: BatchEnvelope[];
  readonly lines: LogLine[];
  readonly metrics: () => Record<string, unknown>;
  readonly ready: () => Promise<boolean>;
}

interface RigOptions {
  readonly config?: ConfigInput;
  readonly pollsters?: readonly Pollster[];
  readonly spoolBytes?: number;
  readonly bus?: (inner: Bus) => Bus;
}

/** An agent on an in-process bus with a queue beside the collectors' that sees every batch. */
async function rig(
  t: Test,
  { config: overrides = {}, pollsters = [pollster({})], ...options }: RigOptions = {},
): Promise<Rig> {
  const config = testConfig(overrides);
  const { log, lines } = recordingLogger();
  const { metrics, status } = processStatus();
  const clock = new ManualClock();
  const inner = createMemoryBus({ log });
  await inner.declare(sampleTopology(names, 20));
  const batches: BatchEnvelope[] = [];
  for (const queue of [names.samples, names.backlog]) {
    await inner.consume(queue, { prefetch: 100 }, (delivery) => {
      const envelope = readMeteringEnvelope(delivery.body);
      if (envelope.kind === 'batch') batches.push(envelope);
      delivery.ack();
    });
  }
  const spool = await openMemorySpool({ maxBytes: options.spoolBytes ?? 2 ** 20, whenFull: 'refuse-new' });
  const bus = options.bus?.(inner) ?? inner;
  const agent = createAgent({
    roles: ['compute-agent'],
    config,
    plugins: plugins(config, log, pollsters),
    bus,
    keyring,
    spool,
    agentId: 'agent-1',
    clock,
    log,
    metrics,
    status,
  });
  t.teardown(async () => {
    const stopped = agent.stop();
    await clock.advance(60 * SECOND);
    await stopped;
    await inner.close();
  });
  const ready = async (): Promise<boolean> => (await status.readiness()).ready;
  return { agent, clock, spool, bus: inner, batches, lines, metrics: () => metrics.toJSON(), ready };
}

/** Turns the clock in steps, so that work that takes several turns of the event loop is done within its second. */
async function pass(clock: ManualClock, span: number): Promise<void> {
  for (let rest = span; rest > 0; rest -= SECOND) {
    await clock.advance(Math.min(SECOND, rest));
    await settle(clock);
  }
}

/** The memory bus delivers in turns of the event loop of its own. */
async function settle(clock: ManualClock): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await clock.advance(0);
}

t.test('a polled reading arrives as a signed message in a signed batch with its cycle report', async (t) => {
  const { agent, clock, batches, spool } = await rig(t);
  await agent.start();
  await settle(clock);
  const [batch] = batches;
  if (batch === undefined) throw new Error('No batch arrived.');
  t.ok(verifyHeader(batch.header, SECRET));
  t.match(batch.header, { agent_id: 'agent-1', seq: 1, samples: 1, previous: null, key_id: SHARED_KEY_ID });
  t.equal(batch.header.epoch, agent.epoch);
  const { sample, fields } = readMessage(batch.texts[0] ?? '');
  t.equal(verifyMessage(fields, SECRET), 'py3-8.0');
  t.match(sample, { meter: 'level', unit: 'B', type: 'gauge', resourceId: 'node-1', source: 'openstack' });
  const slot = Math.floor(clock.now() / (10 * SECOND)) * 10 * SECOND;
  t.same(batch.header.runs, [{ source: 'default', slot, samples: 1 }]);
  t.match(batch.header.cycles, [
    {
      source: 'default',
      interval: 10 * SECOND,
      scheduled: slot,
      outcome: 'ran',
      meters: ['level'],
      discovery_complete: true,
      pollsters: [{ name: 'test', asked: 1, answered: 1, readings: 1, failed: [], error: null }],
    },
  ]);
  t.equal(spool.stats().batches, 1, 'it stays in the spool until its receipt');
});

t.test('batches of an epoch are numbered and chained, one cycle report a slot', async (t) => {
  const { agent, clock, batches } = await rig(t);
  await agent.start();
  await pass(clock, 40 * SECOND);
  await settle(clock);
  t.ok(batches.length >= 4);
  t.same(
    batches.map(({ header }) => header.seq),
    batches.map((_batch, index) => index + 1),
  );
  for (const [index, { header }] of batches.entries()) t.equal(header.previous, batches[index - 1]?.digest ?? null);
  const slots = batches.flatMap(({ header }) => header.cycles.map(({ scheduled }) => scheduled));
  t.same(
    slots,
    [...new Set(slots)].sort((a, b) => a - b),
  );
});

t.test('a receipt frees the spool; one that is forged does not', async (t) => {
  const { agent, clock, batches, spool, bus, lines } = await rig(t);
  await agent.start();
  await settle(clock);
  const digest = batches[0]?.digest ?? '';
  const receipt = {
    version: 1 as const,
    agent_id: 'agent-1',
    recorded: [digest],
    refused: [],
    issued: clock.now(),
    key_id: SHARED_KEY_ID,
  };
  const send = async (secret: Uint8Array): Promise<void> => {
    const body = Buffer.from(JSON.stringify(signReceipt(receipt, secret)));
    await bus.publish({ exchange: names.receipts, routingKey: 'agent-1', body, messageId: 'r' });
    await settle(clock);
  };
  await send(Buffer.from('another secret'));
  t.equal(spool.stats().batches, 1);
  t.ok(lines.some(({ message }) => message === 'A receipt cannot be trusted and is ignored.'));
  await send(SECRET);
  t.equal(spool.stats().batches, 0);
});

t.test('a receipt that the spool cannot follow is not asked for again and again', async (t) => {
  const { agent, clock, batches, spool, bus, lines } = await rig(t);
  await agent.start();
  await settle(clock);
  spool.release = () => Promise.reject(new Error('the disk is gone'));
  const digest = batches[0]?.digest ?? '';
  const receipt = { version: 1 as const, agent_id: 'agent-1', recorded: [digest], refused: [], issued: clock.now() };
  const body = Buffer.from(JSON.stringify(signReceipt({ ...receipt, key_id: SHARED_KEY_ID }, SECRET)));
  await bus.publish({ exchange: names.receipts, routingKey: 'agent-1', body, messageId: 'r' });
  for (let turn = 0; turn < 5; turn += 1) await settle(clock);
  t.equal(spool.stats().batches, 1);
  t.equal(lines.filter(({ message }) => message.includes('cannot let go')).length, 1);
});

t.test('a refused batch leaves the spool too, and is an error with its reason', async (t) => {
  const { agent, clock, batches, spool, bus, lines, metrics } = await rig(t);
  await agent.start();
  await settle(clock);
  const receipt = signReceipt(
    {
      version: 1,
      agent_id: 'agent-1',
      recorded: [],
      refused: [{ digest: batches[0]?.digest ?? '', reason: 'revoked' }],
      issued: clock.now(),
      key_id: SHARED_KEY_ID,
    },
    SECRET,
  );
  const body = Buffer.from(JSON.stringify(receipt));
  await bus.publish({ exchange: names.receipts, routingKey: 'agent-1', body, messageId: 'r' });
  await settle(clock);
  t.equal(spool.stats().batches, 0);
  t.ok(lines.some(({ level, reason }) => level === 'error' && reason === 'revoked'));
  t.match(metrics()['nephometer_agent_refused_batches_total'], { '{reason="revoked"}': 1 });
});

t.test('while the broker is away batches wait, and go out with the same bytes', async (t) => {
  let away = true;
  const tried = new Map<string, string>();
  const { agent, clock, batches, spool, ready } = await rig(t, {
    bus: (inner) => ({
      declare: (topology) => inner.declare(topology),
      consume: (queue, options, handler) => inner.consume(queue, options, handler),
      status: () => (away ? { state: 'connecting', detail: 'refused', unconfirmed: 0 } : inner.status()),
      close: () => inner.close(),
      publish: async (message: OutgoingMessage) => {
        const text = Buffer.from(message.body).toString();
        t.equal(tried.get(message.messageId) ?? text, text);
        tried.set(message.messageId, text);
        if (away) throw new BusUnavailable('The broker is away.');
        await inner.publish(message);
      },
    }),
  });
  await agent.start();
  await pass(clock, 95 * SECOND);
  t.equal(batches.length, 0);
  t.ok(spool.stats().batches >= 9);
  t.equal(await ready(), false, 'away for more than a minute');
  away = false;
  await pass(clock, 10 * SECOND);
  await settle(clock);
  t.equal(batches.length, spool.stats().batches);
  t.same(
    batches.map(({ header }) => header.seq),
    batches.map((_batch, index) => index + 1),
    'oldest first',
  );
  t.equal(await ready(), true);
});

t.test('a batch that nothing is heard of is sent again after six times resend_after, and not before', async (t) => {
  const { agent, clock, batches } = await rig(t, { config: { agent: { resend_after: '5s' }, interval: '1000s' } });
  await agent.start();
  await pass(clock, 20 * SECOND);
  await settle(clock);
  t.equal(batches.length, 1);
  await pass(clock, 25 * SECOND);
  await settle(clock);
  t.equal(batches.length, 2);
  t.equal(batches[0]?.digest, batches[1]?.digest);
});

t.test('a full spool refuses, and the loss is in the next report that finds room', async (t) => {
  const { agent, clock, batches, spool, metrics } = await rig(t, {
    spoolBytes: 26_000,
    pollsters: [
      pollster({
        poll: (resources) =>
          Array.from({ length: 2 }, (_, n) => ({
            meter: 'level',
            resource: resources[0] as never,
            resourceId: `r${n}`,
            volume: n,
          })),
      }),
    ],
  });
  await agent.start();
  await pass(clock, 50 * SECOND);
  await settle(clock);
  const lost = metrics()['nephometer_agent_dropped_samples_total'] as Record<string, number>;
  const dropped = lost['{reason="spool-full"}'] ?? 0;
  t.ok(dropped > 0);
  const sent = batches.length;
  await spool.release(batches.map(({ digest }) => digest));
  await pass(clock, 10 * SECOND);
  await settle(clock);
  const told = batches.slice(sent).flatMap(({ header }) => header.cycles.flatMap((cycle) => cycle.dropped));
  t.equal(
    told.reduce((sum, one) => sum + (one.reason === 'spool-full' ? one.samples : 0), 0),
    dropped,
  );
  t.same(
    batches.map(({ header }) => header.seq),
    batches.map((_batch, index) => index + 1),
    'a refused batch uses up no number',
  );
});

t.test('a source or pipeline that names what is not there stops the start', async (t) => {
  await t.rejects(
    rig(t, { config: { sources: [{ name: 'a', meters: ['*'], discovery: ['nothing://x'] }] } }),
    ConfigError,
  );
  await t.rejects(
    rig(t, { config: { sources: [{ name: 'a', meters: ['*'], cron: 'whenever' }] } }),
    /sources\[0\].cron/,
  );
  await t.rejects(
    rig(t, { config: { pipeline: { sinks: [{ name: 'bus', publishers: ['kafka://x'] }] } } }),
    /publishers here: nephometer:\/\//,
  );
});

t.test('stopping publishes what is spooled, and is safe to repeat', async (t) => {
  const { agent, clock, batches } = await rig(t, { config: { interval: '1000s' } });
  await agent.start();
  const stopped = Promise.all([agent.stop(), agent.stop()]);
  await pass(clock, SECOND);
  await stopped;
  await settle(clock);
  t.equal(batches.length, 1);
});
