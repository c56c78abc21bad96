import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'amqplib';
import t from 'tap';
import { busNames, readMeteringEnvelope } from '@nephometer/core';
import { StoreView } from '../chaos/store-view.ts';
import { Fleet } from '../fleet/fleet.ts';
import { differences, NO_DIFFERENCE } from '../fleet/same.ts';
import { influxUrl, startRabbit, temporaryFolder, uniqueName, until } from '../servers/index.ts';
import { startDaemon } from './nephometer.ts';

/** An hour, polled every four seconds. */
const SLOTS = 900;
const STEP_MS = 4000;
const PREFETCH = 100;
const MIB = 2 ** 20;

const folder = temporaryFolder('nephometer-backlog');
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};
const master = randomBytes(32).toString('hex');
const token = randomBytes(24).toString('base64url');
const namespace = uniqueName('backlog');
const names = busNames(namespace);
const rabbit = await startRabbit();
const config = [
  `bus: {namespace: ${namespace}}`,
  `api: {tokens: [{name: judge, role: admin, file: ${file('token', token)}}]}`,
  `signing: {master_key_file: ${file('master', master)}}`,
  `collector: {prefetch: ${PREFETCH}, batch: 25}`,
  "disabled_plugins: ['*']",
].join('\n');
/** Little room for garbage, and a heap that the backlog, read and parsed, would not fit in. */
const small = (heapMiB: number): string => `--max-semi-space-size=2 --max-old-space-size=${heapMiB}`;
const env = {
  NEPHOMETER_BUS_URL: rabbit.url,
  NEPHOMETER_STORE_URL: `influxdb://${new URL(await influxUrl()).host}/${namespace}`,
};
const FLEET = {
  folder: join(folder, 'fleet'),
  agents: 1,
  processes: 1,
  bus: rabbit.url,
  namespace,
  master: Buffer.from(master),
  resendAfter: '60s',
  resources: 5,
  padding: 4000,
  intervalMs: 250,
  nodeOptions: small(64).split(' '),
};
const running: { end(): Promise<void> }[] = [rabbit].map((one) => ({ end: () => one.stop() }));
t.teardown(async () => {
  for (const one of running.toReversed()) await one.end();
});

/** Memory of a process that no file backs, in bytes: heap and buffers, without the spool's pages. */
function anonymous(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) * 1024;
}

/** The most memory that a process had while something was awaited, over what it had at the beginning; bytes. */
async function growthWhile(pid: number, wait: () => Promise<void>): Promise<number> {
  const before = anonymous(pid);
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, anonymous(pid))), 50);
  await wait().finally(() => clearInterval(timer));
  return most - before;
}

async function sampledSince(store: StoreView, since: Date): Promise<number> {
  const { samples } = (await store.get(`/v1/samples?limit=1&from=${since.toISOString()}`)) as { samples: unknown[] };
  return samples.length;
}

interface Arrival {
  readonly epoch: string;
  readonly seq: number;
  readonly digest: string;
  readonly bytes: number;
}

