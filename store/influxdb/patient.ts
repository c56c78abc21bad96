import { setTimeout as sleep } from 'node:timers/promises';
import type { InfluxClient } from './client.ts';
import { NotNow } from './failures.ts';

/** Pauses between the tries of one write. */
const PAUSES_MS = [20, 100, 300];

/**
 * The same client, which writes again what a server that is there now and then did not take, within the time that the
 * write has: the same lines at the same places make nothing twice. Without it a server that fails one write in five never
 * takes the dozen that record a group, since the first that fails begins all of it anew.
 */
export function patient(client: InfluxClient, timeoutMs: number): InfluxClient {
  return {
    ...client,
    async write(lines, limitMs = timeoutMs) {
      const end = performance.now() + limitMs;
      for (const pause of PAUSES_MS) {
        try {
          return await client.write(lines, Math.max(1, Math.floor(end - performance.now())));
        } catch (cause) {
          if (!(cause instanceof NotNow) || performance.now() + pause >= end) throw cause;
        }
        await sleep(pause);
      }
      await client.write(lines, Math.max(1, Math.floor(end - performance.now())));
    },
  };
}
