import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../servers/index.ts';
import type { ChaosAgent } from '../agent.ts';
import { claim } from '../case.ts';
import type { Bench, CaseResult, ChaosCase, Claim } from '../case.ts';
import type { Lab } from '../lab.ts';
import { sum } from '../metrics.ts';
import { startProxy } from '../proxy.ts';
import { agentCounter } from './agents.ts';

/** 12: bits flip in the spool's file, its end is cut off, the file is gone. */
export const spoolCorrupt: ChaosCase = {
  number: 12,
  title: 'spool corruption',
  seconds: 240,
  quick: true,
  async run(bench) {
    const { broker, quick, onEnd } = bench;
    const proxy = await startProxy(Number(new URL(broker).port));
    onEnd(() => proxy.close());
    const url = new URL(broker);
    url.port = String(proxy.port);
    const lab = await bench.lab({ broker: url.href, collectorBroker: broker, direct: broker });
    const agent = await lab.start();
    const kinds = quick ? (['bits', 'gone'] as const) : (['bits', 'cut', 'gone', 'bits'] as const);
    const mayMiss = new Set<string>();
    const also: Claim[] = [];
    const damaged: Damaged[] = [];
    for (const kind of kinds) {
      await until(async () => (await lab.waiting()) === 0, {
        timeoutMs: 30_000,
        everyMs: 20,
        describe: () => 'receipts do not free the spool',
      });
      // Nothing leaves the spool meanwhile.
      proxy.weather.refuse = true;
      proxy.cut();
      await sleep(6_000);
      const before = new Set(agent.leftovers.keys());
      await agent.kill();
      const held = [...agent.leftovers.keys()].filter((digest) => !before.has(digest));
      for (const digest of agent.leftovers.keys()) mayMiss.add(digest);
      damage(join(agent.dataDir, 'spool', 'data.mdb'), kind);
      proxy.clear();
      await agent.start();
      await lab.flows(Date.now(), 20_000);
      damaged.push({ kind, held });
      also.push(claim(`starts by itself (${kind})`, agent.isRunning, `${held.length} batches were held`));
    }
    const fresh = await lab.healed();
    also.push(...(await delivered(lab, damaged)));
    return { lab, fresh, expected: { mayMiss, mayLose: true }, also };
  },
};

interface Damaged {
  readonly kind: 'bits' | 'cut' | 'gone';
  readonly held: readonly string[];
}

/** A bit harms one batch at most, and two are flipped; whatever is whole must arrive. */
async function delivered(lab: Lab, damaged: readonly Damaged[]): Promise<Claim[]> {
  const words: string[] = [];
  const count = async (): Promise<boolean> => {
    const there = new Set((await lab.view.ledger()).map(({ digest }) => digest));
    const arrived = damaged.map(({ kind, held }) => ({ kind, held, of: held.filter((one) => there.has(one)).length }));
    words.splice(0, words.length, ...arrived.map(({ kind, held, of }) => `${kind}: ${of} of ${held.length}`));
    return arrived.every(({ kind, held, of }) => kind !== 'bits' || of >= held.length - FLIPPED_BITS);
  };
  const holds = await until(count, {
    timeoutMs: 20_000,
    everyMs: 300,
    describe: () => 'the rest does not arrive',
  }).then(
    () => true,
    () => false,
  );
  return [claim('the rest is delivered', holds, words.join(', '))];
}

const FLIPPED_BITS = 2;

function damage(file: string, kind: 'bits' | 'cut' | 'gone'): void {
  if (kind === 'gone') return rmSync(file);
  if (kind === 'cut') return truncateSync(file, Math.floor(statSync(file).size / 2));
  // A few bits in what looks like a batch's text.
  const bytes = readFileSync(file);
  const marks = [...bytes.toString('latin1').matchAll(/counter_volume/g)].map(({ index }) => index);
  const handle = openSync(file, 'r+');
  for (const at of [marks[3], marks[Math.floor(marks.length / 2)]]) {
    if (at !== undefined) writeSync(handle, Buffer.from([(bytes[at + 40] ?? 0) ^ 0x10]), 0, 1, at + 40);
  }
  closeSync(handle);
}

/** 11: the file system of the spool is full; the broker is away meanwhile, and comes back before there is room again. */
export const diskFull: ChaosCase = {
  number: 11,
  title: 'disk full on spool',
  seconds: 240,
  cannot: () => (canMount() ? null : 'needs the right to mount a small file system'),
  async run(bench: Bench): Promise<CaseResult> {
    const { broker, onEnd } = bench;
    const proxy = await startProxy(Number(new URL(broker).port));
    onEnd(() => proxy.close());
    const url = new URL(broker);
    url.port = String(proxy.port);
    const lab = await bench.lab({ broker: url.href, collectorBroker: broker, direct: broker });
    const disk = join(lab.folder, 'disk');
    mountSmall(disk, 24);
    onEnd(() => unmount(disk));
    const agent = await lab.start({ dataDir: join(disk, 'data') });
    proxy.weather.refuse = true;
    proxy.cut();
    await sleep(5_000);
    fill(join(disk, 'ballast'));
    await until(async () => (await dropped(agent)) > 0, {
      timeoutMs: 60_000,
      everyMs: 300,
      describe: () => 'the disk is full and nothing is refused',
    });
    await sleep(5_000);
    const held = sum(await agent.metrics(), 'nephometer_agent_spool_samples');
    // The broker is back, the disk is still full: what is spooled goes out and is deleted.
    proxy.clear();
    await until(async () => sum(await agent.metrics(), 'nephometer_agent_spool_samples') < Math.max(1, held / 2), {
      timeoutMs: 40_000,
      everyMs: 200,
      describe: () => `of ${held} samples too many stay in the spool while the disk is full`,
    });
    const left = sum(await agent.metrics(), 'nephometer_agent_spool_samples');
    rmSync(join(disk, 'ballast'));
    const fresh = await lab.healed();
    const lost = await agentCounter(lab, 'nephometer_agent_dropped_samples_total', 'reason="spool-full"');
    return {
      lab,
      fresh,
      expected: { mayLose: true },
      also: [
        claim('refused by policy, and counted', lost > 0, `${lost} samples`),
        claim('deletes work when full', left < held, `${held} held, ${left} left while the disk was full`),
        claim('recovers without restart', agent.lives.length === 1 && agent.isRunning, 'one process'),
      ],
    };
  },
};

async function dropped(agent: ChaosAgent): Promise<number> {
  return sum(await agent.metrics(), 'nephometer_agent_dropped_samples_total');
}

function canMount(): boolean {
  return process.getuid?.() === 0 && existsSync('/bin/mount');
}

function mountSmall(folder: string, mebibytes: number): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'nephometer-chaos', folder]);
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
}

/** Takes all the room that is left. */
function fill(file: string): void {
  const handle = openSync(file, 'w');
  try {
    for (let size = 2 ** 20; size >= 4096; size /= 2) {
      for (;;) {
        try {
          if (writeSync(handle, Buffer.alloc(size)) < size) break;
        } catch {
          break;
        }
      }
    }
  } finally {
    closeSync(handle);
  }
}
