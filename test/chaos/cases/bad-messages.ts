import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@nephometer/core';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import { corpus, fuzzed } from '../corpus.ts';
import type { Lab } from '../lab.ts';
import { residentMiB } from '../memory.ts';
import { emptied, refusedSoFar } from './messages.ts';

const CRASH = fileURLToPath(new URL('../../../chaos/crash-on-magic.mjs', import.meta.url));
const MAGIC = 'the magic word that kills';

/** 19: a message on which the collector dies, each time that it reads it. */
export const poison: ChaosCase = {
  number: 19,
  title: 'poison message kills its handler',
  seconds: 180,
  quick: true,
  async run({ lab: newLab, onEnd, store }) {
    const env = { NODE_OPTIONS: `--import=${CRASH}` };
    const yaml = ['collector: {max_attempts: 3}'];
    const collectors = store === 'duckdb' ? 1 : 2;
    const lab = await newLab({ side: { yaml, collectorEnv: env, collectors, busYaml: ', delivery_limit: 3' } });
    const agent = await lab.start({ busYaml: ', delivery_limit: 3' });
    // As a service manager would: what dies is started again.
    const keeper = keepRunning(lab);
    onEnd(() => keeper.stop());
    const forged = lab.forgedAgent('poisoner');
    const slot = Math.floor(Date.now() / 1000) * 1_000_000 - 60_000_000;
    const killer = forged.batch({ slot, unissued: true, metadata: { magic: MAGIC } }).body;
    await lab.publish([killer]);
    const published = Date.now();
    const deadline = published + 120_000;
    let caught = 0;
    while (caught === 0 && Date.now() < deadline) {
      await sleep(500);
      caught = await lab.view.quarantine().then(
        ({ length }) => length,
        () => 0,
      );
    }
    const done = Date.now();
    const before = keeper.deaths;
    await lab.publish([killer]);
    await sleep(2_000);
    await emptied(lab);
    const { deaths } = keeper;
    await keeper.stop();
    const fresh = await lab.healed();
    const meanwhile = agent.issued().filter(({ at }) => at >= published && at < done).length;
    const recorded = (await lab.view.samples()).filter(
      ({ agent_id, recorded_at }) =>
        agent_id === agent.id && Date.parse(recorded_at) >= published && Date.parse(recorded_at) < done + 10_000,
    ).length;
    return {
      lab,
      fresh,
      expected: { refused: { poison: 1 } },
      also: [
        claim('quarantined after N tries', caught === 1 && before >= 4, `after ${before} deaths of a collector`),
        // One, and one that was not noticed yet when it was caught; unknown it would be as many as before.
        claim('sent again it is known', deaths - before <= 2, `after ${deaths - before} more`),
        claim('the others passed', recorded >= meanwhile, `${recorded} samples recorded, ${meanwhile} read meanwhile`),
      ],
    };
  },
};

/** Starts collectors anew that are dead; counts the deaths. */
function keepRunning(lab: Lab): { readonly deaths: number; stop(): Promise<void> } {
  let stopped = false;
  let deaths = 0;
  const loop = (async (): Promise<void> => {
    while (!stopped) {
      await sleep(100);
      deaths += await lab.side.revive().catch((cause: unknown) => {
        lab.say(String(cause));
        return 1;
      });
    }
  })();
  return {
    get deaths() {
      return deaths;
    },
    async stop() {
      stopped = true;
      await loop;
    },
  };
}

