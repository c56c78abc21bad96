import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'amqplib';
import t from 'tap';
import {
  DAY,
  deriveAgentKey,
  encodeBatch,
  KeyFile,
  merkleRoot,
  readMeteringEnvelope,
  signHeader,
} from '@nephometer/core';
import type { BatchEnvelope, BatchHeader } from '@nephometer/core';
import { influxUrl, rabbitmqUrl, temporaryFolder, uniqueName, until } from '../servers/index.ts';
import { ask, askUntil, NEPHOMETER, startDaemon } from './nephometer.ts';
import type { Daemon } from './nephometer.ts';

const AGENT = fileURLToPath(new URL('../../../agents/dist/main.js', import.meta.url));

const folder = temporaryFolder('nephometer-keys');
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
};
const token = randomBytes(24).toString('base64url');
const master = randomBytes(32).toString('hex');
const listedSecret = Buffer.from(randomBytes(32).toString('hex'));
const sharedSecret = Buffer.from('a telemetry_secret of old');
const tokenFile = file('token', token);
const masterFile = file('master', master);
const listedFile = file('listed', listedSecret.toString());
const secretFile = file('shared', sharedSecret.toString());

const namespace = uniqueName('keys');
const busUrl = await rabbitmqUrl();
const storeUrl = `influxdb://${new URL(await influxUrl()).host}/${uniqueName('keys')}`;
const COMMON = [`bus: {namespace: ${namespace}}`, 'agent: {spread: 0s, resend_after: 3s}'];

function serverConfig(host: string): string {
  return [
    ...COMMON,
    'interval: 1s',
    `host: ${host}`,
    `api: {tokens: [{name: operator, role: admin, file: ${tokenFile}}]}`,
    'expected_agents: [node-1, node-77]',
    'watch: {every: 1s, margin: 3s}',
    'signing:',
    `  master_key_file: ${masterFile}`,
    `  secret_file: ${secretFile}`,
    `  keys: [{key_id: k9, agent_id: node-9, secret_file: ${listedFile}}]`,
  ].join('\n');
}

const server = (host: string, roles: string[]): Promise<Daemon> =>
  startDaemon({
    args: ['run', ...roles],
    config: serverConfig(host),
    env: { NEPHOMETER_BUS_URL: busUrl, NEPHOMETER_STORE_URL: storeUrl },
  });

const api = await server('server-1', ['collector', 'api']);
const other = await server('server-2', ['collector']);
const running = new Set<Daemon>([api, other]);
t.teardown(() => Promise.all([...running].map(({ process }) => process.end())));

/** The `nephometer` command as an operator gives it. */
function nephometer(args: readonly string[], client = true): string {
  const flags = client ? ['--url', api.url, '--token-file', tokenFile] : [];
  return execFileSync(process.execPath, [NEPHOMETER, ...args, ...flags], { encoding: 'utf8' });
}

function issue(agent: string, generation: number): string {
  const out = join(folder, `${agent}.m${generation}.json`);
  nephometer(
    ['key', 'issue', agent, '--master-key-file', masterFile, '--generation', String(generation), '--out', out],
    false,
  );
  return out;
}

interface AgentOf {
  readonly keyFile: string;
  readonly dataDir: string;
  readonly role?: 'compute' | 'central' | 'compute-agent';
  /** Another command than the agent's own package. */
  readonly main?: string;
  readonly interval?: string;
  readonly config?: readonly string[];
}

/** An agent, whose id stands in its state folder as it would after a first start. */
async function startAgent(id: string, options: AgentOf): Promise<Daemon> {
  const { keyFile, dataDir, role = 'compute', main = AGENT, interval = '1s', config = [] } = options;
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, 'agent-id'), `${id}\n`);
  const lines = [
    ...COMMON,
    `interval: ${interval}`,
    `host: ${id}`,
    'disabled_plugins: [users, cgroup, libvirt]',
    ...config,
  ];
  const daemon = await startDaemon({
    args: ['run', role],
    main,
    dataDir,
    config: lines.join('\n'),
    env: { NEPHOMETER_BUS_URL: busUrl, NEPHOMETER_KEY_FILE: keyFile },
    probe: '/healthz',
  });
  running.add(daemon);
  return daemon;
}

async function end(daemon: Daemon): Promise<void> {
  await daemon.process.end();
  running.delete(daemon);
}

