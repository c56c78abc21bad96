import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import amqp from 'amqplib';
import { startRabbitCluster, until } from '../../servers/index.ts';
import type { RabbitCluster, RabbitServer } from '../../servers/index.ts';
import { claim } from '../case.ts';
import type { Bench, ChaosCase } from '../case.ts';
import type { ChaosAgent } from '../agent.ts';
import type { Lab } from '../lab.ts';
import { publishLoad } from '../load.ts';
import { sum } from '../metrics.ts';
import { startProxy } from '../proxy.ts';
import type { Proxy } from '../proxy.ts';

interface Clustered {
  readonly cluster: RabbitCluster;
  readonly lab: Lab;
  readonly agent: ChaosAgent;
  /** Before agents and collectors. */
  readonly agentDoor: Proxy;
  readonly leader: RabbitServer;
  readonly others: readonly RabbitServer[];
}

/** Three nodes; the queue's leader is one that nobody of ours is connected to. */
async function clustered(bench: Bench): Promise<Clustered> {
  const cluster = await startRabbitCluster(3);
  bench.onEnd(() => cluster.stop());
  const [first, second, third] = cluster.nodes;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes were asked for');
  const doors = [await startProxy(first.port), await startProxy(first.port)] as const;
  for (const door of doors) bench.onEnd(() => door.close());
  const through = (door: Proxy): string => first.url.replace(`:${first.port}`, `:${door.port}`);
  const [agentDoor, collectorDoor] = doors;
  const lab = await bench.lab({
    broker: through(agentDoor),
    collectorBroker: through(collectorDoor),
    direct: third.url,
  });
  const agent = await lab.start();
  // The queue was declared through the first node, so that is its leader. Now everyone goes elsewhere.
  agentDoor.target = second.port;
  collectorDoor.target = third.port;
  for (const door of doors) door.cut();
  await lab.flows(Date.now(), 30_000);
  const names = JSON.parse(await second.ctl('list_queues', 'name', 'leader', '--formatter', 'json')) as {
    name: string;
    leader: string;
  }[];
  const name = names.find((queue) => queue.name === lab.names.samples)?.leader;
  const leader = cluster.nodes.find(({ nodeName }) => nodeName === name) ?? first;
  return { cluster, lab, agent, agentDoor, leader, others: cluster.nodes.filter((node) => node !== leader) };
}

/** 4: the node that leads the queue is killed. */
export const leaderKilled: ChaosCase = {
  number: 4,
  title: 'broker node kill -9, the leader of three',
  seconds: 240,
  async run(bench) {
    const { lab, agent, leader } = await clustered(bench);
    const load = publishLoad(lab);
    await sleep(2_000);
    await leader.kill();
    let longest = 0;
    for (const end = Date.now() + 12_000; Date.now() < end; await sleep(100)) {
      longest = Math.max(longest, sum(await agent.metrics(), 'nephometer_bus_oldest_unconfirmed_seconds'));
    }
    const { confirmed, gap } = await load.stop();
    const fresh = await lab.healed();
    await leader.restart();
    await lab.flows(Date.now(), 30_000);
    return {
      lab,
      fresh,
      also: [
        claim(
          'confirms go on within 5 s',
          gap < 5 && confirmed > 0,
          `longest time without one ${gap.toFixed(2)} s, of ${confirmed} batches published meanwhile`,
        ),
        claim('those of the agent too', longest < 5, `its longest wait ${longest.toFixed(2)} s`),
      ],
    };
  },
};