/** 20: everything that is no message. */
export const malformed: ChaosCase = {
  number: 20,
  title: 'malformed, wrong types, deep, NUL, 2^63, fuzz',
  seconds: 300,
  quick: true,
  async run({ lab: newLab, quick, long }) {
    // Room for all, so that each can be asked for: a minute of this is more than one sender may have in quarantine a day.
    const yaml = ['quarantine: {max_per_sender: 1GiB, max_per_day: 1GiB}'];
    const lab = await newLab({ tap: false, side: { yaml } });
    await lab.start({ resendAfter: '10m' });
    const pids = lab.side.collectors.map(({ process }) => process.pid);
    const forged = lab.forgedAgent('fuzzed');
    const slot = Math.floor(Date.now() / 1000) * 1_000_000 - 60_000_000;
    const seeds = Array.from(
      { length: 5 },
      (_, n) => forged.batch({ slot: slot + n, unissued: true, resources: 2 }).body,
    );
    // The quarantine keeps what is equal to the byte once.
    const sent = new Set<string>();
    const send = async (bodies: readonly Buffer[]): Promise<void> => {
      await lab.publish(bodies);
      for (const body of bodies) sent.add(sha256(body));
    };
    await send(corpus());
    const until = Date.now() + (quick ? 5_000 : long ? 600_000 : 60_000);
    while (Date.now() < until) {
      await send(Array.from({ length: 40 }, () => fuzzed(seeds)));
      await emptiedSoon(lab);
    }
    await refusedSoFar(lab, sent.size);
    const fresh = await lab.healed();
    const refused = await lab.view.quarantine();
    const reasons = new Set(refused.map(({ reason }) => reason));
    const same = lab.side.collectors.every(({ process }, n) => process.isRunning() && process.pid === pids[n]);
    return {
      lab,
      fresh,
      expected: { refusedAtLeast: Object.fromEntries([...reasons].map((reason) => [reason, 1])) },
      also: [
        claim('no crash', same, `pids ${pids.join(', ')}`),
        claim(
          'each rejected with its reason',
          refused.length === sent.size,
          `${refused.length} of ${sent.size}: ${[...reasons].sort().join(', ')}`,
        ),
      ],
    };
  },
};

async function emptiedSoon(lab: Lab): Promise<void> {
  for (let n = 0; n < 100 && (await lab.queue(lab.names.samples)).messageCount > 20; n += 1) await sleep(50);
}

const BOMB_MIB = 200;
const LARGE_MIB = 20;

/** 21: too large in every way. */
export const oversized: ChaosCase = {
  number: 21,
  title: 'oversized message, header table, bomb',
  seconds: 120,
  quick: true,
  async run({ lab: newLab }) {
    const lab = await newLab({ tap: false });
    await lab.start({ resendAfter: '10m' });
    const [collector] = lab.side.collectors;
    if (collector === undefined) throw new Error('There is no collector.');
    const reconnects = (): Promise<number> => lab.side.counter('nephometer_bus_reconnects_total');
    const connected = await reconnects();
    const memory = (): number => residentMiB(collector.process.pid);
    const before = memory();
    await lab.publish([gzipSync(Buffer.alloc(BOMB_MIB * 2 ** 20))], { contentEncoding: 'gzip' });
    const table = Object.fromEntries(
      Array.from({ length: 1500 }, (_, n) => [`key-${n}`, randomBytes(15).toString('hex')]),
    );
    const tabled = await lab.publish([Buffer.from('[]x')], { headers: table }).then(
      () => 'taken by the broker',
      (cause: unknown) => String(cause),
    );
    await emptied(lab);
    const unpacked = memory();
    const text = Buffer.alloc(LARGE_MIB * 2 ** 20, 0x61);
    await lab.publish([Buffer.concat([Buffer.from('{"oslo.version":"2.0","x":"'), text])]);
    await emptied(lab);
    const after = memory();
    const fresh = await lab.healed();
    const counted = await lab.view.quarantine();
    return {
      lab,
      fresh,
      expected: { refused: { malformed: counted.filter(({ reason }) => reason === 'malformed').length, oversized: 1 } },
      also: [
        claim(
          'all refused',
          counted.length >= 2,
          counted.map(({ reason, detail }) => `${reason} (${detail.slice(0, 60)})`).join('; '),
        ),
        claim(
          'the connection stays up',
          (await reconnects()) === connected,
          `header table of ${JSON.stringify(table).length} bytes: ${tabled}`,
        ),
        claim(
          'the bomb is not unpacked',
          unpacked < before + BOMB_MIB / 2,
          `${before} MiB before, ${unpacked} MiB after ${BOMB_MIB} MiB`,
        ),
        claim(
          'memory is bounded',
          after < unpacked + 8 * LARGE_MIB,
          `${after} MiB after a message of ${LARGE_MIB} MiB`,
        ),
      ],
    };
  },
};