interface AgentRow {
  readonly agent_id: string;
  readonly state: string;
  readonly missing: number;
  readonly quarantined: number;
  readonly last_batch: { readonly key_id: string; readonly seq: number } | null;
  readonly lag: number;
  readonly clock_skew: number;
  readonly epochs: readonly { readonly epoch: string; readonly last_seq: number }[];
}

const agentOf = async (id: string): Promise<AgentRow | undefined> => {
  const { body } = await ask(api.url, token, '/v1/agents');
  return (body as { agents: AgentRow[] }).agents.find((agent) => agent.agent_id === id);
};

async function agentUntil(id: string, what: string, wanted: (agent: AgentRow) => boolean): Promise<AgentRow> {
  let last: AgentRow | undefined;
  const describe = (): string => `${what}; the last was ${JSON.stringify(last)}`;
  await until(async () => (last = await agentOf(id)) !== undefined && wanted(last), {
    timeoutMs: 40_000,
    everyMs: 250,
    describe,
  });
  if (last === undefined) throw new TypeError('not reached');
  return last;
}

const connection = await connect(busUrl);
const channel = await connection.createConfirmChannel();
const { queue } = await channel.assertQueue('', { exclusive: true });
await channel.bindQueue(queue, namespace, 'metering.sample.#');
const captured: Buffer[] = [];
await channel.consume(queue, (message) => void (message && captured.push(message.content)), { noAck: true });
t.teardown(() => connection.close());

async function publish(body: Uint8Array | string): Promise<void> {
  channel.publish(namespace, 'metering.sample', Buffer.from(body), { contentType: 'application/json' });
  await channel.waitForConfirms();
}

interface Refused {
  readonly reason: string;
  readonly agent_id: string | null;
  readonly detail: string;
}

const quarantine = async (): Promise<Refused[]> =>
  ((await ask(api.url, token, '/v1/quarantine?limit=1000')).body as { quarantine: Refused[] }).quarantine;

/** Puts a message on our exchange; it must be refused for this reason, and with it alone. */
async function refusedFor(t: Tap, reason: string, agent: string | null, body: Uint8Array | string): Promise<void> {
  const before = (await quarantine()).length;
  await publish(body);
  await until(async () => (await quarantine()).length > before, {
    timeoutMs: 15_000,
    everyMs: 100,
    describe: () => `nothing was refused; wanted: ${reason}`,
  });
  const [newest] = await quarantine();
  t.match(newest, { reason, agent_id: agent }, `${reason}: ${newest?.detail}`);
}
type Tap = { match(found: unknown, wanted: object, name: string): boolean };

function batchIn(body: Uint8Array): BatchEnvelope {
  const envelope = readMeteringEnvelope(body);
  if (envelope.kind !== 'batch') throw new TypeError('captured something else than a batch');
  return envelope;
}

/** The first batch with samples that was captured of an agent: its own, before anything was forged. */
function firstOf(agent: string): Buffer {
  const found = captured.find((one) => batchIn(one).header.agent_id === agent && batchIn(one).texts.length > 0);
  if (found === undefined) throw new Error(`no batch of ${agent} was captured`);
  return found;
}

const unsigned = ({ header }: BatchEnvelope): BatchHeader => {
  const { hmac: _dropped, ...rest } = header;
  return rest;
};

const dataDir = join(folder, 'node-1');
let agent = await startAgent('node-1', { keyFile: issue('node-1', 1), dataDir });

void t.test("an agent's own key signs its batches, and its receipts free the spool", async (t) => {
  const row = await agentUntil('node-1', 'node-1 is not heard', ({ last_batch: last }) => (last?.seq ?? 0) >= 3);
  t.match(row, { state: 'ok', missing: 0, last_batch: { key_id: 'm1' } });
  t.ok(row.lag >= 0 && row.lag < 10, `lag ${row.lag} s`);
  t.ok(Math.abs(row.clock_skew) < 5, `clock ${row.clock_skew} s`);
  await until(async () => / [1-9]\d*$/m.test(await metric(agent, 'nephometer_agent_receipts_total')), {
    timeoutMs: 20_000,
    everyMs: 200,
    describe: () => 'no receipt was believed',
  });
  t.match(nephometer(['agents']), /node-1 +ok/);
  t.match(await agentOf('node-77'), { state: 'never-seen' });
});

