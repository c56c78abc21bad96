import type { Folders } from './discover.ts';
import { readNumber, readTable, readText, whole } from './files.ts';
import type { Measured } from './meters.ts';
import { present } from './present.ts';

const NS_PER_US = 1000n;
/** cpuacct.stat counts in hundredths of a second, whatever the kernel's own clock. */
const NS_PER_TICK = 10_000_000n;

export async function readCpu(folders: Folders): Promise<readonly Measured[]> {
  const { cpuacct, unified } = folders;
  const usage = await readNumber(cpuacct, 'cpuacct.usage');
  const time = usage === null ? await unifiedTime(unified) : await accountedTime(cpuacct, usage);
  return [...time, ...(await throttling(folders))];
}

async function accountedTime(cpuacct: string | undefined, usage: bigint): Promise<Measured[]> {
  const ticks = await readTable(cpuacct, 'cpuacct.stat');
  const user = (await readNumber(cpuacct, 'cpuacct.usage_user')) ?? times(ticks('user'), NS_PER_TICK);
  const system = (await readNumber(cpuacct, 'cpuacct.usage_sys')) ?? times(ticks('system'), NS_PER_TICK);
  return [
    ...present('cgroup.cpu', usage),
    ...present('cgroup.cpu.user', user),
    ...present('cgroup.cpu.system', system),
  ];
}

async function unifiedTime(unified: string | undefined): Promise<Measured[]> {
  const stat = await readTable(unified, 'cpu.stat');
  return [
    ...present('cgroup.cpu', times(stat('usage_usec'), NS_PER_US)),
    ...present('cgroup.cpu.user', times(stat('user_usec'), NS_PER_US)),
    ...present('cgroup.cpu.system', times(stat('system_usec'), NS_PER_US)),
  ];
}

/** Only of a group that has, or once had, a limit: of all others it says nothing. */
async function throttling({ cpu, unified }: Folders): Promise<Measured[]> {
  const own = await readTable(cpu, 'cpu.stat');
  const isFirstVersion = own('nr_periods') !== null;
  const stat = isFirstVersion ? own : await readTable(unified, 'cpu.stat');
  const limit = (await quota(cpu)) ?? (await maximum(unified));
  const periods = stat('nr_periods');
  if (limit === null && (periods ?? 0n) === 0n) return [];
  const throttled = isFirstVersion ? stat('throttled_time') : times(stat('throttled_usec'), NS_PER_US);
  return [
    ...present('cgroup.cpu.limit', limit),
    ...present('cgroup.cpu.periods', periods),
    ...present('cgroup.cpu.throttled.periods', stat('nr_throttled')),
    ...present('cgroup.cpu.throttled.time', throttled),
  ];
}

/** Version 1: -1 is no limit. */
async function quota(cpu: string | undefined): Promise<string | null> {
  const text = await readText(cpu, 'cpu.cfs_quota_us');
  const period = await readNumber(cpu, 'cpu.cfs_period_us');
  return text === null || period === null || text.startsWith('-')
    ? null
    : ratio(whole(text, 'cpu.cfs_quota_us'), period);
}

/** Version 2: `150000 100000`, `max 100000`. */
async function maximum(unified: string | undefined): Promise<string | null> {
  const [most, period] = (await readText(unified, 'cpu.max'))?.split(' ') ?? [];
  if (most === undefined || period === undefined || most === 'max') return null;
  return ratio(whole(most, 'cpu.max'), whole(period, 'cpu.max'));
}

/** To six digits behind the point. */
function ratio(most: bigint, period: bigint): string | null {
  if (period === 0n) return null;
  const digits = ((most * 1_000_000n + period / 2n) / period).toString().padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '');
}

function times(value: bigint | null, factor: bigint): bigint | null {
  return value === null ? null : value * factor;
}
