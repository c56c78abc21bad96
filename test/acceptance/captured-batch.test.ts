import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'amqplib';
import t from 'tap';
import { createCollector } from '@nephometer/collector';
import {
  AgentKeyring,
  busNames,
  DAY,
  defaultConfig,
  deriveAgentKey,
  encodeBatch,
  MetricRegistry,
  ProcessStatus,
  QuarantinedMessage,
  readMeteringEnvelope,
  signHeader,
  silentLogger,
  systemClock,
} from '@nephometer/core';
import type { BatchEnvelope, Entry, RefusalReason, SignedHeader } from '@nephometer/core';
import { createMemoryStore } from '@nephometer/store-memory';
import { StoreView } from '../chaos/store-view.ts';
import { Fleet } from '../fleet/fleet.ts';
import { rabbitmqUrl, temporaryFolder, uniqueName, until } from '../servers/index.ts';
import { ask, NEPHOMETER, startDaemon } from './nephometer.ts';

const folder = temporaryFolder('nephometer-captured');
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};
const token = randomBytes(24).toString('base64url');
const master = randomBytes(32).toString('hex');
const listed = randomBytes(32).toString('hex');
const tokenFile = file('token', token);
const namespace = uniqueName('captured');
const names = busNames(namespace);
const url = await rabbitmqUrl();

/** Every batch that agents publish, as a stranger on the broker sees it; what this test forges has no messageId. */
const connection = await connect(url);
const channel = await connection.createConfirmChannel();
await channel.assertExchange(names.exchange, 'topic', { durable: true });
const { queue } = await channel.assertQueue('', { exclusive: true });
await channel.bindQueue(queue, names.exchange, `${names.sampleKey}.#`);
const captured: Buffer[] = [];
await channel.consume(
  queue,
  (message) => {
    if (message?.properties.messageId !== undefined) captured.push(message.content);
  },
  { noAck: true },
);

const server = await startDaemon({
  args: ['run', 'collector', 'api'],
  config: [
    `bus: {namespace: ${namespace}}`,
    `api: {tokens: [{name: judge, role: admin, file: ${tokenFile}}]}`,
    'signing:',
    `  master_key_file: ${file('master', master)}`,
    `  keys: [{key_id: k9, agent_id: node-9, secret_file: ${file('listed', listed)}}]`,
    "disabled_plugins: ['*']",
  ].join('\n'),
  env: { NEPHOMETER_BUS_URL: url },
});
const store = new StoreView(() => server.url, token);
t.teardown(async () => {
  await connection.close();
  await server.process.end();
});

const COMMON = {
  bus: url,
  namespace,
  agents: 1,
  processes: 1,
  resources: 1,
  intervalMs: 300,
  resendAfter: '3s',
  master: Buffer.from(master),
};

function batchIn(body: Uint8Array): BatchEnvelope {
  const envelope = readMeteringEnvelope(body);
  if (envelope.kind !== 'batch') throw new TypeError('captured something else than a batch');
  return envelope;
}

/** A batch with samples that an agent published; the agent runs no longer when it is returned. */
async function captureFrom(name: string, clockBehind = 0): Promise<Buffer> {
  const fleet = new Fleet({ ...COMMON, name, clockBehind });
  const mine = (): Buffer[] => captured.filter((body) => batchIn(body).header.agent_id === `${name}-1`);
  await until(() => mine().filter((body) => batchIn(body).texts.length > 0).length > 1, {
    timeoutMs: 40_000,
    describe: () => `nothing was published by ${name}:\n${fleet.lastOutput}`,
  });
  await fleet.end();
  const found = mine().find((body) => batchIn(body).texts.length > 0);
  if (found === undefined) throw new TypeError('not reached');
  return found;
}

const body = await captureFrom('node');
const batch = batchIn(body);
const ownSecret = deriveAgentKey(Buffer.from(master), 'node-1', 1);
const before = await ledgerAndSamples();

async function ledgerAndSamples(): Promise<unknown> {
  const [ledger, samples] = await Promise.all([store.ledger(), store.samples()]);
  return [ledger.map(({ digest, recorded_at: at }) => [digest, at]), samples.map((one) => JSON.stringify(one))];
}

async function publish(...bodies: readonly (Uint8Array | string)[]): Promise<void> {
  for (const one of bodies) channel.publish(names.exchange, names.sampleKey, Buffer.from(one));
  await channel.waitForConfirms();
}

