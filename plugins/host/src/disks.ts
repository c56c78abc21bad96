import { matchesAny } from '@nephometer/core/plugin';
import { digits } from './node-files.ts';
import type { Measured, NodeFiles } from './node-files.ts';

/** The kernel counts in sectors of this size, whatever the device has. */
const SECTOR = 512n;
const PARTITION = /^(?:(?:sd|vd|xvd|hd)[a-z]+\d+|(?:nvme\d+n\d+|mmcblk\d+|md\d+|loop\d+|nbd\d+)p\d+)$/;

/** Reads and writes per block device. */
export async function readDisks(files: NodeFiles): Promise<readonly Measured[]> {
  const lines = (await files.proc('diskstats')).split('\n').map((line) => line.trim().split(/\s+/));
  const isPartition = await partitionTest(files);
  const { exclude_disks } = files.config;
  // Kernels before 2.6.25 gave partitions four numbers only.
  const disks = lines.filter((fields) => fields.length >= 14);
  const wanted = disks.filter(([, , name = '']) => !isPartition(name) && !matchesAny(exclude_disks, name));
  const measured = await Promise.all(wanted.map((fields) => readDisk(files, fields)));
  return measured.flat();
}

async function readDisk(files: NodeFiles, fields: readonly string[]): Promise<readonly Measured[]> {
  const part = fields[2] ?? '';
  const number = (index: number): bigint => BigInt(digits(fields[index], `diskstats: ${part}`));
  // What device mapper calls it: the logical volume, the encrypted device.
  const mapped = await files.sys(`block/${part}/dm/name`);
  const metadata = { name: part, ...(mapped === null ? {} : { mapped_name: mapped }) };
  return [
    { meter: 'hardware.disk.read.requests', volume: number(3), part, metadata },
    { meter: 'hardware.disk.read.bytes', volume: number(5) * SECTOR, part, metadata },
    { meter: 'hardware.disk.write.requests', volume: number(7), part, metadata },
    { meter: 'hardware.disk.write.bytes', volume: number(9) * SECTOR, part, metadata },
  ];
}

/** /sys/block lists whole devices only (`/` in a name is `!` there); without it the name has to tell. */
async function partitionTest(files: NodeFiles): Promise<(name: string) => boolean> {
  const whole = await files.sysList('block');
  if (whole === null || whole.length === 0) return (name) => PARTITION.test(name);
  const names = new Set(whole.map((name) => name.replaceAll('!', '/')));
  return (name) => !names.has(name);
}