/** 5: one node hears nothing of the two others for a minute; the agent is on the side of the one. */
export const partition: ChaosCase = {
  number: 5,
  title: 'broker partition, 60 s',
  seconds: 300,
  cannot: () => (canFilter() ? null : 'needs root and iptables on loopback'),
  async run(bench) {
    const { lab, agent, agentDoor, leader, others } = await clustered(bench);
    const [minority] = others;
    if (minority === undefined) throw new Error('three nodes were asked for');
    agentDoor.target = minority.port;
    agentDoor.cut();
    await lab.flows(Date.now(), 30_000);
    const probe = `${lab.namespace}.probe`;
    await confirmedBy(minority, probe);
    const heal = dropBetween(minority, [leader, ...others.slice(1)]);
    bench.onEnd(heal);
    await sleep(8_000);
    const confirmed = async (): Promise<number> =>
      sum(await agent.metrics(), 'nephometer_agent_published_total', 'result="confirmed"');
    const before = await confirmed();
    const spooledBefore = sum(await agent.metrics(), 'nephometer_agent_spool_samples');
    await sleep(bench.quick ? 10_000 : 52_000);
    const during = (await confirmed()) - before;
    const spooled = sum(await agent.metrics(), 'nephometer_agent_spool_samples');
    const recorded = new Set((await lab.view.ledger()).map(({ digest }) => digest)).size;
    heal();
    // TCP waits long before it tries again what was dropped; the fault ends when the nodes talk to each other.
    const healed = Date.now();
    await until(() => confirmedBy(minority, probe), {
      timeoutMs: 120_000,
      describe: () => 'the nodes do not talk again',
    });
    lab.say(`the broker was whole ${((Date.now() - healed) / 1000).toFixed(1)} s after the line was`);
    const fresh = await lab.healed();
    return {
      lab,
      fresh,
      also: [
        claim('the minority confirms nothing', during === 0, `${during} batches confirmed in the partition`),
        claim(
          'the spool grows',
          spooled > spooledBefore,
          `${spooledBefore} samples spooled, then ${spooled}; ${recorded} batches in the ledger meanwhile`,
        ),
      ],
    };
  },
};

/** Whether a quorum queue of the judge's own takes a message through this node. */
async function confirmedBy(node: RabbitServer, queue: string): Promise<boolean> {
  const connection = await amqp.connect(node.url, { timeout: 3_000 }).catch(() => null);
  if (connection === null) return false;
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    const confirmed = (async (): Promise<true> => {
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      channel.sendToQueue(queue, Buffer.from('probe'), { persistent: true });
      await channel.waitForConfirms();
      return true;
    })();
    return await Promise.race([confirmed, sleep(2_000).then(() => false)]).catch(() => false);
  } finally {
    await Promise.race([connection.close().catch(() => undefined), sleep(1_000)]);
  }
}

function canFilter(): boolean {
  try {
    execFileSync('iptables', ['-w', '-L', 'INPUT', '-n'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}

/** Drops what goes between one node and the others, by the ports of the connections that they have; returns the way back. */
function dropBetween(node: RabbitServer, others: readonly RabbitServer[]): () => void {
  const rules: string[][] = [];
  const ports = others.map(({ distributionPort }) => distributionPort);
  const drop = (...match: string[]): void =>
    void rules.push(['INPUT', '-i', 'lo', '-p', 'tcp', ...match, '-j', 'DROP']);
  drop('--dport', String(node.distributionPort));
  drop('--sport', String(node.distributionPort));
  for (const { local, remote } of connectionsOf(node.pid)) {
    if (!ports.includes(remote)) continue;
    drop('--sport', String(local), '--dport', String(remote));
    drop('--sport', String(remote), '--dport', String(local));
  }
  for (const rule of rules) execFileSync('iptables', ['-w', '-I', ...rule]);
  let healed = false;
  return () => {
    if (healed) return;
    healed = true;
    for (const rule of rules) execFileSync('iptables', ['-w', '-D', ...rule]);
  };
}

/** Established TCP connections of a process over IPv4 (and IPv4 in IPv6), by port. */
function connectionsOf(pid: number): { local: number; remote: number }[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) => {
    const file = `/proc/net/${table}`;
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
        if (state !== '01' || !inodes.has(inode)) return [];
        const port = (address: string): number => Number.parseInt(address.split(':')[1] ?? '0', 16);
        return [{ local: port(local), remote: port(remote) }];
      });
  });
}
