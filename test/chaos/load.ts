import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './lab.ts';

const PUBLISH_EVERY_MS = 20;
const BEGAN_BEFORE_MS = 1_800_000;

export interface Load {
  /** Batches that the broker confirmed, and the longest time in seconds without a confirm. */
  stop(): Promise<{ readonly confirmed: number; readonly gap: number }>;
}

/**
 * Publishes batches of a forged agent all the time, straight to the broker, and notes when confirms come. No spool stands
 * behind them: only the broker can deliver them again.
 */
export function publishLoad(lab: Lab): Load {
  const forged = lab.forgedAgent('load');
  const first = Math.floor((Date.now() - BEGAN_BEFORE_MS) / 60_000) * 60_000_000;
  let stopped = false;
  let confirmed = 0;
  let gap = 0;
  const running = lab.withChannel(async (channel) => {
    let last = Date.now();
    const { exchange, sampleKey } = lab.names;
    for (let n = 0; !stopped; n += 1, await sleep(PUBLISH_EVERY_MS)) {
      const { body } = forged.batch({ slot: first + n * 1_000_000, resources: 1 });
      channel.publish(exchange, sampleKey, body, { persistent: true, contentType: 'application/json' }, (cause) => {
        if (cause !== null) return;
        confirmed += 1;
        gap = Math.max(gap, (Date.now() - last) / 1000);
        last = Date.now();
      });
    }
    await channel.waitForConfirms();
  });
  return {
    async stop() {
      stopped = true;
      await running;
      return { confirmed, gap };
    },
  };
}
