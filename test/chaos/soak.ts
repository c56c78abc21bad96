import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RabbitServer } from '../servers/index.ts';
import type { ChaosAgent } from './agent.ts';
import { claim } from './case.ts';
import type { Bench, CaseResult, ChaosCase, Claim } from './case.ts';
import { fuzzed } from './corpus.ts';
import type { Lab } from './lab.ts';
import { handlesOf, residentMiB } from './memory.ts';
import { startProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';

interface Scene {
  readonly lab: Lab;
  readonly rabbit: RabbitServer;
  readonly proxy: Proxy;
  /** Killed now and then; the other agent runs all the time. */
  readonly victim: ChaosAgent;
}

/** Faults that heal within some seconds, by name. */
const FAULTS: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'agent killed': async ({ victim }) => {
    await victim.kill();
    await victim.start();
  },
  'collector killed': ({ lab }) => lab.side.restartCollectors('kill'),
  'collector stopped': ({ lab }) => lab.side.restartCollectors('end'),
  'broker restarted': ({ rabbit }) => rabbit.restart(),
  'line cut': async ({ proxy }) => proxy.cut(),
  'line half-open': async ({ proxy }) => {
    proxy.blackHole();
    await sleep(8_000);
    proxy.cut();
    proxy.clear();
  },
  'line slow': async ({ proxy }) => {
    Object.assign(proxy.weather, { delayMs: 300, trickle: 20_000 });
    await sleep(8_000);
    proxy.clear();
  },
  'queue deleted': async ({ lab }) => {
    await lab.withChannel(async (channel) => {
      for (const queue of [lab.names.samples, lab.names.backlog]) await channel.deleteQueue(queue);
    });
  },
  'messages twice': ({ lab }) => lab.publish([...(lab.tap?.batches.values() ?? [])].slice(-20).map(({ body }) => body)),
  'messages that are none': async ({ lab }) => {
    const seeds = [...(lab.tap?.batches.values() ?? [])].slice(-5).map(({ body }) => body);
    if (seeds.length > 0) await lab.publish(Array.from({ length: 20 }, () => fuzzed(seeds)));
  },
  'agent stands still': async ({ victim }) => {
    victim.daemon.process.signal('SIGSTOP');
    await sleep(4_000);
    victim.daemon.process.signal('SIGCONT');
  },
};
const EVERY_MS = 20_000;
/** The number that a soak has in place of a fault's. */
export const SOAK = 0;

/**
 * A random fault every 20 s for so long; then A to F over all of it. In the second half collectors are left alone, so that
 * one of them is seen at work for that long.
 */
export function soakOf(milliseconds: number): ChaosCase {
  return {
    number: SOAK,
    title: `soak of ${Math.round(milliseconds / 60_000)} minutes`,
    seconds: milliseconds / 1000 + 300,
    run: (bench) => soak(bench, milliseconds),
  };
}

async function soak(bench: Bench, milliseconds: number): Promise<CaseResult> {
  const rabbit = await bench.rabbit();
  const proxy = await startProxy(rabbit.port);
  bench.onEnd(() => proxy.close());
  const url = rabbit.url.replace(`:${rabbit.port}`, `:${proxy.port}`);
  const lab = await bench.lab({ broker: url, direct: rabbit.url });
  const steady = await lab.start({ resources: 20 });
  const victim = await lab.addAgent({ resources: 20 });
  // A queue that a broker knows for less than a restart is not on its disk yet.
  await rabbit.restart();
  await lab.flows(Date.now(), 60_000);
  const agent = new Watch('the agent that ran all the time', steady.daemon.process.pid, 40);
  let collector: Watch | null = null;
  const half = Date.now() + milliseconds / 2;
  const counts: Record<string, number> = {};
  const late: string[] = [];
  for (const end = Date.now() + milliseconds; Date.now() < end;) {
    const began = Date.now();
    const isLate = began >= half;
    collector ??= isLate ? watchedCollector(lab) : null;
    const names = Object.keys(FAULTS).filter((name) => !isLate || !name.startsWith('collector'));
    const name = names[randomInt(names.length)] ?? '';
    counts[name] = (counts[name] ?? 0) + 1;
    bench.say(`${new Date().toISOString().slice(11, 19)} ${name}`);
    await FAULTS[name]?.({ lab, rabbit, proxy, victim });
    const { problems } = await lab.healed();
    if (problems.length > 0) late.push(`${name}: ${problems.join('; ')}`);
    agent.look();
    collector?.look();
    await sleep(Math.max(0, began + EVERY_MS - Date.now()));
  }
  const fresh = await lab.healed();
  const reasons = new Set((await lab.view.quarantine()).map(({ reason }) => reason));
  const refusedAtLeast = Object.fromEntries([...reasons].map((reason) => [reason, 1]));
  const faults = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  const healed = claim(
    'fresh samples within 10 s of each fault',
    late.length === 0,
    late.slice(0, 3).join(' | ') || faults.join(', '),
  );
  return {
    lab,
    fresh,
    expected: { refusedAtLeast },
    also: [healed, ...agent.claims(), ...(collector?.claims() ?? [])],
  };
}

function watchedCollector({ side }: Lab): Watch | null {
  const [collector] = side.collectors;
  // The embedded engine keeps what it read, up to a limit of its own.
  return collector === undefined
    ? null
    : new Watch('the collector, left alone in the second half,', collector.process.pid, 100);
}

/** Memory and handles of a process that runs all the time. */
class Watch {
  readonly #name: string;
  readonly #pid: number;
  /** Most that memory may grow between the first and the last third: the noise of a garbage collector. */
  readonly #noiseMiB: number;
  readonly #looks: { readonly at: number; readonly memory: number; readonly handles: number }[] = [];

  constructor(name: string, pid: number, noiseMiB: number) {
    this.#name = name;
    this.#pid = pid;
    this.#noiseMiB = noiseMiB;
  }

  look(): void {
    this.#looks.push({ at: Date.now(), memory: residentMiB(this.#pid), handles: handlesOf(this.#pid) });
  }

  claims(): Claim[] {
    const third = Math.max(1, Math.floor(this.#looks.length / 3));
    const [first, last] = [this.#looks.slice(0, third), this.#looks.slice(-third)];
    const mean = (of: typeof first, key: 'memory' | 'handles'): number =>
      Math.round(of.reduce((sum, look) => sum + look[key], 0) / of.length);
    const [before, after] = [mean(first, 'memory'), mean(last, 'memory')];
    const [few, many] = [mean(first, 'handles'), mean(last, 'handles')];
    return [
      claim(
        `memory of ${this.#name} is flat`,
        after > 0 && after <= before + this.#noiseMiB,
        `${before} MiB, then ${after} MiB`,
      ),
      claim('its handles are constant', many > 0 && many <= few + 3, `${few}, then ${many}`),
    ];
  }
}
