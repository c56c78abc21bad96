import type { MeterDescription } from '@nephometer/core/plugin';

const ticks = (description: string): MeterDescription => ({ unit: 'tick', type: 'cumulative', description });
const kilobytes = (description: string): MeterDescription => ({ unit: 'KB', type: 'gauge', description });
const counted = (unit: string, description: string): MeterDescription => ({ unit, type: 'cumulative', description });
const load = (minutes: number): MeterDescription => ({
  unit: 'process',
  type: 'gauge',
  description: `Processes that run or wait to run, averaged over ${minutes} minute${minutes === 1 ? '' : 's'}.`,
});

/** Ceilometer's names and units; KB is 1024 bytes, as there. */
export const METERS = {
  'hardware.cpu.load.1min': load(1),
  'hardware.cpu.load.5min': load(5),
  'hardware.cpu.load.15min': load(15),
  'hardware.cpu.util': {
    unit: '%',
    type: 'gauge',
    description: 'Share of the time of all CPUs that was not idle and not waiting for I/O, since the previous poll.',
  },
  'hardware.cpu.user': ticks('Ticks in user mode, guests included, since boot.'),
  'hardware.cpu.nice': ticks('Ticks in user mode at low priority since boot.'),
  'hardware.cpu.system': ticks('Ticks in the kernel since boot, interrupts included.'),
  'hardware.cpu.idle': ticks('Ticks idle since boot.'),
  'hardware.cpu.wait': ticks('Ticks idle while I/O was under way, since boot.'),
  'hardware.cpu.kernel': ticks('Ticks in the kernel since boot, interrupts not included.'),
  'hardware.cpu.interrupt': ticks('Ticks in hardware interrupts since boot.'),
  'hardware.memory.total': kilobytes('Physical memory.'),
  'hardware.memory.used': kilobytes('Memory that is not available to new programs, as `free` shows it.'),
  'hardware.memory.buffer': kilobytes('Memory in buffers of block devices.'),
  'hardware.memory.cached': kilobytes('Memory in the page cache and reclaimable slabs, as `free -w` shows it.'),
  'hardware.memory.swap.total': kilobytes('Swap space.'),
  'hardware.memory.swap.avail': kilobytes('Swap space that is free.'),
  'hardware.disk.size.total': kilobytes('Size of a file system.'),
  'hardware.disk.size.used': kilobytes('Used space of a file system, as `df` shows it.'),
  'hardware.disk.read.bytes': counted('B', 'Bytes read from a block device since boot.'),
  'hardware.disk.write.bytes': counted('B', 'Bytes written to a block device since boot.'),
  'hardware.disk.read.requests': counted('requests', 'Reads that a block device completed since boot.'),
  'hardware.disk.write.requests': counted('requests', 'Writes that a block device completed since boot.'),
  'hardware.network.incoming.bytes': counted('B', 'Bytes received by an interface.'),
  'hardware.network.incoming.packets': counted('packet', 'Packets received by an interface.'),
  'hardware.network.incoming.errors': counted('packet', 'Packets received in error.'),
  'hardware.network.incoming.drop': counted('packet', 'Received packets that were dropped.'),
  'hardware.network.outgoing.bytes': counted('B', 'Bytes sent by an interface.'),
  'hardware.network.outgoing.packets': counted('packet', 'Packets sent by an interface.'),
  'hardware.network.outgoing.errors': counted('packet', 'Packets that could not be sent.'),
  'hardware.network.outgoing.drop': counted('packet', 'Packets dropped before they were sent.'),
  'hardware.network.ip.incoming.datagrams': counted('datagrams', 'IPv4 datagrams received, faulty ones included.'),
  'hardware.network.ip.outgoing.datagrams': counted('datagrams', 'IPv4 datagrams that this node sent itself.'),
  'hardware.system_stats.cpu.idle': {
    unit: '%',
    type: 'gauge',
    description: 'Share of the time of all CPUs that was idle, since the previous poll.',
  },
  'hardware.system_stats.io.incoming.blocks': counted(
    'blocks',
    'Blocks of 512 bytes read from block devices since boot.',
  ),
  'hardware.system_stats.io.outgoing.blocks': counted(
    'blocks',
    'Blocks of 512 bytes written to block devices since boot.',
  ),
  'hardware.uptime': counted('s', 'Time since boot.'),
} as const satisfies Record<string, MeterDescription>;

export type MeterName = keyof typeof METERS;
