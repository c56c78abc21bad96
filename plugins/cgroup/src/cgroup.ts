import { definePollster } from '@nephometer/core/plugin';
import type { PollContext, Reading } from '@nephometer/core/plugin';
import { CgroupConfig } from './config.ts';
import { readCpu } from './cpu.ts';
import { findGroups } from './discover.ts';
import type { Folders, Group } from './discover.ts';
import { readIo, readPids } from './io.ts';
import { readMemory } from './memory.ts';
import { METERS } from './meters.ts';
import type { Measured } from './meters.ts';
import { findHierarchies } from './mounts.ts';

/** Groups read at the same time. */
const AT_ONCE = 16;
const SECTIONS: readonly ((folders: Folders) => Promise<readonly Measured[]>)[] = [
  readCpu,
  readMemory,
  readIo,
  readPids,
];

export default definePollster<CgroupConfig, Group>({
  name: 'cgroup',
  contract: 1,
  options: CgroupConfig,
  meters: METERS,
  enabled: async ({ options }) => {
    const hierarchies = await findHierarchies(options);
    return hierarchies.length > 0 ? true : `no control groups are mounted at ${options.root}`;
  },
  discovery: async ({ options, host, signal }) => {
    const hierarchies = await findHierarchies(options);
    if (hierarchies.length === 0) throw new Error(`no control groups are mounted at ${options.root} any more`);
    return findGroups(hierarchies, options, { host, signal });
  },
  async *poll(groups, context) {
    for (let from = 0; from < groups.length; from += AT_ONCE) {
      if (context.signal.aborted) return;
      const read = await Promise.all(groups.slice(from, from + AT_ONCE).map((group) => readGroup(group, context)));
      yield* read.flat();
    }
  },
});

/** A group that ended has no files any more, so it gives nothing; that is no failure. */
async function readGroup(group: Group, { report }: PollContext<CgroupConfig>): Promise<Reading<Group>[]> {
  const folders = (group as Partial<Group>).folders;
  if (folders === undefined) {
    report(group, new Error('is no control group that the plugin found; leave resources out of its source'));
    return [];
  }
  const sections = await Promise.allSettled(SECTIONS.map((read) => read(folders)));
  const failed = sections.find((section) => section.status === 'rejected');
  if (failed !== undefined) report(group, failed.reason);
  const measured = sections.flatMap((section) => (section.status === 'fulfilled' ? section.value : []));
  return measured.map(({ meter, volume }) => ({ meter, resource: group, volume }));
}
