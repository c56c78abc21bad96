import { digits } from './node-files.ts';
import type { Measured, NodeFiles } from './node-files.ts';

/** Memory and swap as `free` counts them. */
export async function readMemory(files: NodeFiles): Promise<readonly Measured[]> {
  const kilobytes = parseMeminfo(await files.proc('meminfo'));
  const get = (name: string): bigint => BigInt(digits(kilobytes.get(name), `meminfo: ${name}`));
  const has = (name: string): bigint => (kilobytes.has(name) ? get(name) : 0n);
  const total = get('MemTotal');
  const buffer = has('Buffers');
  const cached = has('Cached') + has('SReclaimable');
  // Kernels before 3.14 do not estimate what is available.
  const available = kilobytes.has('MemAvailable') ? get('MemAvailable') : get('MemFree') + buffer + cached;
  // In a container the estimate can pass the limit that is shown as the total.
  const used = available > total ? total - get('MemFree') : total - available;
  return [
    { meter: 'hardware.memory.total', volume: total },
    { meter: 'hardware.memory.used', volume: used },
    { meter: 'hardware.memory.buffer', volume: buffer },
    { meter: 'hardware.memory.cached', volume: cached },
    ...(kilobytes.has('SwapTotal')
      ? ([
          { meter: 'hardware.memory.swap.total', volume: get('SwapTotal') },
          { meter: 'hardware.memory.swap.avail', volume: get('SwapFree') },
        ] as const)
      : []),
  ];
}

function parseMeminfo(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^([\w()]+):\s+(\d+)(?: kB)?$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}
