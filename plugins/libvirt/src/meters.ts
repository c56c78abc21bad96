import type { MeterDescription } from '@nephometer/core/plugin';

const gauge = (unit: string, description: string): MeterDescription => ({ unit, type: 'gauge', description });
const counted = (unit: string, description: string): MeterDescription => ({ unit, type: 'cumulative', description });

/** Names, types and units of Ceilometer's compute pollsters; MB is 1048576 bytes and GB 1073741824, as there. */
export const METERS = {
  instance: gauge('instance', 'One for each guest that is defined on this node, whatever its state.'),
  'power.state': gauge(
    'state',
    'State of the guest by libvirt: 0 none, 1 running, 2 blocked, 3 paused, 4 shutting down, 5 shut off, 6 crashed, 7 suspended.',
  ),
  cpu: counted('ns', 'CPU time used since the guest was started.'),
  vcpus: gauge('vcpu', 'Virtual CPUs that are in use.'),
  memory: gauge('MB', 'Memory that the guest may have.'),
  'memory.usage': gauge('MB', 'Memory in use inside the guest, as its balloon driver tells.'),
  'memory.resident': gauge('MB', "Memory of this node that the guest's process holds."),
  'memory.swap.in': counted('MB', 'Memory that the guest read from its swap space since it was started.'),
  'memory.swap.out': counted('MB', 'Memory that the guest wrote to its swap space since it was started.'),
  'disk.root.size': gauge('GB', "Size of the root disk by the guest's flavor."),
  'disk.ephemeral.size': gauge('GB', "Size of the ephemeral disks by the guest's flavor."),
  'disk.device.read.bytes': counted('B', 'Bytes read from a disk since the guest was started.'),
  'disk.device.read.requests': counted('request', 'Reads from a disk since the guest was started.'),
  'disk.device.read.latency': counted('ns', 'Time that reads from a disk took since the guest was started.'),
  'disk.device.write.bytes': counted('B', 'Bytes written to a disk since the guest was started.'),
  'disk.device.write.requests': counted('request', 'Writes to a disk since the guest was started.'),
  'disk.device.write.latency': counted('ns', 'Time that writes to a disk took since the guest was started.'),
  'disk.device.capacity': gauge(
    'B',
    'Size of a disk as the guest sees it, or its size on the node where that is more.',
  ),
  'disk.device.allocation': gauge('B', 'Highest offset that was written on a disk, or space it takes on the node.'),
  'disk.device.usage': gauge('B', 'Size of the file or device that holds a disk.'),
  'network.incoming.bytes': counted('B', 'Bytes that the guest received through an interface.'),
  'network.incoming.packets': counted('packet', 'Packets that the guest received through an interface.'),
  'network.incoming.packets.error': counted('packet', 'Packets for the guest that were in error.'),
  'network.incoming.packets.drop': counted('packet', 'Packets for the guest that were dropped.'),
  'network.outgoing.bytes': counted('B', 'Bytes that the guest sent through an interface.'),
  'network.outgoing.packets': counted('packet', 'Packets that the guest sent through an interface.'),
  'network.outgoing.packets.error': counted('packet', 'Packets from the guest that were in error.'),
  'network.outgoing.packets.drop': counted('packet', 'Packets from the guest that were dropped.'),
} as const satisfies Readonly<Record<string, MeterDescription>>;
export type MeterName = keyof typeof METERS;
