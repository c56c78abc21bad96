import { setTimeout as sleep } from 'node:timers/promises';
import { startInflux, until } from '../../servers/index.ts';
import { claim } from '../case.ts';
import type { Bench, CaseResult, ChaosCase } from '../case.ts';
import { startHttpProxy } from '../http-proxy.ts';
import type { HttpProxy } from '../http-proxy.ts';
import type { Lab } from '../lab.ts';
import { residentMiB } from '../memory.ts';

/** 13: no store for a while; the broker holds what comes, and the backlog drains faster than it grew. */
export const storeDown: ChaosCase = {
  number: 13,
  title: 'store down',
  seconds: 400,
  quick: true,
  async run(bench) {
    const { store, quick, long } = bench;
    const influx = store === 'influxdb' ? await startInflux() : null;
    if (influx !== null) bench.onEnd(() => influx.stop());
    // The embedded store has one collector; with a store that is shared there are two, as there would be.
    const lab = await bench.lab(influx === null ? {} : { influx: influx.url, side: { collectors: 2 } });
    const usual = { resources: 30, resendAfter: quick ? '10m' : '40s' };
    await lab.start(usual);
    for (let n = 1; n < (quick ? 2 : 4); n += 1) await lab.addAgent(usual);
    // As many repetitions of what has no receipt as the default of ten minutes gives in half an hour.
    // The embedded store is down when its process is.
    await (influx === null ? lab.side.stopCollectors() : influx.kill());
    const downSeconds = quick ? 12 : long ? 1800 : 120;
    await sleep(Math.min(10, downSeconds) * 1000);
    const held = await lab.queued();
    await sleep((downSeconds - Math.min(10, downSeconds)) * 1000);
    const { messageCount: backlog } = await lab.queued();
    const began = Date.now();
    await (influx === null ? lab.side.start() : influx.restart());
    const fresh = await lab.healed();
    await until(async () => (await lab.queued()).messageCount <= 2, {
      timeoutMs: 120_000,
      everyMs: 50,
      describe: () => 'the backlog does not drain',
    });
    const seconds = (Date.now() - began) / 1000;
    const arrival = backlog / downSeconds;
    const rate = backlog / seconds + arrival;
    return {
      lab,
      fresh,
      also: [
        claim(
          'the consumer was cancelled, the broker holds all',
          held.consumerCount === 0,
          `${held.consumerCount} consumers, ${held.messageCount} waiting after 10 s`,
        ),
        claim(
          'drains at three times the arrival or more',
          rate >= 3 * arrival,
          `${backlog} batches in ${seconds.toFixed(1)} s after ${downSeconds} s, arriving ${arrival.toFixed(1)}/s`,
        ),
      ],
    };
  },
};

/** 14: a store that takes its time, and now and then loses its answer after it has written. */
export const storeSlow: ChaosCase = {
  number: 14,
  title: 'store slow, timeouts after commit',
  seconds: 300,
  async run(bench) {
    return bench.store === 'influxdb' ? slowInflux(bench) : slowProcess(bench);
  },
};

async function slowInflux(bench: Bench): Promise<CaseResult> {
  const proxy = await startHttpProxy(bench.influx);
  bench.onEnd(() => proxy.close());
  const lab = await bench.lab({ influx: proxy.url });
  await lab.start();
  await lab.addAgent();
  const before = memoryOf(lab);
  let writes = 0;
  let lost = 0;
  proxy.decide = ({ path }) => {
    if (!path.startsWith('/write')) return {};
    writes += 1;
    const loseAnswer = writes % 10 === 0;
    if (loseAnswer) lost += 1;
    return { delayMs: 5_000, loseAnswer };
  };
  await sleep(bench.quick ? 15_000 : 60_000);
  const after = memoryOf(lab);
  proxy.decide = null;
  return slowResult(lab, before, after, `${writes} writes of 5 s, ${lost} answers lost`);
}

/** The embedded store is as slow as its process: it stands still, and is killed at whatever it does when it goes on. */
async function slowProcess(bench: Bench): Promise<CaseResult> {
  const lab = await bench.lab();
  await lab.start();
  await lab.addAgent();
  const before = memoryOf(lab);
  const rounds = bench.quick ? 2 : 8;
  for (let n = 0; n < rounds; n += 1) {
    for (const { process } of lab.side.collectors) process.signal('SIGSTOP');
    await sleep(5_000);
    for (const { process } of lab.side.collectors) process.signal('SIGCONT');
    // What came meanwhile is being recorded, or recorded and not acknowledged.
    if (n % 4 === 3) await lab.side.restartCollectors('kill');
    await sleep(1_000);
  }
  const after = memoryOf(lab);
  return slowResult(lab, before, after, `${rounds} times 5 s without a step, ${lab.side.kills} kills after it`);
}

