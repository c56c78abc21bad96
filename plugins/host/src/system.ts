import { digits } from './node-files.ts';
import type { Measured, NodeFiles } from './node-files.ts';

export async function readLoad(files: NodeFiles): Promise<readonly Measured[]> {
  const text = await files.proc('loadavg');
  const averages = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) /.exec(text);
  if (averages === null)
    throw new Error(`loadavg: found ${JSON.stringify(text.slice(0, 60))}; three averages would be right`);
  const [, one = '', five = '', fifteen = ''] = averages;
  return [
    { meter: 'hardware.cpu.load.1min', volume: one },
    { meter: 'hardware.cpu.load.5min', volume: five },
    { meter: 'hardware.cpu.load.15min', volume: fifteen },
  ];
}

export async function readUptime(files: NodeFiles): Promise<readonly Measured[]> {
  const text = await files.proc('uptime');
  const seconds = /^\d+(?:\.\d+)?/.exec(text)?.[0];
  if (seconds === undefined)
    throw new Error(`uptime: found ${JSON.stringify(text.slice(0, 60))}; seconds would be right`);
  return [{ meter: 'hardware.uptime', volume: seconds }];
}

/** The kernel counts kibibytes here; a block of Ceilometer's SNMP source is 512 bytes. */
export async function readBlocks(files: NodeFiles): Promise<readonly Measured[]> {
  const text = await files.proc('vmstat');
  const blocks = (name: string): bigint =>
    BigInt(digits(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1], `vmstat: ${name}`)) * 2n;
  return [
    { meter: 'hardware.system_stats.io.incoming.blocks', volume: blocks('pgpgin') },
    { meter: 'hardware.system_stats.io.outgoing.blocks', volume: blocks('pgpgout') },
  ];
}
