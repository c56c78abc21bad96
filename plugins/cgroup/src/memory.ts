import type { Folders } from './discover.ts';
import { readNumber, readTable } from './files.ts';
import type { Measured } from './meters.ts';
import { present } from './present.ts';

/** Version 1 has no word for "no limit", only the greatest number of whole pages. */
const NO_LIMIT = 2n ** 62n;

export async function readMemory({ memory, unified }: Folders): Promise<readonly Measured[]> {
  const usage = await readNumber(memory, 'memory.usage_in_bytes');
  return usage === null ? readUnified(unified) : readFirstVersion(memory, usage);
}

async function readFirstVersion(memory: string | undefined, usage: bigint): Promise<Measured[]> {
  const stat = await readTable(memory, 'memory.stat');
  // With the groups below it, as everything else is counted; kernels without that have the plain names only.
  const total = (key: string): bigint | null => stat(`total_${key}`) ?? stat(key);
  const limit = await readNumber(memory, 'memory.limit_in_bytes');
  return [
    ...present('cgroup.memory.usage', usage),
    ...present('cgroup.memory.working_set', less(usage, total('inactive_file'))),
    ...present('cgroup.memory.rss', total('rss')),
    ...present('cgroup.memory.cache', total('cache')),
    ...present('cgroup.memory.swap', total('swap')),
    ...present('cgroup.memory.peak', await readNumber(memory, 'memory.max_usage_in_bytes')),
    ...present('cgroup.memory.limit', limit === null || limit >= NO_LIMIT ? null : limit),
  ];
}

async function readUnified(unified: string | undefined): Promise<Measured[]> {
  const usage = await readNumber(unified, 'memory.current');
  if (usage === null) return [];
  const stat = await readTable(unified, 'memory.stat');
  return [
    ...present('cgroup.memory.usage', usage),
    ...present('cgroup.memory.working_set', less(usage, stat('inactive_file'))),
    ...present('cgroup.memory.rss', stat('anon')),
    ...present('cgroup.memory.cache', stat('file')),
    ...present('cgroup.memory.swap', await readNumber(unified, 'memory.swap.current')),
    ...present('cgroup.memory.peak', await readNumber(unified, 'memory.peak')),
    ...present('cgroup.memory.limit', await readNumber(unified, 'memory.max')),
  ];
}

/** The two are read a moment apart, so the part may exceed the whole. */
function less(whole: bigint, part: bigint | null): bigint | null {
  if (part === null) return null;
  return part > whole ? 0n : whole - part;
}