interface Tap {
  match(found: unknown, wanted: object, name: string): boolean;
}

/** Publishes it; it must be refused for this reason, naming this agent. */
async function refusedFor(t: Tap, reason: RefusalReason, agent: string | null, forged: Uint8Array | string) {
  const known = (await store.quarantine()).length;
  await publish(forged);
  await until(async () => (await store.quarantine()).length > known, {
    timeoutMs: 20_000,
    everyMs: 100,
    describe: () => `nothing was refused; wanted: ${reason}`,
  });
  const [newest] = await store.quarantine();
  t.match(newest, { reason, agent_id: agent }, `${reason}: ${newest?.detail}`);
}

/** Everything of a header but its signature, with some of it changed, signed by whoever has a key. */
function resigned({ header }: BatchEnvelope, changed: Partial<SignedHeader>, secret: Uint8Array): SignedHeader {
  const { hmac: _dropped, ...unsigned } = { ...header, ...changed };
  return signHeader(unsigned, secret);
}

function flipped(at: number, bit: number): Buffer {
  const copy = Buffer.from(body);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

/** A collector whose quarantine is a list of reasons. */
function judge(): (body: Uint8Array) => Promise<RefusalReason | null> {
  const reasons: RefusalReason[] = [];
  const metrics = new MetricRegistry();
  const keys = { shared: null, listed: [], own: [], generation: 1, acceptShared: false };
  const collector = createCollector({
    config: defaultConfig(),
    bus: null,
    store: {
      ...createMemoryStore(),
      entries: () => Promise.resolve([]),
      appendEntry(entry): Promise<Entry> {
        reasons.push(QuarantinedMessage.parse(JSON.parse(entry.body)).reason);
        return Promise.resolve({ ...entry, recordedAt: systemClock.now() });
      },
    },
    keyring: new AgentKeyring({ ...keys, master: Buffer.from(master) }),
    clock: systemClock,
    log: silentLogger,
    metrics,
    status: new ProcessStatus(metrics, {}),
  });
  return async (one) => {
    await collector.ingest(one, 'judge').catch(() => undefined);
    return reasons.pop() ?? null;
  };
}

void t.test('what a server keeps cannot be read by others on its machine', (t) => {
  const names = readdirSync(server.dataDir, { recursive: true, encoding: 'utf8' });
  const open = names.filter((name) => (statSync(join(server.dataDir, name)).mode & 0o077) !== 0);
  t.ok(names.length > 0);
  t.same(open, []);
  t.end();
});

void t.test('what was captured and is sent again as it was changes nothing', async (t) => {
  t.ok(batch.texts.length > 0);
  await publish(body, body, body);
  await until(async () => /outcome="duplicate"} [1-9]/.test(await metric('nephometer_collector_batches_total')), {
    timeoutMs: 20_000,
    everyMs: 100,
    describe: () => 'no duplicate was counted',
  });
  t.same(await ledgerAndSamples(), before);
  t.same(await store.quarantine(), []);
});

async function metric(name: string): Promise<string> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .join('\n');
}

void t.test('whichever single bit of it is changed, it is refused', async (t) => {
  const reasonOf = judge();
  t.equal(await reasonOf(body), null, 'unchanged it is taken');
  const counts = new Map<string, number>();
  const taken: string[] = [];
  for (let at = 0; at < body.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const reason = await reasonOf(flipped(at, bit));
      if (reason === null) taken.push(`bit ${bit} of byte ${at}`);
      counts.set(String(reason), (counts.get(String(reason)) ?? 0) + 1);
    }
  }
  t.same(taken, []);
  t.comment(`${body.length} bytes: ${JSON.stringify(Object.fromEntries(counts))}`);
  const within = (text: string): number => body.indexOf(text) + text.length;
  t.equal(await reasonOf(flipped(within('counter_volume\\":'), 0)), 'merkle', 'a digit of a volume');
  // The lowest bit of a digit makes another digit; of some letters it makes what is not hexadecimal.
  const digit = within('"hmac":"') + body.subarray(within('"hmac":"')).toString().search(/\d/);
  t.equal(await reasonOf(flipped(digit, 0)), 'signature', "the header's signature");
  // The envelope names the header's digest, so whatever else of the header is changed no longer fits to it.
  t.equal(await reasonOf(flipped(within('"key_id":"'), 0)), 'malformed', 'the name of the key');
  t.equal(await reasonOf(flipped(within('"publisher_id\\":\\"nephometer.'), 0)), 'malformed', 'the envelope');
});

