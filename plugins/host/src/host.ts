import { readdir, statfs } from 'node:fs/promises';
import { definePollster } from '@nephometer/core/plugin';
import type { PluginLog, PollContext, Reading, Resource } from '@nephometer/core/plugin';
import { HostConfig } from './config.ts';
import { Cpu } from './cpu.ts';
import { readDisks } from './disks.ts';
import { Filesystems } from './filesystems.ts';
import type { StatfsCall } from './filesystems.ts';
import { readMemory } from './memory.ts';
import { METERS } from './meters.ts';
import { readDatagrams, readInterfaces } from './network.ts';
import { NodeFiles } from './node-files.ts';
import type { Measured } from './node-files.ts';
import { readBlocks, readLoad, readUptime } from './system.ts';

/** What is read together, from one file. */
interface Section {
  readonly read: (files: NodeFiles) => Promise<readonly Measured[]>;
  /** False: kernels without the file exist, and what is not there is not measured. */
  readonly essential: boolean;
}

/** The node itself. @param statfsCall asks a file system for its size; another one in tests */
export function createHost(statfsCall: StatfsCall = (path) => statfs(path, { bigint: true })) {
  const cpu = new Cpu();
  const filesystems = new Filesystems(statfsCall);
  const told = new Set<string>();
  const sections: readonly Section[] = [
    { read: readLoad, essential: true },
    { read: (files) => cpu.read(files), essential: true },
    { read: readMemory, essential: true },
    { read: readUptime, essential: true },
    { read: readInterfaces, essential: true },
    { read: readDisks, essential: false },
    { read: readDatagrams, essential: false },
    { read: readBlocks, essential: false },
  ];

  return definePollster<HostConfig>({
    name: 'host',
    contract: 1,
    options: HostConfig,
    meters: METERS,
    discovery: 'local-node',
    enabled: async ({ options }) => {
      const names = await readdir(options.proc).catch(() => []);
      return names.some((name) => ['stat', 'meminfo', 'loadavg'].includes(name))
        ? true
        : `${options.proc} holds no files of a Linux kernel; it reads these`;
    },
    async *poll([node, ...others], context) {
      for (const other of others) context.report(other, new Error('the host plugin measures one node, its own'));
      if (node === undefined) return;
      const files = new NodeFiles(context.options);
      for (const section of sections) {
        if (context.signal.aborted) return;
        for (const measured of await readSection(section, files, node, context, told)) yield toReading(node, measured);
      }
      yield* readSpace(filesystems, files, node, context);
    },
  });
}

async function readSection(
  { read, essential }: Section,
  files: NodeFiles,
  node: Resource,
  { log, report }: PollContext<HostConfig>,
  told: Set<string>,
): Promise<readonly Measured[]> {
  try {
    return await read(files);
  } catch (cause) {
    if (essential || !isMissing(cause)) report(node, cause);
    else tellOnce(told, log, cause);
    return [];
  }
}

async function* readSpace(
  filesystems: Filesystems,
  files: NodeFiles,
  node: Resource,
  { signal, report }: PollContext<HostConfig>,
): AsyncGenerator<Reading> {
  try {
    const failed = (device: string, cause: unknown): void => report({ id: partId(node, device) }, cause);
    for await (const measured of filesystems.read(files, signal, failed)) yield toReading(node, measured);
  } catch (cause) {
    report(node, cause);
  }
}

function toReading(resource: Resource, { meter, volume, part, metadata }: Measured): Reading {
  return {
    meter,
    resource,
    volume,
    ...(part === undefined ? {} : { resourceId: partId(resource, part) }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** As Ceilometer names the parts of a host. */
function partId(node: Resource, part: string): string {
  return `${node.id}.${part}`;
}

function isMissing(cause: unknown): cause is NodeJS.ErrnoException {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

function tellOnce(told: Set<string>, log: PluginLog, { path, message }: NodeJS.ErrnoException): void {
  const file = path ?? message;
  if (told.has(file)) return;
  told.add(file);
  log.info({ file }, 'This kernel does not have a file; its meters are left out.');
}

export default createHost();
