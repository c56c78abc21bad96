import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAY, ManualClock, MetricRegistry, MINUTE, parseTimestamp, SECOND, silentLogger } from '@nephometer/core';
import type { Micros, Store } from '@nephometer/core';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import { arrivalsOf, recordArrivals, startApi } from '@nephometer/test/usage';
import type { Asking } from '@nephometer/test/usage';
import { scaled } from './batches.ts';
import type { Bench } from './measure.ts';
import { instancesOf } from './instances.ts';

const FROM: Micros = parseTimestamp('2026-03-01T00:00:00Z');
const INTERVAL = 10 * MINUTE;
const METER = 'vcpus';

/** What the first of a month costs a biller: every project's vCPU-hours, day by day, from the samples. */
export const usageBench: Bench = {
  name: 'usage',
  title: 'usage of a month, by project and day, beside reading its samples from the store',
  unit: 'sample',
  async prepare(scale) {
    const folder = await mkdtemp(join(tmpdir(), 'nephometer-bench-'));
    const month = { from: FROM, to: FROM + scaled(31, scale) * DAY };
    const clock = new ManualClock(FROM);
    const stored = { log: silentLogger, metrics: new MetricRegistry(), clock };
    const store = await openDuckDbStore({ path: join(folder, 'store.duckdb'), ...stored });
    const agents = [instancesOf(METER, scaled(5, scale))];
    await recordArrivals(store, clock, arrivalsOf({ ...month, interval: INTERVAL, agents }));
    clock.jump(DAY);
    const api = await startApi(store, clock, { folds: { enabled: false } });
    const units = await countReadings(store, month);
    // Each question is as of another moment: an answer that is remembered would tell nothing.
    const before = (): void => clock.jump(SECOND);
    return {
      units,
      subjects: [
        { name: 'store.readings', run: () => countReadings(store, month) },
        { name: 'GET /v1/usage', before, run: () => askUsage(api, month) },
      ],
      async close() {
        await api.stop();
        await store.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

interface Month {
  readonly from: Micros;
  readonly to: Micros;
}

async function countReadings(store: Store, { from, to }: Month): Promise<number> {
  let count = 0;
  for await (const page of store.readings({ meter: METER, from, to, before: 0, after: 0 })) count += page.length;
  return count;
}

/** @returns how many samples the answer says it is made of */
async function askUsage(api: Asking, { from, to }: Month): Promise<number> {
  const [start, end] = [from, to].map((at) => new Date(at / 1000).toISOString());
  // Another hold than the default one is answered from samples: fold lines are kept for the defaults.
  const asked = `max_hold=20m&meter=${METER}&kind=integral&window=day&group_by=project_id&from=${start}&to=${end}`;
  const { status, text } = await api.get(`/v1/usage?${asked}&limit=1000`);
  if (status !== 200) throw new Error(`GET /v1/usage: ${status} ${text}`);
  const { lines } = JSON.parse(text) as { lines: { samples: number }[] };
  return lines.reduce((sum, { samples }) => sum + samples, 0);
}