void t.test(
  'a bit changed at every few bytes is refused by the collector at the bus, each with its reason',
  async (t) => {
    const reasonOf = judge();
    const forged = Array.from({ length: Math.ceil(body.length / 17) }, (_, index) => flipped(index * 17, index % 8));
    const wanted = new Map<string, string>();
    for (const one of forged) wanted.set(one.toString('base64'), String(await reasonOf(one)));
    await publish(...forged);
    await until(async () => (await store.quarantine()).length >= forged.length, {
      timeoutMs: 40_000,
      everyMs: 200,
      describe: () => `not all of ${forged.length} were refused`,
    });
    const found = new Map<string, string>();
    for (const { id, reason } of await store.quarantine()) {
      const { body: shown } = await ask(server.url, token, `/v1/quarantine/${id}`);
      found.set((shown as { bytes: string }).bytes, reason);
    }
    t.same(found, wanted, `${forged.length} forgeries`);
    t.same(await ledgerAndSamples(), before, 'and nothing else happened');
  },
);

void t.test("under another agent's name, or with another key, it is refused, whoever signs", async (t) => {
  const { header, texts } = batch;
  await refusedFor(t, 'signature', 'node-2', encodeBatch({ ...header, agent_id: 'node-2' }, texts));
  const posing = resigned(batch, { agent_id: 'node-2' }, ownSecret);
  await refusedFor(t, 'signature', 'node-2', encodeBatch(posing, texts));
  const other = Buffer.from(listed);
  await refusedFor(t, 'agent', 'node-1', encodeBatch(resigned(batch, { key_id: 'k9' }, other), texts));
  await refusedFor(t, 'key', 'node-1', encodeBatch({ ...header, key_id: 'k8' }, texts));
  // Who holds node-9's key can rename the batch to itself, but not the samples in it, nor their ids.
  const stolen = resigned(batch, { agent_id: 'node-9', key_id: 'k9' }, other);
  await refusedFor(t, 'signature', 'node-9', encodeBatch(stolen, texts));
  t.same(await ledgerAndSamples(), before);
});

void t.test('a hundred days late it is refused, although nothing else is wrong with it', async (t) => {
  const late = await captureFrom('late', 100 * DAY);
  const { header } = batchIn(late);
  t.ok(Math.abs(systemClock.now() - 100 * DAY - header.created) < DAY, 'it was sealed a hundred days ago');
  await until(async () => (await store.quarantine()).some(({ agent_id: id }) => id === 'late-1'), {
    timeoutMs: 20_000,
    describe: () => 'it was not refused when it came first',
  });
  const refused = (await store.quarantine()).filter(({ agent_id: id }) => id === 'late-1');
  t.same([...new Set(refused.map(({ reason }) => reason))], ['past'], refused[0]?.detail ?? 'none');
  t.match(refused[0]?.detail, /90d is allowed/);
  t.same(await ledgerAndSamples(), before);
});

void t.test('with a key that was rotated away and revoked it is refused', async (t) => {
  const client = ['--url', server.url, '--token-file', tokenFile];
  const nephometer = (...args: string[]): string =>
    execFileSync(process.execPath, [NEPHOMETER, ...args, ...client], { encoding: 'utf8' });
  t.match(nephometer('key', 'rotate', 'node-1', '--why', 'yearly'), /m1 is refused from/);
  nephometer('key', 'revoke', 'm1', '--agent', 'node-1', '--why', 'all have changed');
  const known = new Set((await store.quarantine()).map(({ id }) => id));
  // The collector asks for revocations now and then; until it has, this is a duplicate.
  await until(
    async () => {
      await publish(body);
      return (await store.quarantine()).some(({ id }) => !known.has(id));
    },
    { timeoutMs: 20_000, everyMs: 300, describe: () => 'the old key still signs' },
  );
  const [newest] = await store.quarantine();
  t.match(newest, { reason: 'revoked', agent_id: 'node-1' }, newest?.detail ?? 'none');
  t.same(await ledgerAndSamples(), before);
});
