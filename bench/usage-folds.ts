import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAY, ManualClock, MetricRegistry, MINUTE, parseTimestamp, SECOND, silentLogger } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import { openDuckDbStore } from '@nephometer/store-duckdb';
import { arrivalsOf, deskOver, keeperOf, recordArrivals } from '@nephometer/test/usage';
import type { Desk } from '@nephometer/test/usage';
import { scaled } from './batches.ts';
import type { Bench } from './measure.ts';
import { instancesOf } from './instances.ts';

const FROM: Micros = parseTimestamp('2026-03-01T00:00:00Z');
const INTERVAL = 30 * MINUTE;
const METER = 'vcpus';

/** A month of a hundred series after it has ended: from fold lines, beside the same question from its samples. */
export const usageFoldsBench: Bench = {
  name: 'usage-folds',
  title: 'usage of a month, by project and day, from fold lines beside from samples',
  unit: 'sample',
  async prepare(scale) {
    const folder = await mkdtemp(join(tmpdir(), 'nephometer-bench-'));
    const month = { from: FROM, to: FROM + scaled(31, scale) * DAY };
    const clock = new ManualClock(FROM);
    const stored = { log: silentLogger, metrics: new MetricRegistry(), clock };
    const store = await openDuckDbStore({ path: join(folder, 'store.duckdb'), ...stored });
    const plan = {
      from: month.from,
      to: month.to + DAY,
      interval: INTERVAL,
      agents: [instancesOf(METER, scaled(100, scale))],
    };
    await recordArrivals(store, clock, arrivalsOf(plan));
    clock.jump(DAY);
    const bySamples = deskOver(store, clock, { folds: { enabled: false } });
    const byFolds = deskOver(store, clock, {});
    await keeperOf(byFolds).run();
    const units = await askUsage(bySamples, month, clock.now());
    // Each question is as of another moment: an answer that is remembered would tell nothing.
    const before = (): void => clock.jump(SECOND);
    return {
      units,
      subjects: [
        { name: 'from samples', before, run: () => askUsage(bySamples, month, clock.now()) },
        { name: 'from fold lines', before, run: () => askUsage(byFolds, month, clock.now()) },
      ],
      async close() {
        await store.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

/** @returns how many samples the answer says it is made of */
async function askUsage(desk: Desk, { from, to }: { from: Micros; to: Micros }, asOf: Micros): Promise<number> {
  const [start, end] = [from, to].map((at) => new Date(at / 1000).toISOString());
  const asked = { meter: METER, kind: 'integral', window: 'day', group_by: 'project_id', from: start, to: end };
  const { lines } = await desk.ask(asked, asOf);
  return lines.reduce((sum, { samples }) => sum + samples, 0);
}
