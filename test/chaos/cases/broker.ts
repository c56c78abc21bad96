import { setTimeout as sleep } from 'node:timers/promises';
import { claim } from '../case.ts';
import type { Bench, ChaosCase } from '../case.ts';
import type { RabbitServer } from '../../servers/index.ts';
import { until } from '../../servers/index.ts';
import type { Lab } from '../lab.ts';
import { sum } from '../metrics.ts';
import { startProxy } from '../proxy.ts';
import { agentCounter } from './agents.ts';
import { sentencesOf, warningsOf } from '../logs.ts';

/** 3: the broker is stopped and started under load, gracefully and not. */
export const brokerRestart: ChaosCase = {
  number: 3,
  title: 'broker restart',
  seconds: 240,
  async run({ lab: newLab, rabbit: newRabbit }) {
    const rabbit = await newRabbit();
    const lab = await newLab({ broker: rabbit.url });
    const agent = await lab.start({ resources: 20 });
    await lab.addAgent();
    const pids = lab.agents.map(({ daemon }) => daemon.process.pid);
    for (let n = 0; n < 2; n += 1) {
      await rabbit.restart();
      await lab.flows(Date.now(), 30_000);
    }
    // The queue is on the broker's disk by now: see FIELD-NOTES on queues that are younger than a restart.
    await rabbit.kill();
    await sleep(4_000);
    await rabbit.restart();
    const fresh = await lab.healed();
    const reconnects = sum(await agent.metrics(), 'nephometer_bus_reconnects_total');
    const same = lab.agents.every(
      ({ daemon }, index) => daemon.process.isRunning() && daemon.process.pid === pids[index],
    );
    return {
      lab,
      fresh,
      also: [
        claim('agents went on in the same process', same, `pids ${pids.join(', ')}`),
        claim('the link was made again', reconnects >= 3, `${reconnects} reconnects of one agent`),
        claim(
          'a broker that goes away is no error of ours',
          sentencesOf(warningsOf(lab), 'error').length === 0,
          sentencesOf(warningsOf(lab)).slice(0, 3).join(' '),
        ),
      ],
    };
  },
};

/** 6: a line is cut, then half-open: nobody hears anything, and no FIN tells it. */
export const halfOpen: ChaosCase = {
  number: 6,
  title: 'connection cut, half-open',
  seconds: 150,
  async run({ lab: newLab, broker, onEnd }) {
    const proxy = await startProxy(Number(new URL(broker).port));
    onEnd(() => proxy.close());
    const url = new URL(broker);
    url.port = String(proxy.port);
    const lab = await newLab({ broker: url.href, direct: broker });
    await lab.start();
    for (let n = 0; n < 5; n += 1) {
      proxy.cut();
      await sleep(1500);
    }
    await lab.flows(Date.now(), 20_000);
    const [before, lines] = [proxy.ended, proxy.open];
    proxy.blackHole();
    const began = Date.now();
    await until(() => proxy.ended >= before + lines, {
      timeoutMs: 40_000,
      everyMs: 50,
      describe: () => `of ${lines} lines ${proxy.ended - before} were noticed to be dead`,
    });
    const waited = (Date.now() - began) / 1000;
    await sleep(Math.max(0, began + 20_000 - Date.now()));
    proxy.cut();
    proxy.clear();
    const fresh = await lab.healed();
    const found = `the last of ${lines} lines was given up after ${waited.toFixed(1)} s, heartbeat 5 s`;
    return { lab, fresh, also: [claim('detected within two heartbeats', waited <= 2 * 5 + 0.5, found)] };
  },
};