function memoryOf({ side }: Lab): number {
  return Math.max(...side.collectors.map(({ process }) => residentMiB(process.pid)));
}

const MOST_GROWTH_MIB = 150;

async function slowResult(lab: Lab, before: number, after: number, how: string): Promise<CaseResult> {
  const fresh = await lab.healed();
  const found = `${before} MiB before, ${after} MiB at the end; ${how}`;
  return { lab, fresh, also: [claim('memory is bounded', after < before + MOST_GROWTH_MIB, found)] };
}

/** 15: the store refuses one batch for good, others for a while, and half of one. */
export const storeRejects: ChaosCase = {
  number: 15,
  title: 'store rejects some',
  seconds: 120,
  cannot: (store) => (store === 'duckdb' ? 'the embedded engine has no door at which another could refuse' : null),
  async run(bench) {
    const proxy = await startHttpProxy(bench.influx);
    bench.onEnd(() => proxy.close());
    const lab = await bench.lab({ influx: proxy.url });
    await lab.start();
    const agent = lab.forgedAgent('rejected');
    const slot = Math.floor(Date.now() / 60_000) * 60_000_000 - 600_000_000;
    const bad = [...REFUSALS.keys()].map((magic, n) =>
      agent.batch({ slot: slot + n * 1_000_000, unissued: true, metadata: { magic } }),
    );
    const good = Array.from({ length: 9 }, (_, n) => agent.batch({ slot: slot + (n + 10) * 60_000_000 }));
    const seen = rejectingWrites(proxy);
    // Good ones before, between and behind.
    await lab.publish(good.flatMap((one, n) => [one, ...bad.slice(n * 2, n * 2 + 2)]).map(({ body }) => body));
    await until(async () => (await lab.view.quarantine()).length >= bad.length, {
      timeoutMs: 60_000,
      everyMs: 300,
      describe: () => `the refused batches are not in quarantine; ${JSON.stringify(seen)}`,
    });
    await sleep(5_000);
    proxy.decide = null;
    const fresh = await lab.healed();
    const details = (await lab.view.quarantine()).map(({ detail }) => detail);
    return {
      lab,
      fresh,
      expected: { refused: { poison: bad.length } },
      also: [
        claim(
          'refused one by one, with what the store said',
          [...REFUSALS.values()].every(({ words }) => details.some((detail) => detail.includes(words))),
          `${details.length} batches alone in quarantine, ${good.length} good ones beside them recorded`,
        ),
        claim(
          'each kind of refusal was met',
          Object.values(seen).every((count) => count > 0),
          JSON.stringify(seen),
        ),
      ],
    };
  },
};

/** By a mark in the batch: how the store refuses it, in the words of its kind. */
const REFUSALS: ReadonlyMap<string, { readonly status: number; readonly words: string }> = new Map([
  ['refuse-type', { status: 400, words: 'field type conflict' }],
  ['refuse-age', { status: 400, words: 'points beyond retention policy' }],
  ['refuse-some', { status: 422, words: 'unprocessable entity' }],
  ['refuse-size', { status: 413, words: 'request entity too large' }],
]);

/** What holds a mark is refused by it, for good; others now and then by 500, or 201 with words of a partial write. */
function rejectingWrites(proxy: HttpProxy): Record<string, number> {
  const seen: Record<string, number> = { 'refuse-type': 0, 'refuse-age': 0, 'refuse-some': 0, 'refuse-size': 0 };
  Object.assign(seen, { '500': 0, '201 partial': 0 });
  const count = (kind: string): void => void (seen[kind] = (seen[kind] ?? 0) + 1);
  let writes = 0;
  proxy.decide = ({ path, body }) => {
    if (!path.startsWith('/write')) return {};
    for (const [mark, { status, words }] of REFUSALS) {
      if (!body.includes(mark)) continue;
      count(mark);
      return { answer: { status, body: JSON.stringify({ error: `partial write: ${words} dropped=1` }) } };
    }
    writes += 1;
    if (writes % 7 === 3) {
      count('500');
      return { answer: { status: 500, body: '{"error":"timeout"}' } };
    }
    if (writes % 7 === 6) {
      count('201 partial');
      return { answer: { status: 201, body: '{"error":"partial write: some points were dropped"}' } };
    }
    return {};
  };
  return seen;
}
