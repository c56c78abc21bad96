import { UsageDefinition } from './definition.ts';
import type { z } from 'zod';

const GIB = '1/1073741824';
/** Ceilometer's agents write MB where they mean MiB. */
const MEMORY = { MiB: '1/1024', MB: '1/1024', GiB: '1', GB: '1' };
const BYTES = { B: GIB };
/** Audits of other services come hourly, and not to the second. */
const AUDITED = '2h';

const CPU_TIME = { ns: '1/3600000000000' };

type Written = z.input<typeof UsageDefinition>;

const network = (direction: string, meter: string): Written => ({
  name: `network_${direction}_gib`,
  description: `Traffic ${direction === 'in' ? 'into' : 'out of'} network interfaces of instances.`,
  meter,
  kind: 'increase',
  unit: 'GiB',
  conversion: BYTES,
});

const disk = (way: string): Written => ({
  name: `disk_${way}_gib`,
  description: `Bytes ${way === 'read' ? 'read from' : 'written to'} disks of instances.`,
  meter: `disk.device.${way}.bytes`,
  kind: 'increase',
  unit: 'GiB',
  conversion: BYTES,
});

/** CPU time and memory of what a node accounts for. */
const accounted = (who: string, of: string, cpu: string, memory: string, groupBy: Written['group_by']): Written[] => [
  {
    name: `${who}_cpu_hours`,
    description: `CPU time that ${of} spent.`,
    meter: cpu,
    kind: 'increase',
    unit: 'h',
    conversion: CPU_TIME,
    group_by: groupBy,
  },
  {
    name: `${who}_memory_gib_hours`,
    description: `Memory that ${of} held, over time.`,
    meter: memory,
    kind: 'integral',
    unit: 'GiB.h',
    conversion: BYTES,
    group_by: groupBy,
  },
];

const hostNetwork = (direction: string, meter: string): Written => ({
  name: `host_network_${direction}_gib`,
  description: `Traffic ${direction === 'in' ? 'into' : 'out of'} network interfaces of nodes, by interface.`,
  meter,
  kind: 'increase',
  unit: 'GiB',
  conversion: BYTES,
  group_by: ['resource_id'],
});

const WRITTEN: readonly Written[] = [
  {
    name: 'instance_hours',
    description: 'Time in which instances existed, by flavor.',
    meter: 'vcpus',
    kind: 'duration',
    unit: 'instance.h',
    group_by: ['metadata.flavor_name'],
  },
  { name: 'vcpu_hours', description: 'Virtual CPUs, over time.', meter: 'vcpus', kind: 'integral', unit: 'vcpu.h' },
  {
    name: 'memory_gib_hours',
    description: 'Memory that instances were given, over time.',
    meter: 'memory',
    kind: 'integral',
    unit: 'GiB.h',
    conversion: MEMORY,
  },
  {
    name: 'cpu_hours',
    description: 'CPU time that instances spent.',
    meter: 'cpu',
    kind: 'increase',
    unit: 'h',
    conversion: CPU_TIME,
  },
  {
    name: 'volume_gib_hours',
    description: 'Size of volumes, over time, by type.',
    meter: 'volume.size',
    kind: 'integral',
    unit: 'GiB.h',
    conversion: { GiB: '1', GB: '1' },
    group_by: ['metadata.volume_type'],
    max_hold: AUDITED,
  },
  {
    name: 'snapshot_gib_hours',
    description: 'Size of volume snapshots, over time.',
    meter: 'snapshot.size',
    kind: 'integral',
    unit: 'GiB.h',
    conversion: { GiB: '1', GB: '1' },
    max_hold: AUDITED,
  },
  {
    name: 'image_gib_hours',
    description: 'Size of images, over time.',
    meter: 'image.size',
    kind: 'integral',
    unit: 'GiB.h',
    conversion: BYTES,
    max_hold: AUDITED,
  },
  {
    name: 'floating_ip_hours',
    description: 'Time in which floating addresses were held.',
    meter: 'ip.floating',
    kind: 'duration',
    unit: 'ip.h',
    max_hold: AUDITED,
  },
  network('in', 'network.incoming.bytes'),
  network('out', 'network.outgoing.bytes'),
  disk('read'),
  disk('write'),
  {
    name: 'image_download_gib',
    description: 'Bytes of images that were downloaded.',
    meter: 'image.download',
    kind: 'sum',
    unit: 'GiB',
    conversion: BYTES,
  },
  ...accounted(
    'cgroup',
    'control groups (containers, pods, services, users)',
    'cgroup.cpu',
    'cgroup.memory.working_set',
    ['metadata.kind', 'resource_id'],
  ),
  ...accounted('user', 'users of nodes', 'user.cpu', 'user.memory.usage', ['project_id']),
  hostNetwork('in', 'hardware.network.incoming.bytes'),
  hostNetwork('out', 'hardware.network.outgoing.bytes'),
  {
    name: 'vcpu_peak',
    description: 'Most virtual CPUs at one instant.',
    meter: 'vcpus',
    kind: 'peak',
    unit: 'vcpu',
    group_by: ['project_id'],
  },
];

/** Named quantities for the meters of the shipped plugins. */
export const DEFAULT_DEFINITIONS: readonly UsageDefinition[] = WRITTEN.map((definition) =>
  UsageDefinition.parse(definition),
);
