import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'amqplib';
import t from 'tap';
import { busNames } from '@nephometer/core';
import { StoreView } from '../chaos/store-view.ts';
import { Fleet } from '../fleet/fleet.ts';
import { differences, NO_DIFFERENCE } from '../fleet/same.ts';
import { startRabbit, temporaryFolder, uniqueName, until } from '../servers/index.ts';
import { startDaemon } from './nephometer.ts';

const AGENTS = 100;
const folder = temporaryFolder('nephometer-wiped');
const master = randomBytes(32).toString('hex');
const token = randomBytes(24).toString('base64url');
const masterFile = join(folder, 'master');
const tokenFile = join(folder, 'token');
writeFileSync(masterFile, master, { mode: 0o600 });
writeFileSync(tokenFile, token, { mode: 0o600 });

const namespace = uniqueName('wiped');
const names = busNames(namespace);
const rabbit = await startRabbit();
const server = await startDaemon({
  args: ['run', 'collector', 'api'],
  config: [
    `bus: {namespace: ${namespace}, reconnect_max: 2s, heartbeat: 5s}`,
    `api: {tokens: [{name: judge, role: admin, file: ${tokenFile}}]}`,
    `signing: {master_key_file: ${masterFile}}`,
    "disabled_plugins: ['*']",
  ].join('\n'),
  env: { NEPHOMETER_BUS_URL: rabbit.url },
});
const store = new StoreView(() => server.url, token);
const fleet = new Fleet({
  agents: AGENTS,
  processes: 4,
  bus: rabbit.url,
  namespace,
  master: Buffer.from(master),
  resendAfter: '3s',
  resources: 3,
  intervalMs: 1000,
});
t.teardown(async () => {
  await fleet.kill();
  await server.process.end();
  await rabbit.stop();
});

const agentsOf = (lines: readonly { readonly agent: string }[]): number =>
  new Set(lines.map(({ agent }) => agent)).size;

/** Messages that the broker has confirmed and nobody has taken yet. */
async function queued(): Promise<number> {
  const connection = await connect(rabbit.url);
  try {
    const channel = await connection.createChannel();
    const [fresh, backlog] = [await channel.checkQueue(names.samples), await channel.checkQueue(names.backlog)];
    return fresh.messageCount + backlog.messageCount;
  } finally {
    await connection.close();
  }
}

void t.test(
  "a hundred agents publish while the broker's data are deleted: every sample is in the ledger once",
  async (t) => {
    await until(async () => new Set((await store.ledger()).map(({ agent_id: id }) => id)).size === AGENTS, {
      timeoutMs: 60_000,
      everyMs: 500,
      describe: () => `not every agent is heard:\n${fleet.lastOutput}\n${server.process.lastOutput()}`,
    });
    // So that the broker holds what it has confirmed and the ledger has not: what is deleted now is deleted for good.
    server.process.signal('SIGSTOP');
    await until(async () => (await queued()) >= AGENTS, {
      timeoutMs: 30_000,
      describe: () => 'nothing waits in the queue',
    });
    const waiting = await queued();
    await rabbit.kill();
    rmSync(rabbit.dataDir, { recursive: true });
    server.process.signal('SIGCONT');
    const wiped = fleet.oracle().spooled.length;
    await rabbit.restart();
    await until(() => agentsOf(fleet.oracle().spooled.slice(wiped)) === AGENTS, {
      timeoutMs: 40_000,
      describe: () => 'not every agent goes on',
    });
    await sleep(3000);
    await fleet.end();

    const { issued, spooled, left } = fleet.oracle();
    t.comment(
      `${waiting} batches wiped; ${spooled.length} batches, ${spooled.flatMap(({ ids }) => ids).length} samples`,
    );
    t.equal(left.size, AGENTS);
    const stuck = [...left].filter(([, batches]) => batches > 0);
    t.same(stuck, [], stuck.length === 0 ? 'all spools are empty' : `spools are not empty:\n${fleet.lastOutput}`);
    const [samples, ledger, quarantined] = await Promise.all([store.samples(), store.ledger(), store.quarantine()]);
    const digests = spooled.map(({ digest }) => digest);
    t.same(differences(idsOf(ledger, 'digest'), digests), NO_DIFFERENCE, 'each batch is in the ledger once');
    const ids = spooled.flatMap((batch) => batch.ids);
    t.same(differences(idsOf(samples, 'message_id'), ids), NO_DIFFERENCE, 'each sample is in the store once');
    const found = samples.map((one) => {
      return JSON.stringify([one.resource_id, one.counter_name, one.counter_volume, one.resource_metadata['issue']]);
    });
    const given = issued.flatMap(({ readings }) => readings.map((reading) => JSON.stringify(reading)));
    t.same(
      differences(found, given),
      NO_DIFFERENCE,
      'what pollsters gave is there once, with its value, and nothing else',
    );
    const counted = ledger.reduce((sum, { samples: of }) => sum + of, 0);
    t.equal(counted, samples.length, 'no row counts a sample that is not there');
    t.same(quarantined, [], 'nothing was refused');
  },
);

function idsOf<K extends string>(rows: readonly Readonly<Record<K, string>>[], key: K): string[] {
  return rows.map((row) => row[key]);
}