async function metric(daemon: Daemon, name: string): Promise<string> {
  const text = await (await fetch(`${daemon.url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .join('\n');
}

void t.test('what was captured from the broker and tampered with is refused, each with its own reason', async (t) => {
  const body = firstOf('node-1');
  const batch = batchIn(body);
  const { texts } = batch;
  const own = KeyFile.parse(JSON.parse(readFileSync(join(folder, 'node-1.m1.json'), 'utf8')));
  const mine = Buffer.from(own.secret, 'hex');
  t.same(mine, Buffer.from(deriveAgentKey(Buffer.from(master), 'node-1', 1)));
  const rows = async (): Promise<number> => (await agentOf('node-1'))?.quarantined ?? 0;
  const refusedBefore = await rows();

  await refusedFor(t, 'signature', 'node-2', encodeBatch({ ...batch.header, agent_id: 'node-2' }, texts));
  const posing = signHeader({ ...unsigned(batch), agent_id: 'node-2' }, mine);
  await refusedFor(t, 'signature', 'node-2', encodeBatch(posing, texts));
  const stolen = signHeader({ ...unsigned(batch), key_id: 'k9' }, listedSecret);
  await refusedFor(t, 'agent', 'node-1', encodeBatch(stolen, texts));
  const shared = signHeader({ ...unsigned(batch), key_id: 'shared' }, sharedSecret);
  await refusedFor(t, 'agent', 'node-1', encodeBatch(shared, texts));
  await refusedFor(t, 'key', 'node-1', encodeBatch({ ...batch.header, key_id: 'nobody' }, texts));

  const flipped = Buffer.from(body);
  const at = flipped.indexOf('counter_volume\\":') + 'counter_volume\\": '.length;
  flipped[at] = (flipped[at] ?? 0) ^ 1;
  await refusedFor(t, 'merkle', 'node-1', flipped);
  const bare = JSON.parse(body.toString()) as Record<string, unknown>;
  delete bare['nephometer.batch'];
  await refusedFor(t, 'headerless', 'node-1', JSON.stringify(bare));

  const then = batch.header.created - 100 * DAY;
  const old = { ...unsigned(batch), created: then, samples: 0, runs: [], cycles: [], merkle_root: merkleRoot([]) };
  await refusedFor(t, 'past', 'node-1', encodeBatch(signHeader(old, mine), []));
  t.ok((await rows()) > refusedBefore, 'counted at the agent that they name');
  t.match(nephometer(['quarantine', 'list', '--reason', 'merkle']), /node-1/);
});

void t.test('a rotation with overlap loses nothing; then the old key is refused by every collector', async (t) => {
  const old = firstOf('node-1');
  t.match(nephometer(['key', 'rotate', 'node-1', '--why', 'yearly']), /signs with m2 next; m1 is refused from/);
  await end(agent);
  cpSync(dataDir, join(folder, 'clone'), { recursive: true });
  agent = await startAgent('node-1', { keyFile: issue('node-1', 2), dataDir });
  const row = await agentUntil('node-1', 'nothing is signed with m2', (one) => {
    return one.last_batch?.key_id === 'm2' && one.missing === 0 && one.last_batch.seq >= 3;
  });
  t.equal(row.epochs.length, 2);
  t.match(nephometer(['key', 'list']), /node-1 +m1 +derived +retiring/);

  nephometer(['key', 'revoke', 'm1', '--agent', 'node-1', '--why', 'all have changed']);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await refusedFor(t, 'revoked', 'node-1', old);
  for (const door of [api, other]) {
    const answer = await ask(door.url, token, '/v1/messages', { method: 'POST', body: old.toString() });
    t.match(answer.body, { results: [{ reason: 'revoked' }] }, `${door.url} knows it`);
  }
  t.match(nephometer(['key', 'list']), /node-1 +m1 +derived +revoked/);
  const after = await agentUntil(
    'node-1',
    'm2 goes on',
    (one) => (one.last_batch?.seq ?? 0) > (row.last_batch?.seq ?? 0) + 2,
  );
  t.match(after, { missing: 0, last_batch: { key_id: 'm2' } });
});

void t.test('an agent takes up a key file that is put in place of the old one, without a restart', async (t) => {
  const rotate = async (id: string, command: Partial<AgentOf>): Promise<void> => {
    const keyFile = join(folder, `${id}.key`);
    renameSync(issue(id, 1), keyFile);
    const rotating = await startAgent(id, { keyFile, dataDir: join(folder, id), ...command });
    await agentUntil(id, `${id} is not heard`, ({ last_batch: last }) => last?.key_id === 'm1');
    nephometer(['key', 'rotate', id, '--why', 'yearly']);
    renameSync(issue(id, 2), keyFile);
    const isTaken = ({ last_batch: last }: AgentRow): boolean => last?.key_id === 'm2';
    const row = await agentUntil(id, `the new key of ${id} is not taken up`, isTaken);
    t.match(row, { state: 'ok', missing: 0, quarantined: 0 }, id);
    t.equal(row.epochs.length, 1, `one epoch: ${id} was not restarted`);
    await end(rotating);
  };
  await Promise.all([rotate('node-5', {}), rotate('node-6', { main: NEPHOMETER, role: 'compute-agent' })]);
});

void t.test('a state folder that was copied to another machine is noticed', async (t) => {
  const copy = join(folder, 'clone');
  rmSync(join(copy, 'spool'), { recursive: true, force: true });
  const twin = await startAgent('node-1', { keyFile: join(folder, 'node-1.m2.json'), dataDir: copy });
  await agentUntil('node-1', 'the clone is not noticed', ({ state }) => state === 'cloned');
  await end(twin);
  await until(() => /Two agents run under one id/.test(readFileSync(api.logFile, 'utf8')), {
    timeoutMs: 10_000,
    everyMs: 200,
    describe: () => 'no log line tells of the clone',
  });
  t.match(await metric(api, 'nephometer_watch_agents{state="cloned"}'), / 1$/);
});

void t.test('two central agents on one series are two witnesses, each with ids of its own', async (t) => {
  const exporter = createServer((_request, response) => response.end('# TYPE water_litres gauge\nwater_litres 7\n'));
  await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
  t.teardown(() => exporter.close());
  const target = `http://127.0.0.1:${(exporter.address() as AddressInfo).port}/metrics`;
  const config = [`plugins: {prometheus: {targets: [{url: '${target}', name: well}]}}`];
  const start = (id: string): Promise<Daemon> =>
    startAgent(id, { keyFile: issue(id, 1), dataDir: join(folder, id), role: 'central', config });
  const witnesses = [await start('central-1'), await start('central-2')];
  const { body } = await askUntil(
    () => ask(api.url, token, '/v1/samples?meter=water_litres&limit=1000'),
    (answer) => new Set((answer.body as { samples: Witness[] }).samples.map(({ agent_id: id }) => id)).size === 2,
    'not both are heard',
  );
  const { samples } = body as { samples: Witness[] };
  t.equal(new Set(samples.map(({ message_id: id }) => id)).size, samples.length, 'no id twice');
  t.equal(new Set(samples.map(({ resource_id: id }) => id)).size, 1, 'one series');
  t.match((await ask(api.url, token, '/v1/conflicts')).body, { conflicts: [] });
  await Promise.all(witnesses.map(end));
});
interface Witness {
  readonly agent_id: string;
  readonly message_id: string;
  readonly resource_id: string;
}

void t.test('an agent that misses two polls is late, and well again when it goes on', async (t) => {
  const slow = await startAgent('node-8', {
    keyFile: issue('node-8', 1),
    dataDir: join(folder, 'node-8'),
    interval: '3s',
  });
  await agentUntil('node-8', 'node-8 is not heard', ({ state, last_batch: last }) => state === 'ok' && last !== null);
  slow.process.signal('SIGSTOP');
  await agentUntil('node-8', 'node-8 is not called late', ({ state }) => state === 'late');
  t.match(nephometer(['agents']), /node-8 +late/);
  await until(async () => / [1-9]/.test(await metric(api, 'nephometer_watch_agents{state="late"}')), {
    timeoutMs: 5_000,
    everyMs: 100,
    describe: () => 'no metric tells of it',
  });
  slow.process.signal('SIGCONT');
  const row = await agentUntil('node-8', 'node-8 stays late', ({ state }) => state === 'ok');
  t.match(row, { missing: 0, quarantined: 0 });
  t.equal(row.epochs.length, 1, 'it is the same process');
  t.notMatch(readFileSync(api.logFile, 'utf8'), /fell silent.*"agent":"node-8"/);
  await end(slow);
});

void t.test('an agent that falls silent is told of, by a state, a log line and a metric', async (t) => {
  const row = await agentUntil('central-1', 'central-1 is not called silent', ({ state }) => state === 'silent');
  t.equal(row.missing, 0);
  for (const { logFile } of [api, other]) {
    await until(() => /fell silent.*"agent":"central-1"/.test(readFileSync(logFile, 'utf8')), {
      timeoutMs: 15_000,
      everyMs: 200,
      describe: () => `${logFile} does not tell of it`,
    });
  }
  t.match(await metric(other, 'nephometer_watch_changes_total'), /state="silent"/);
  t.match(readFileSync(api.logFile, 'utf8'), /never heard.*"agent":"node-77"/);
});
