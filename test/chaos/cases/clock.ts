import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMeteringEnvelope } from '@nephometer/core';
import { until } from '../../servers/index.ts';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import type { Lab } from '../lab.ts';
import { sum } from '../metrics.ts';

const LIBRARY = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
].find((path) => existsSync(path));
const HOUR_S = 3600;

/** 16: the wall clock of an agent is set back and ahead, slewed, and repeats a second. */
export const clockJumps: ChaosCase = {
  number: 16,
  title: 'clock jump of an hour, slew, leap',
  seconds: 180,
  cannot: () => (LIBRARY === undefined ? 'needs libfaketime (package faketime)' : null),
  async run({ lab: newLab, quick }) {
    const lab = await newLab();
    const clock = join(lab.folder, 'clock');
    const set = (seconds: number): void => writeFileSync(clock, `${seconds < 0 ? '' : '+'}${seconds}`);
    set(0);
    await lab.side.start();
    await lab.tap?.start();
    const agent = lab.newAgent();
    const fake = {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
    await agent.start({ ...fake, FAKETIME_DONT_RESET: '1' });
    await lab.flows(Date.now(), 40_000);
    const pause = quick ? 4_000 : 8_000;
    const cadence: number[] = [];
    let flagged = 0;
    for (const offset of [0.3, -0.7, -HOUR_S, 0, 1, 0, HOUR_S, 0]) {
      set(offset);
      const skews: number[] = [];
      const polls = pollsOf(agent.issued());
      for (const end = Date.now() + pause; Date.now() < end; await sleep(500)) skews.push(await skewOf(lab, agent.id));
      if (offset === 1) flagged = Math.max(...skews);
      cadence.push(pollsOf(agent.issued()) - polls);
    }
    const setBack = sum(await agent.metrics(), 'nephometer_agent_clock_set_back_total');
    const due = pause / 1000;
    const fresh = await lab.healed();
    await sleep(2_000);
    const refusedBatches = aheadOfTime(lab);
    await until(async () => (await lab.view.quarantine()).length >= refusedBatches.size, {
      timeoutMs: 20_000,
      describe: () => `${refusedBatches.size} batches are an hour ahead and not all are refused`,
    });
    const slots = (await lab.view.ledger()).flatMap(({ epoch, header }) =>
      (header?.cycles ?? []).filter(({ outcome }) => outcome === 'ran').map(({ scheduled }) => `${epoch} ${scheduled}`),
    );
    return {
      lab,
      fresh,
      expected: { clockSet: true, refusedBatches, refused: { future: refusedBatches.size } },
      also: [
        claim(
          'the cadence is unchanged',
          cadence.every((polls) => Math.abs(polls - due) <= 1 + due / 4),
          `${cadence.join(', ')} polls in ${due} s each`,
        ),
        claim('no slot twice in an epoch', new Set(slots).size === slots.length, `${slots.length} slots`),
        claim(
          'a clock that is a second ahead is seen',
          flagged > 0.3 && flagged <= 1.1,
          `${flagged.toFixed(2)} s ahead`,
        ),
        claim('a clock that was set back is counted', setBack > 0, `${setBack} times`),
        claim('what is an hour ahead is refused', refusedBatches.size > 0, `${refusedBatches.size} batches`),
      ],
    };
  },
};

/** Seconds by which the ledger thinks that the agent's clock is ahead. */
async function skewOf({ view }: Lab, id: string): Promise<number> {
  const { agents } = (await view.get('/v1/agents')) as { agents: { agent_id: string; clock_skew: number | null }[] };
  return agents.find(({ agent_id }) => agent_id === id)?.clock_skew ?? 0;
}

function pollsOf(lines: readonly { readonly issue: string }[]): number {
  return new Set(lines.map(({ issue }) => issue)).size;
}

/** Batches that were published with a time far ahead of ours: the collector must refuse them. */
function aheadOfTime(lab: Lab): Set<string> {
  const limit = (Date.now() + 10 * 60_000) * 1000;
  const tapped = [...(lab.tap?.batches ?? [])].filter(([, { body }]) => {
    const envelope = readMeteringEnvelope(body);
    if (envelope.kind !== 'batch') return false;
    const { created, runs } = envelope.header;
    return created > limit || runs.some(({ slot }) => (slot ?? 0) > limit);
  });
  return new Set(tapped.map(([digest]) => digest));
}
