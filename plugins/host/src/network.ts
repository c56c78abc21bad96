import { matchesAny } from '@nephometer/core/plugin';
import { digits } from './node-files.ts';
import type { Measured, NodeFiles } from './node-files.ts';

/** Columns of /proc/net/dev, after the name. */
const COLUMNS = [
  ['hardware.network.incoming.bytes', 0],
  ['hardware.network.incoming.packets', 1],
  ['hardware.network.incoming.errors', 2],
  ['hardware.network.incoming.drop', 3],
  ['hardware.network.outgoing.bytes', 8],
  ['hardware.network.outgoing.packets', 9],
  ['hardware.network.outgoing.errors', 10],
  ['hardware.network.outgoing.drop', 11],
] as const;

/** Traffic per interface. */
export async function readInterfaces(files: NodeFiles): Promise<readonly Measured[]> {
  const text = await files.procOfInit('net/dev');
  // The counters may follow the colon without a space.
  const lines = [...text.matchAll(/^\s*(\S+):\s*([\d ]+)$/gm)];
  const wanted = lines.filter(([, name = '']) => !matchesAny(files.config.exclude_interfaces, name));
  const measured = await Promise.all(
    wanted.map(([, name = '', counters = '']) => readInterface(files, name, counters)),
  );
  return measured.flat();
}

async function readInterface(files: NodeFiles, part: string, counters: string): Promise<readonly Measured[]> {
  const fields = counters.trim().split(/ +/);
  const metadata = await describe(files, part);
  return COLUMNS.map(([meter, column]) => ({
    meter,
    volume: digits(fields[column], `net/dev: ${part}`),
    part,
    metadata,
  }));
}

/** Ceilometer's keys: name, mac, speed (bytes a second). Speed is not known of virtual interfaces, and of those that are down. */
async function describe(files: NodeFiles, name: string): Promise<Readonly<Record<string, unknown>>> {
  const [mac, megabits] = await Promise.all([
    files.sys(`class/net/${name}/address`),
    files.sys(`class/net/${name}/speed`),
  ]);
  const speed = Number(megabits ?? '-1') * 125_000;
  return { name, ...(mac ? { mac } : {}), ...(speed > 0 ? { speed } : {}) };
}

/** Datagrams of the node as a whole. */
export async function readDatagrams(files: NodeFiles): Promise<readonly Measured[]> {
  const text = await files.procOfInit('net/snmp');
  const [names, values] = [...text.matchAll(/^Ip: (.*)$/gm)].map(([, rest = '']) => rest.trim().split(/ +/));
  const get = (name: string): string => digits(values?.[names?.indexOf(name) ?? -1], `net/snmp: Ip ${name}`);
  return [
    { meter: 'hardware.network.ip.incoming.datagrams', volume: get('InReceives') },
    { meter: 'hardware.network.ip.outgoing.datagrams', volume: get('OutRequests') },
  ];
}
