import type { Folders } from './discover.ts';
import { readNumber, readText, whole } from './files.ts';
import type { Measured } from './meters.ts';
import { present } from './present.ts';

/** Version 1, by what counts the groups below it too, then by what every kernel has. */
const PREFIXES = [
  ['blkio.throttle.', '_recursive'],
  ['blkio.', '_recursive'],
  ['blkio.throttle.', ''],
] as const;

/** Reads and writes, of all devices together. */
export async function readIo({ blkio, unified }: Folders): Promise<readonly Measured[]> {
  for (const [before, after] of PREFIXES) {
    const bytes = await readText(blkio, `${before}io_service_bytes${after}`);
    const requests = await readText(blkio, `${before}io_serviced${after}`);
    if (bytes !== null && requests !== null) return firstVersion(bytes, requests);
  }
  const text = await readText(unified, 'io.stat');
  return text === null ? [] : readUnified(text);
}

/** Lines `8:0 Read 4096`, one a device and operation, and their total. */
function firstVersion(bytes: string, requests: string): Measured[] {
  const sum = (text: string, operation: string): bigint =>
    total(text, new RegExp(`^\\d+:\\d+ ${operation} (\\S+)$`, 'gm'), `blkio: ${operation}`);
  return [
    ...present('cgroup.io.read.bytes', sum(bytes, 'Read')),
    ...present('cgroup.io.read.requests', sum(requests, 'Read')),
    ...present('cgroup.io.write.bytes', sum(bytes, 'Write')),
    ...present('cgroup.io.write.requests', sum(requests, 'Write')),
  ];
}

/** Lines `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`; devices may stand in a line without figures. */
function readUnified(text: string): Measured[] {
  const sum = (key: string): bigint => total(text, new RegExp(`\\b${key}=(\\S+)`, 'g'), `io.stat: ${key}`);
  return [
    ...present('cgroup.io.read.bytes', sum('rbytes')),
    ...present('cgroup.io.read.requests', sum('rios')),
    ...present('cgroup.io.write.bytes', sum('wbytes')),
    ...present('cgroup.io.write.requests', sum('wios')),
  ];
}

function total(text: string, each: RegExp, what: string): bigint {
  return [...text.matchAll(each)].reduce((sum, [, value = '']) => sum + whole(value, what), 0n);
}

export async function readPids({ pids, unified }: Folders): Promise<readonly Measured[]> {
  const folder = (await readText(pids, 'pids.current')) === null ? unified : pids;
  return [
    ...present('cgroup.pids', await readNumber(folder, 'pids.current')),
    ...present('cgroup.pids.limit', await readNumber(folder, 'pids.max')),
  ];
}
