import { setTimeout as sleep } from 'node:timers/promises';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import { publishLoad } from '../load.ts';
import { linesOf } from '../logs.ts';
import { startProxy } from '../proxy.ts';
import { until } from '../../servers/index.ts';
import { emptied } from './messages.ts';

/** 1: the agent dies at any moment, also between a write and its flush. */
export const agentKilled: ChaosCase = {
  number: 1,
  title: 'agent kill -9',
  seconds: 300,
  quick: true,
  async run({ lab: newLab, long, quick }) {
    const lab = await newLab();
    const agent = await lab.start({ resources: 20 });
    const kills = quick ? 4 : long ? 200 : 20;
    for (let n = 0; n < kills; n += 1) {
      // Anywhere in the second; every third time right when a poll is on its way to the disk.
      await sleep(n % 3 === 0 ? 1000 - (Date.now() % 1000) + Math.random() * 30 : 400 + Math.random() * 1200);
      await agent.kill();
      await agent.start();
    }
    const fresh = await lab.healed();
    const damaged = linesOf(agent.logFiles).filter(({ sentence }) => /spool is damaged|spool lost/.test(sentence));
    return {
      lab,
      fresh,
      also: [
        claim('it started by itself each time', agent.isRunning, `${kills} kills`),
        // A commit of the spool is whole or not there; a file that was torn by other means is case 12.
        claim('no kill tore a record of the spool', damaged.length === 0, `${damaged.length} reports of damage`),
      ],
    };
  },
};

/** 2: the collector has committed, and dies before the broker hears of it. */
export const collectorKilled: ChaosCase = {
  number: 2,
  title: 'collector kill -9 between commit and ack',
  seconds: 120,
  quick: true,
  async run({ lab: newLab, quick, onEnd, broker: brokerUrl }) {
    const broker = new URL(brokerUrl);
    const proxy = await startProxy(Number(broker.port));
    onEnd(() => proxy.close());
    const through = new URL(broker);
    through.port = String(proxy.port);
    const lab = await newLab({ collectorBroker: through.href });
    // Nothing is sent again by the agent in time: what was taken and not recorded, the broker has to deliver again.
    await lab.start({ resendAfter: '10m' });
    const rounds = quick ? 1 : 3;
    const seen: { readonly unacknowledged: number; readonly again: number }[] = [];
    for (let n = 0; n < rounds; n += 1) {
      // Deliveries still come in; acknowledgements and receipts do not go out.
      proxy.weather.dropUp = true;
      const before = (await lab.view.ledger()).length;
      let after = before;
      await until(async () => (after = (await lab.view.ledger()).length) >= before + 2, {
        timeoutMs: 20_000,
        describe: () => 'nothing is committed while acknowledgements are held back',
      });
      await lab.side.stopCollectors('kill');
      proxy.cut();
      proxy.clear();
      await lab.side.start();
      // A started collector may not consume yet, and the next round must hold back what it takes.
      await lab.flows(Date.now(), 30_000);
      const again = await lab.side.counter('nephometer_collector_batches_total', 'outcome="duplicate"');
      seen.push({ unacknowledged: after - before, again });
    }
    const load = publishLoad(lab);
    for (let n = 0; n < 2 * rounds; n += 1) {
      // It wakes up to a heap of messages, and dies while they are on their way through it.
      for (const { process } of lab.side.collectors) process.signal('SIGSTOP');
      await sleep(1_500);
      for (const { process } of lab.side.collectors) process.signal('SIGCONT');
      await sleep(20 + Math.random() * 200);
      await lab.side.restartCollectors('kill');
      await sleep(500);
    }
    const { confirmed } = await load.stop();
    const fresh = await lab.healed();
    await emptied(lab);
    const words = seen.map(({ unacknowledged, again }) => `${unacknowledged} unacknowledged, ${again} came again`);
    const all = seen.every(({ unacknowledged, again }) => again >= unacknowledged);
    return {
      lab,
      fresh,
      also: [
        claim('redelivered after each kill, counted as duplicate', all, words.join('; ')),
        claim(
          'killed under load too',
          confirmed > 0,
          `${2 * rounds} kills during ${confirmed} batches without a spool`,
        ),
      ],
    };
  },
};