/** Everything that is published, in the order in which the broker has it. */
async function tapped(): Promise<Arrival[]> {
  const connection = await connect(rabbit.url);
  running.push({ end: () => connection.close() });
  const channel = await connection.createChannel();
  await channel.assertExchange(names.exchange, 'topic', { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, names.exchange, `${names.sampleKey}.#`);
  const arrivals: Arrival[] = [];
  await channel.consume(
    queue,
    (message) => {
      if (message === null) return;
      const envelope = readMeteringEnvelope(message.content);
      if (envelope.kind !== 'batch') throw new TypeError('something else than a batch was published');
      const { epoch, seq } = envelope.header;
      arrivals.push({ epoch, seq, digest: envelope.digest, bytes: message.content.length });
    },
    { noAck: true },
  );
  return arrivals;
}

const isInOrder = (numbers: readonly number[]): boolean =>
  numbers.every((n, i) => i === 0 || n > (numbers[i - 1] ?? n));

let arrivals: Arrival[];
let agent: Fleet;

void t.test(
  'an agent whose broker was away for an hour sends the oldest first, beside what is new, out of the spool',
  async (t) => {
    const hour = new Fleet({ ...FLEET, fill: { slots: SLOTS, stepMs: STEP_MS } });
    await until(() => !hour.isRunning, { timeoutMs: 120_000, describe: () => `the spool is not filled` });
    const old = hour.oracle().spooled;
    t.ok(old.length >= SLOTS, `${old.length} batches wait`);
    const [epoch] = new Set(old.map((batch) => batch.epoch));

    arrivals = await tapped();
    agent = new Fleet(FLEET);
    running.push({ end: () => agent.kill() });
    const [pid = 0] = agent.pids;
    await until(() => arrivals.length > 0, { timeoutMs: 30_000, everyMs: 5, describe: () => agent.lastOutput });
    const drained = (): boolean => arrivals.filter((one) => one.epoch === epoch).length >= old.length;
    const describe = (): string => `${arrivals.length} arrived`;
    const growth = await growthWhile(pid, () => until(drained, { timeoutMs: 120_000, everyMs: 20, describe }));

    const ofTheHour = arrivals.filter((one) => one.epoch === epoch);
    const bytes = ofTheHour.reduce((sum, one) => sum + one.bytes, 0);
    t.comment(`${Math.round(bytes / MIB)} MiB of backlog; the agent grew by ${Math.round(growth / MIB)} MiB`);
    t.ok(bytes > 34 * MIB, 'a backlog that would be seen in memory');
    t.ok(growth < 30 * MIB, 'memory does not follow the backlog');
    t.ok(isInOrder(ofTheHour.map(({ seq }) => seq)), 'oldest first');
    const last = arrivals.findIndex((one) => one.digest === ofTheHour.at(-1)?.digest);
    const fresh = arrivals.slice(0, last).filter((one) => one.epoch !== epoch);
    t.ok(fresh.length >= 1, `${fresh.length} new batches while the backlog drained`);
    t.ok(isInOrder(fresh.map(({ seq }) => seq)), 'these in order too');
    const first = arrivals.findIndex((one) => one.epoch !== epoch);
    t.ok(first < old.length / 2, `the first of them behind ${first} of the hour`);
  },
);

void t.test(
  'a collector takes an hour out of its queue, a few at a time, in order, while new samples come',
  async (t) => {
    const api = await startDaemon({ args: ['run', 'api'], config, env });
    running.push(api.process);
    const store = new StoreView(() => api.url, token);
    const connection = await connect(rabbit.url);
    running.push({ end: () => connection.close() });
    const channel = await connection.createChannel();
    const queued = async (): Promise<number> => {
      const [fresh, backlog] = [await channel.checkQueue(names.samples), await channel.checkQueue(names.backlog)];
      return fresh.messageCount + backlog.messageCount;
    };
    const unacknowledged: number[] = [];
    const look = async (): Promise<void> => {
      const lines = (await rabbit.ctl('list_queues', 'name', 'messages_unacknowledged')).split('\n');
      for (const [name, count] of lines.map((line) => line.split('\t'))) {
        if (name === names.samples || name === names.backlog) unacknowledged.push(Number(count));
      }
    };
    const depth = await queued();
    t.ok(depth >= SLOTS, `${depth} batches wait in the queues`);
    const began = new Date();
    const collector = await startDaemon({
      args: ['run', 'collector'],
      config,
      env: { ...env, NODE_OPTIONS: small(96) },
      probe: '/healthz',
    });
    running.push(collector.process);
    const describe = (): string => `the queues are not empty:\n${collector.process.lastOutput()}`;
    const fresh = until(async () => (await sampledSince(store, began)) > 0, {
      timeoutMs: 60_000,
      everyMs: 50,
      describe,
    }).then(async () => ({ seconds: (Date.now() - began.getTime()) / 1000, waiting: await queued() }));
    const drained = async (): Promise<boolean> => {
      await look();
      return (await queued()) === 0;
    };
    const growth = await growthWhile(collector.process.pid, () => until(drained, { timeoutMs: 150_000, describe }));
    const { seconds, waiting } = await fresh;
    t.comment(`a fresh sample ${seconds.toFixed(1)} s after the start of a collector, while ${waiting} waited`);
    t.ok(waiting > depth / 4, 'what is fresh does not wait for the hour');
    t.comment(`${depth} messages in the queues; the collector grew by ${Math.round(growth / MIB)} MiB`);
    t.ok(growth < 50 * MIB, 'memory does not follow the queue');
    t.ok(Math.max(...unacknowledged) <= PREFETCH, `at most ${Math.max(...unacknowledged)} in hand`);

    await agent.end();
    const { spooled, left } = agent.oracle();
    t.same([...left.values()], [0], 'the spool is empty');
    const ledger = await store.ledger();
    const digests = spooled.map(({ digest }) => digest);
    t.same(
      differences(
        ledger.map(({ digest }) => digest),
        digests,
      ),
      NO_DIFFERENCE,
      'each batch is in the ledger once',
    );
    // What was polled before the link was up belongs to the backlog; what came after overtook it.
    const epoch = spooled[0]?.epoch;
    const seqs = ledger.flatMap((row) => (row.epoch === epoch ? [row.seq ?? NaN] : []));
    t.ok(seqs.length >= SLOTS && isInOrder(seqs), 'the hour was recorded in order');
  },
);
