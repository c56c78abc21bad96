import { devicesOf } from './domstats.ts';
import type { Device, Stats } from './domstats.ts';
import type { Definition } from './definition.ts';
import { isOff } from './hypervisor.ts';
import type { Guest } from './hypervisor.ts';
import type { MeterName } from './meters.ts';

/** One value of a guest, or of a part of it with a resource id of its own. */
export interface Measured {
  readonly meter: MeterName;
  readonly volume: string | number;
  readonly resourceId?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A part of a guest whose figures libvirt did not give this time. */
export interface Missing {
  readonly resourceId: string;
  readonly cause: Error;
}

export interface GuestReadings {
  readonly measured: readonly Measured[];
  readonly missing: readonly Missing[];
}

/** What the statistics of a guest say. One that is off exists, and uses nothing. */
export function readGuest(guest: Guest, definition: Definition): GuestReadings {
  const { stats } = guest;
  const existence = [
    ...present('instance', '1'),
    ...present('power.state', stats.get('state.state')),
    ...flavorSizes(definition),
  ];
  if (isOff(stats)) return { measured: existence, missing: [] };
  const disks = devicesOf(stats, 'block').filter(({ name }) => definition.disks.has(name));
  const nets = devicesOf(stats, 'net');
  return {
    measured: [
      ...existence,
      ...readCpu(stats),
      ...readMemory(stats),
      ...disks.flatMap((disk) => readDisk(guest, disk)),
      ...nets.flatMap((net) => readInterface(guest, definition, net)),
    ],
    missing: missingParts(guest, disks),
  };
}

function present(meter: MeterName, volume: string | undefined, part?: Omit<Measured, 'meter' | 'volume'>): Measured[] {
  return volume === undefined || !/^\d+(\.\d+)?$/.test(volume) ? [] : [{ meter, volume, ...part }];
}

function flavorSizes({ nova }: Definition): Measured[] {
  const flavor = nova?.flavor;
  if (flavor === undefined || flavor === null) return [];
  return [
    { meter: 'disk.root.size', volume: flavor.disk },
    { meter: 'disk.ephemeral.size', volume: flavor.ephemeral },
  ];
}

function readCpu(stats: Stats): Measured[] {
  const count = stats.get('vcpu.current');
  const metadata = count === undefined ? {} : { cpu_number: Number(count) };
  return [...present('cpu', stats.get('cpu.time'), { metadata }), ...present('vcpus', count)];
}

function readMemory(stats: Stats): Measured[] {
  const get = (name: string): string | undefined => stats.get(`balloon.${name}`);
  return [
    ...present('memory', mebibytes(get('maximum'))),
    ...present('memory.usage', mebibytes(difference(get('available'), get('usable') ?? get('unused')))),
    ...present('memory.resident', mebibytes(get('rss'))),
    ...present('memory.swap.in', mebibytes(get('swap_in'))),
    ...present('memory.swap.out', mebibytes(get('swap_out'))),
  ];
}

function readDisk(guest: Guest, { name, get }: Device): Measured[] {
  const part = { resourceId: partOf(guest, name), metadata: { disk_name: name } };
  const [capacity, physical] = [get('capacity'), get('physical')];
  return [
    ...present('disk.device.read.bytes', get('rd.bytes'), part),
    ...present('disk.device.read.requests', get('rd.reqs'), part),
    ...present('disk.device.read.latency', get('rd.times'), part),
    ...present('disk.device.write.bytes', get('wr.bytes'), part),
    ...present('disk.device.write.requests', get('wr.reqs'), part),
    ...present('disk.device.write.latency', get('wr.times'), part),
    ...present('disk.device.capacity', greater(capacity, physical), part),
    ...present('disk.device.allocation', get('allocation'), part),
    ...present('disk.device.usage', physical, part),
  ];
}

function readInterface(guest: Guest, definition: Definition, { name, get }: Device): Measured[] {
  const known = definition.interfaces.get(name);
  const metadata = {
    name,
    mac: known?.mac ?? null,
    fref: known?.filter ?? null,
    parameters: known?.parameters ?? {},
    vnic_name: known?.filter ?? name,
  };
  const part = { resourceId: `${guest.name}-${guest.uuid}-${name}`, metadata };
  return (
    [
      ['network.incoming', 'rx'],
      ['network.outgoing', 'tx'],
    ] as const
  ).flatMap(([meter, way]) => [
    ...present(`${meter}.bytes`, get(`${way}.bytes`), part),
    ...present(`${meter}.packets`, get(`${way}.pkts`), part),
    ...present(`${meter}.packets.error`, get(`${way}.errs`), part),
    ...present(`${meter}.packets.drop`, get(`${way}.drop`), part),
  ]);
}

/** While another job has hold of a guest, libvirt leaves out what it would have to ask QEMU for. */
function missingParts(guest: Guest, disks: readonly Device[]): Missing[] {
  const cause = new Error('libvirt gave no counters of it this time; another operation may have hold of the guest');
  const parts = disks.filter(({ get }) => get('rd.bytes') === undefined).map(({ name }) => partOf(guest, name));
  const ids = guest.stats.has('cpu.time') ? parts : [guest.uuid, ...parts];
  return ids.map((resourceId) => ({ resourceId, cause }));
}

function partOf({ uuid }: Guest, device: string): string {
  return `${uuid}-${device}`;
}

/** KiB as MiB, exactly: 1/1024 has ten decimal places. */
export function mebibytes(kibibytes: string | undefined): string | undefined {
  if (kibibytes === undefined || !/^\d+$/.test(kibibytes)) return undefined;
  const digits = ((BigInt(kibibytes) * 10n ** 10n) / 1024n).toString().padStart(11, '0');
  return `${digits.slice(0, -10)}.${digits.slice(-10)}`.replace(/\.?0+$/, '');
}

/** a - b of whole numbers; a guest that tells them a moment apart may seem to use less than nothing, which is none. */
function difference(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return undefined;
  const result = BigInt(a) - BigInt(b);
  return String(result < 0n ? 0n : result);
}

function greater(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return BigInt(a) < BigInt(b) ? b : a;
}