/** 9: the queue is deleted under load; then the broker's data are removed while agents publish. */
export const brokerWiped: ChaosCase = {
  number: 9,
  title: "queue deleted, broker's data wiped",
  seconds: 300,
  async run(bench) {
    const rabbit = await bench.rabbit();
    const lab = await bench.lab({ broker: rabbit.url, tap: false });
    await lab.start({ resources: 20 });
    const agents = bench.long ? 100 : bench.quick ? 2 : 10;
    for (let n = 1; n < agents; n += 5) {
      await Promise.all(
        Array.from({ length: Math.min(5, agents - n) }, () => lab.addAgent({ interval: bench.long ? 5 : 1 })),
      );
    }
    await lab.withChannel(async (channel) => {
      for (const queue of [lab.names.samples, lab.names.backlog]) await channel.deleteQueue(queue);
    });
    await until(() => isThere(lab), {
      timeoutMs: 30_000,
      everyMs: 300,
      describe: () => 'the queue is not declared again',
    });
    await lab.flows(Date.now(), 20_000);
    await wipeUnderLoad(rabbit, lab, bench);
    const fresh = await lab.healed(bench.long ? 30_000 : 10_000);
    const redeclared = await isThere(lab);
    const told = sentencesOf(warningsOf(lab));
    const confirmed = await agentCounter(lab, 'nephometer_agent_published_total', 'result="confirmed"');
    const batches = await agentCounter(lab, 'nephometer_agent_batches_total');
    return {
      lab,
      fresh,
      also: [
        claim('queues declared again', redeclared, `${lab.names.samples}, ${lab.names.backlog}`),
        claim('told to the operator', told.length > 0, told.slice(0, 3).join(' ')),
        claim(
          'what had no receipt was sent again',
          confirmed > batches,
          `${confirmed} confirms for ${batches} batches`,
        ),
      ],
    };
  },
};

/** Once while all is taken at once, and once while confirmed messages wait in the queue. */
async function wipeUnderLoad(rabbit: RabbitServer, lab: Lab, { quick }: Bench): Promise<void> {
  await rabbit.wipe();
  if (quick) return;
  await lab.flows(Date.now(), 30_000);
  await lab.side.stopCollectors();
  await sleep(3_000);
  const { messageCount } = await lab.queued();
  lab.say(`${messageCount} confirmed messages are wiped away with the broker's data`);
  await rabbit.wipe();
  await lab.side.start();
}

/** Without an error on a channel that others use. */
async function isThere(lab: Lab): Promise<boolean> {
  try {
    const queues = [await lab.queue(lab.names.samples), await lab.queue(lab.names.backlog)];
    return queues.every(({ consumerCount }) => consumerCount > 0);
  } catch {
    return false;
  }
}

/** 10: nothing is bound any more; what is published goes nowhere, until the agent has bound the queues again. */
export const unroutable: ChaosCase = {
  number: 10,
  title: 'unroutable: the queue is unbound',
  seconds: 120,
  quick: true,
  async run({ lab: newLab }) {
    const lab = await newLab({ tap: false });
    const agent = await lab.start();
    const { samples, backlog, exchange, sampleKey, backlogKey } = lab.names;
    const counted = async (result: string): Promise<number> =>
      sum(await agent.metrics(), 'nephometer_agent_published_total', `result="${result}"`);
    const before = await counted('refused');
    await lab.withChannel(async (channel) => {
      await channel.unbindQueue(samples, exchange, sampleKey);
      await channel.unbindQueue(backlog, exchange, backlogKey);
    });
    let refused = 0;
    await until(async () => (refused = (await counted('refused')) - before) > 0, {
      timeoutMs: 15_000,
      everyMs: 100,
      describe: () => 'nothing was refused',
    });
    const fresh = await lab.healed();
    const told = sentencesOf(warningsOf(lab));
    // An agent that took a message without a queue for delivered would have more confirms than there are batches.
    const compared = async (): Promise<[number, number]> => [
      await counted('confirmed'),
      (await lab.view.ledger()).filter(({ agent_id: id }) => id === agent.id).length,
    ];
    let [confirmed, recorded] = await compared();
    await until(
      async () => {
        [confirmed, recorded] = await compared();
        return confirmed === recorded;
      },
      { timeoutMs: 10_000, everyMs: 200, describe: () => `${confirmed} confirms, ${recorded} batches` },
    ).catch(() => undefined);
    return {
      lab,
      fresh,
      also: [
        claim('what found no queue was refused', refused > 0, `${refused} batches, which stay in the spool`),
        claim('each confirm is of a batch in the ledger', confirmed === recorded, `${confirmed} of ${recorded}`),
        claim(
          'told to the operator',
          told.some((one) => /found no queue/.test(one)),
          told.slice(0, 2).join(' '),
        ),
      ],
    };
  },
};
