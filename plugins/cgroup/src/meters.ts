import type { MeterDescription } from '@nephometer/core/plugin';

const gauge = (unit: string, description: string): MeterDescription => ({ unit, type: 'gauge', description });
const counted = (unit: string, description: string): MeterDescription => ({ unit, type: 'cumulative', description });

export const METERS = {
  'cgroup.cpu': counted('ns', 'CPU time used since the group was made.'),
  'cgroup.cpu.user': counted('ns', 'CPU time used in user mode.'),
  'cgroup.cpu.system': counted('ns', 'CPU time used in the kernel.'),
  'cgroup.cpu.limit': gauge('cpu', 'CPUs that the group may use at once. None where nothing limits it.'),
  'cgroup.cpu.periods': counted('period', 'Periods in which a group with a limit ran.'),
  'cgroup.cpu.throttled.periods': counted('period', 'Periods in which the group came to its limit.'),
  'cgroup.cpu.throttled.time': counted('ns', 'Time that the group waited because of its limit.'),
  'cgroup.memory.usage': gauge('B', 'Memory in use, page cache included.'),
  'cgroup.memory.working_set': gauge('B', 'Memory in use without the page cache that was not used lately.'),
  'cgroup.memory.rss': gauge('B', 'Memory of the processes themselves (anonymous).'),
  'cgroup.memory.cache': gauge('B', 'Page cache and memory that files are mapped into.'),
  'cgroup.memory.swap': gauge('B', 'Swap space in use.'),
  'cgroup.memory.peak': gauge('B', 'Most memory that was in use since the group was made.'),
  'cgroup.memory.limit': gauge('B', 'Memory that the group may use. None where nothing limits it.'),
  'cgroup.io.read.bytes': counted('B', 'Bytes read, of all block devices together.'),
  'cgroup.io.read.requests': counted('request', 'Reads, of all block devices together.'),
  'cgroup.io.write.bytes': counted('B', 'Bytes written, of all block devices together.'),
  'cgroup.io.write.requests': counted('request', 'Writes, of all block devices together.'),
  'cgroup.pids': gauge('task', 'Processes and threads.'),
  'cgroup.pids.limit': gauge('task', 'Processes and threads that may be. None where nothing limits it.'),
} as const satisfies Readonly<Record<string, MeterDescription>>;
export type MeterName = keyof typeof METERS;

/** One value of a group. */
export interface Measured {
  readonly meter: MeterName;
  readonly volume: bigint | string;
}
