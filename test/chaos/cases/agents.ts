import { setTimeout as sleep } from 'node:timers/promises';
import { parseTimestamp } from '@nephometer/core';
import { claim } from '../case.ts';
import type { ChaosCase } from '../case.ts';
import type { Lab } from '../lab.ts';
import { sum } from '../metrics.ts';
import type { LedgerBatch, SampleAnswer } from '../store-view.ts';

/** 26: a pollster that sleeps over three intervals, and one that does not hear its abort. */
export const pollHangs: ChaosCase = {
  number: 26,
  title: 'poll overrun and hang',
  seconds: 90,
  quick: true,
  async run({ lab: newLab, quick }) {
    const lab = await newLab();
    const agent = await lab.start({ steady: true });
    const began = Date.now();
    agent.control({ sleepMs: 3_500 });
    await sleep(quick ? 4_000 : 12_000);
    agent.control({ sleepMs: 3_500, ignoreAbort: true });
    await sleep(quick ? 5_000 : 12_000);
    const ended = Date.now();
    agent.control({});
    // What sleeps still, sleeps for three intervals more.
    await sleep(4_000);
    const fresh = await lab.healed();
    const rows = await lab.view.ledger();
    const steady = (await lab.view.samples('&meter=steady.level')).filter(({ slot }) => within(slot, began, ended));
    const reports = reportsBetween(rows, began, ended);
    const others = reports.filter(({ pollsters }) =>
      pollsters.some(({ name, error }) => name === 'steady' && error === null),
    );
    const errors = new Set(
      reports.flatMap(({ pollsters }) =>
        pollsters.flatMap(({ name, error }) => (name === 'synthetic' && error !== null ? [error] : [])),
      ),
    );
    const ran = reports.filter(({ outcome }) => outcome === 'ran').length;
    return {
      lab,
      fresh,
      also: [
        claim('gap records say why', errors.has('timeout') && errors.has('busy'), [...errors].join(', ')),
        claim(
          'no parallel run',
          agent.issued().every((line, index, all) => index === 0 || line.at >= (all[index - 1]?.at ?? 0)),
          `${reports.length} reports, ${ran} ran`,
        ),
        claim(
          'others on time',
          others.length === ran && steady.length === ran,
          `${steady.length} samples of the other pollster in ${ran} slots that ran`,
        ),
      ],
    };
  },
};

function within(slot: string | null, from: number, to: number): boolean {
  const at = slot === null ? 0 : parseTimestamp(slot) / 1000;
  return at >= from && at <= to;
}

function reportsBetween(rows: readonly LedgerBatch[], from: number, to: number) {
  return rows
    .flatMap(({ header }) => header?.cycles ?? [])
    .filter(({ scheduled }) => scheduled / 1000 >= from && scheduled / 1000 <= to);
}

/** 31: two central agents on the same resources; one stands still for a while. */
export const twoWitnesses: ChaosCase = {
  number: 31,
  title: 'two central agents poll the same',
  seconds: 90,
  quick: true,
  async run({ lab: newLab, quick }) {
    const lab = await newLab();
    const one = await lab.start({ role: 'central', prefix: 'shared' });
    const other = await lab.addAgent({ role: 'central', prefix: 'shared' });
    await lab.flows(Date.now(), 20_000);
    await sleep(2_000);
    const began = Date.now();
    other.daemon.process.signal('SIGSTOP');
    await sleep(quick ? 5_000 : 20_000);
    other.daemon.process.signal('SIGCONT');
    const ended = Date.now();
    const fresh = await lab.healed();
    await sleep(2_000);
    const samples = await lab.view.samples();
    const of = (id: string): Set<string> => placesOf(samples.filter(({ agent_id }) => agent_id === id));
    const [first, second] = [of(one.id), of(other.id)];
    const both = [...first].filter((place) => second.has(place)).length;
    const ids = new Set(samples.map(({ message_id }) => message_id));
    const alone = samples.filter(
      ({ agent_id, slot }) => agent_id === one.id && within(slot, began + 1000, ended - 1000),
    );
    const missed = alone.filter((sample) => !second.has(placeOf(sample))).length;
    const usage = await usageOf(lab, samples, began - 2_000, ended);
    return {
      lab,
      fresh,
      also: [
        claim(
          'two witnesses stored, with ids of their own',
          both > 0 && ids.size === samples.length,
          `${both} readings seen by both`,
        ),
        claim(
          'the gaps of one are filled by the other',
          missed > 0 && missed === alone.length,
          `${missed} readings of the pause by one alone`,
        ),
        claim(
          'usage is what one witness says',
          usage.told === usage.expected && usage.gaps.length === 0,
          `${usage.told} requests of ${usage.expected}, gaps: ${usage.gaps.join(', ') || 'none'}`,
        ),
      ],
    };
  },
};

function placeOf({ resource_id, counter_name, slot }: SampleAnswer): string {
  return `${resource_id} ${counter_name} ${slot}`;
}

function placesOf(samples: readonly SampleAnswer[]): Set<string> {
  return new Set(samples.map(placeOf));
}

/**
 * The usage of a meter of changes around the pause, and what it must be: each slot's change once, by the witness of the
 * lowest id that measured it.
 */
async function usageOf(
  { view }: Lab,
  samples: readonly SampleAnswer[],
  from: number,
  to: number,
): Promise<{ told: string; expected: string; gaps: string[] }> {
  const [begin, end] = [Math.ceil(from / 1000) * 1000 + 500, Math.floor(to / 1000) * 1000 + 500];
  const period = [begin, end].map((at) => encodeURIComponent(new Date(at).toISOString()));
  const question = `meter=chaos.requests&kind=sum&gaps=true&from=${period[0]}&to=${period[1]}`;
  const { lines } = (await view.get(`/v1/usage?${question}`)) as {
    lines: { quantity: string; gaps: { reason: string; resource_id: string }[] }[];
  };
  const once = new Map<string, SampleAnswer>();
  for (const sample of samples.toSorted((a, b) => ((a.agent_id ?? '') < (b.agent_id ?? '') ? 1 : -1))) {
    const at = Date.parse(sample.timestamp);
    if (sample.counter_name === 'chaos.requests' && at > begin && at <= end) once.set(placeOf(sample), sample);
  }
  const expected = [...once.values()].reduce((sum, { counter_volume }) => sum + Number(counter_volume), 0);
  const told = lines.reduce((sum, { quantity }) => sum + Number(quantity), 0);
  const gaps = new Set(lines.flatMap((line) => line.gaps.map(({ reason }) => reason)));
  return { told: String(told), expected: String(expected), gaps: [...gaps] };
}

/** The sum of a counter over all agents that run. */
export async function agentCounter(lab: Lab, name: string, ...labels: readonly string[]): Promise<number> {
  const all = await Promise.all(lab.agents.filter(({ isRunning }) => isRunning).map((agent) => agent.metrics()));
  return all.reduce((total, metrics) => total + sum(metrics, name, ...labels), 0);
}
