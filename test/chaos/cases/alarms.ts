import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../servers/index.ts';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import { residentMiB } from '../memory.ts';
import { sum } from '../metrics.ts';

/** 7: the broker asks publishers to wait, for a minute. */
export const memoryAlarm: ChaosCase = {
  number: 7,
  title: "broker's memory alarm",
  seconds: 240,
  async run({ lab: newLab, rabbit: newRabbit, quick }) {
    const rabbit = await newRabbit();
    const lab = await newLab({ broker: rabbit.url });
    const agent = await lab.start({ resources: 30 });
    const { pid } = agent.daemon.process;
    const reconnects = async (): Promise<number> => sum(await agent.metrics(), 'nephometer_bus_reconnects_total');
    const [before, connected] = [residentMiB(pid), await reconnects()];
    await rabbit.ctl('set_vm_memory_high_watermark', 'absolute', '1MB');
    await until(async () => sum(await agent.metrics(), 'nephometer_bus_blocked') > 0, {
      timeoutMs: 20_000,
      describe: () => 'the agent does not see that it is blocked',
    });
    let most = before;
    for (const end = Date.now() + (quick ? 5_000 : 60_000); Date.now() < end; await sleep(500)) {
      most = Math.max(most, residentMiB(pid));
    }
    const ready = await fetch(`${agent.daemon.url}/readyz`);
    const said = await ready.text();
    await rabbit.ctl('set_vm_memory_high_watermark', '0.4');
    const fresh = await lab.healed();
    const made = (await reconnects()) - connected;
    return {
      lab,
      fresh,
      also: [
        claim('memory is flat', most < before + 40, `${before} MiB before, at most ${most} MiB meanwhile`),
        claim('readiness is degraded', ready.status === 503, `${ready.status}: ${said.slice(0, 120)}`),
        claim('no reconnect loop', made === 0, `${made} reconnects`),
      ],
    };
  },
};

/** 8: somebody else declared the queue, otherwise; trying again does not help. */
export const topologyError: ChaosCase = {
  number: 8,
  title: 'permanent topology error',
  seconds: 90,
  quick: true,
  async run({ lab: newLab }) {
    const lab = await newLab({ tap: false });
    await lab.withChannel((channel) => channel.assertQueue(lab.names.samples, { durable: true }));
    const agent = lab.newAgent();
    const { code, output, seconds } = await agent.runToEnd(30_000);
    await lab.withChannel((channel) => channel.deleteQueue(lab.names.samples));
    await lab.side.start();
    await agent.start();
    const fresh = await lab.healed();
    const named = output.includes(lab.names.samples) && /delete the queue/.test(output);
    return {
      lab,
      fresh,
      also: [
        claim('exits with a code of its own', code !== null && code > 1, `exit code ${code}`),
        claim('within 10 s', seconds < 10, `${seconds.toFixed(1)} s`),
        claim(
          'says what would be right',
          named,
          output
            .split('\n')
            .find((line) => line.includes(lab.names.samples))
            ?.slice(0, 160) ?? '',
        ),
      ],
    };
  },
};
