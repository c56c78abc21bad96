import { digits } from './node-files.ts';
import type { Measured, NodeFiles } from './node-files.ts';

/** Ticks of all CPUs since boot. */
interface Ticks {
  readonly user: bigint;
  readonly nice: bigint;
  readonly kernel: bigint;
  readonly idle: bigint;
  readonly wait: bigint;
  readonly interrupt: bigint;
  readonly softInterrupt: bigint;
  readonly steal: bigint;
}

/** Order of the columns of /proc/stat; kernels before 2.6.11 have fewer. */
const COLUMNS = ['user', 'nice', 'kernel', 'idle', 'wait', 'interrupt', 'softInterrupt', 'steal'] as const;

/**
 * CPU ticks, and the shares of them since the previous poll. The first poll has no shares: an average since boot would
 * look like a reading and be none.
 */
export class Cpu {
  #last: Ticks | null = null;

  async read(files: NodeFiles): Promise<readonly Measured[]> {
    const text = await files.proc('stat');
    const ticks = this.#growing(parseTicks(text));
    const metadata = { cpu_number: text.match(/^cpu\d+ /gm)?.length ?? 0 };
    const shares = this.#last === null ? [] : sharesOf(this.#last, ticks);
    this.#last = ticks;
    return [
      { meter: 'hardware.cpu.user', volume: ticks.user, metadata },
      { meter: 'hardware.cpu.nice', volume: ticks.nice, metadata },
      { meter: 'hardware.cpu.system', volume: ticks.kernel + ticks.interrupt + ticks.softInterrupt, metadata },
      { meter: 'hardware.cpu.idle', volume: ticks.idle, metadata },
      { meter: 'hardware.cpu.wait', volume: ticks.wait, metadata },
      { meter: 'hardware.cpu.kernel', volume: ticks.kernel, metadata },
      { meter: 'hardware.cpu.interrupt', volume: ticks.interrupt, metadata },
      ...shares.map((share): Measured => ({ ...share, metadata })),
    ];
  }

  /** The kernel may take back idle and waiting ticks (proc(5)); a cumulative meter that falls would look like a reboot. */
  #growing(now: Ticks): Ticks {
    const last = this.#last;
    if (last === null) return now;
    const high = (a: bigint, b: bigint): bigint => (a > b ? a : b);
    return { ...now, idle: high(now.idle, last.idle), wait: high(now.wait, last.wait) };
  }
}

function parseTicks(stat: string): Ticks {
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1]?.trim().split(/ +/);
  if (fields === undefined) throw new Error('stat: has no line of all CPUs');
  const entries = COLUMNS.map((name, index) => [name, BigInt(digits(fields[index] ?? '0', `stat: ${name}`))] as const);
  return Object.fromEntries(entries) as unknown as Ticks;
}

function sharesOf(before: Ticks, now: Ticks): Measured[] {
  const grown = (name: keyof Ticks): bigint => now[name] - before[name];
  const total = COLUMNS.map(grown).reduce((sum, one) => sum + one, 0n);
  if (total <= 0n) return [];
  const idle = grown('idle');
  return [
    { meter: 'hardware.cpu.util', volume: percent(total - idle - grown('wait'), total) },
    { meter: 'hardware.system_stats.cpu.idle', volume: percent(idle, total) },
  ];
}

/** Two decimals, within 0 and 100. */
function percent(part: bigint, whole: bigint): string {
  const share = (Number(part) / Number(whole)) * 100;
  return Math.min(100, Math.max(0, share)).toFixed(2);
}
