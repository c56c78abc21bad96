import { setTimeout as sleep } from 'node:timers/promises';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import { startProxy } from '../proxy.ts';
import { until } from '../../servers/index.ts';

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
    return { lab, fresh, also: [claim('it started by itself each time', agent.isRunning, `${kills} kills`)] };
  },
};

/** 2: the collector has committed, and dies before the broker hears of it. */
export const collectorKilled: ChaosCase = {
  number: 2,
  title: 'collector kill -9 between commit and ack',
  seconds: 120,
  quick: true,
  async run({ lab: newLab, quick, onEnd, say, broker: brokerUrl }) {
    const broker = new URL(brokerUrl);
    const proxy = await startProxy(Number(broker.port));
    onEnd(() => proxy.close());
    const through = new URL(broker);
    through.port = String(proxy.port);
    const lab = await newLab({ collectorBroker: through.href });
    await lab.start();
    const rounds = quick ? 1 : 3;
    let unacknowledged = 0;
    for (let n = 0; n < rounds; n += 1) {
      // Deliveries still come in; acknowledgements and receipts do not go out.
      proxy.weather.dropUp = true;
      const before = (await lab.view.ledger()).length;
      let after = before;
      await until(async () => (after = (await lab.view.ledger()).length) >= before + 2, {
        timeoutMs: 20_000,
        describe: () => 'nothing is committed while acknowledgements are held back',
      });
      unacknowledged += after - before;
      await lab.side.stopCollectors('kill');
      proxy.cut();
      proxy.clear();
      await lab.side.start();
    }
    const fresh = await lab.healed();
    const redelivered = await lab.side.counter('nephometer_collector_batches_total', 'outcome="duplicate"');
    say(`${unacknowledged} batches were committed and not acknowledged; the last collector saw ${redelivered} again`);
    return {
      lab,
      fresh,
      also: [
        claim(
          'redelivered, counted as duplicate',
          redelivered >= 2,
          `${redelivered} duplicates after the last kill, ${unacknowledged} unacknowledged in ${rounds} kills`,
        ),
      ],
    };
  },
};
