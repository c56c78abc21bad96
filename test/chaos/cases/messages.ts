import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE } from '@nephometer/core';
import { ask } from '../../acceptance/nephometer.ts';
import { until } from '../../servers/index.ts';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import type { Lab } from '../lab.ts';

/** 17: each message comes three times more. */
export const delivered3Times: ChaosCase = {
  number: 17,
  title: 'duplicate delivery, each message 3 times',
  seconds: 90,
  quick: true,
  async run({ lab: newLab, quick }) {
    const lab = await newLab();
    // No receipt is late enough that an agent sends again by itself: every duplicate is ours.
    await lab.start({ resendAfter: '10m' });
    await sleep(quick ? 3_000 : 10_000);
    const bodies = [...(lab.tap?.batches.values() ?? [])].map(({ body }) => body);
    for (let n = 0; n < 3; n += 1) await lab.publish(bodies);
    const fresh = await lab.healed();
    await emptied(lab);
    return { lab, fresh, expected: { duplicates: 3 * bodies.length } };
  },
};

/** 18: an hour's batches in any order, to two collectors; the same in order, to another store. */
export const reordered: ChaosCase = {
  number: 18,
  title: 'reordered delivery of an hour',
  seconds: 120,
  quick: true,
  async run({ lab: newLab, store }) {
    const lab = await newLab({ side: { collectors: store === 'duckdb' ? 1 : 2 } });
    await lab.start();
    const agent = lab.forgedAgent('hour');
    const hour = Math.floor((Date.now() * 1000) / MINUTE) * MINUTE - 90 * MINUTE;
    const batches = Array.from({ length: 60 }, (_, index) => agent.batch({ slot: hour + index * MINUTE }));
    const shuffled = batches.map(({ body }) => ({ body, at: Math.random() })).toSorted((a, b) => a.at - b.at);
    await lab.publish(shuffled.map(({ body }) => body));
    const sorted = await newLab({ tap: false, secret: lab.secret });
    await sorted.side.start();
    await until(async () => (await sorted.queue(sorted.names.samples).catch(() => null)) !== null, {
      timeoutMs: 20_000,
      describe: () => 'the second collector declares no queue',
    });
    await sorted.publish(batches.map(({ body }) => body));
    const fresh = await lab.healed();
    const one = await rollup(lab, batches.length);
    const other = await rollup(sorted, batches.length);
    const lines = (JSON.parse(one) as unknown[]).length;
    return {
      lab,
      fresh,
      also: [
        claim(
          'the rollup equals the sorted run',
          one === other && lines > 0,
          `${lines} lines by ten minutes and resource`,
        ),
      ],
    };
  },
};

/** Statistics of the hour by ten minutes and resource, once all is recorded. */
async function rollup(lab: Lab, batches: number): Promise<string> {
  const count = async (): Promise<number> =>
    (await lab.view.ledger()).filter(({ agent_id }) => agent_id === 'hour').length;
  await until(async () => (await count()) === batches, {
    timeoutMs: 30_000,
    describe: () => 'batches of the hour are missing',
  });
  const aggregates = ['count', 'sum', 'min', 'max', 'avg'].map((name) => `aggregate.func=${name}`).join('&');
  const path = `/v2/meters/chaos.level/statistics?period=600&groupby=resource_id&${aggregates}`;
  const hour = '&q.field=project_id&q.op=eq&q.value=project-forged';
  const { status, body } = await ask(lab.side.url, lab.token, path + hour);
  if (status !== 200) throw new Error(`${path} answers ${status}: ${JSON.stringify(body)}`);
  return JSON.stringify(body);
}

/** Waits until no message waits in the queue, and all taken are settled. */
export async function emptied(lab: Lab): Promise<void> {
  await until(async () => (await lab.queued()).messageCount === 0, {
    timeoutMs: 60_000,
    everyMs: 200,
    describe: () => 'messages stay in the queue',
  });
  await sleep(1_500);
}

/** Waits until so many messages are in quarantine, or no more come; the judge says which. */
export async function refusedSoFar(lab: Lab, count: number): Promise<void> {
  const enough = async (): Promise<boolean> => (await lab.view.quarantine()).length >= count;
  await until(enough, { timeoutMs: 150_000, everyMs: 2_000, describe: () => 'refusals are missing' }).catch(
    () => undefined,
  );
}
