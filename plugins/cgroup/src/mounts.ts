import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupConfig } from './config.ts';

/** A tree of control groups. */
export interface Hierarchy {
  readonly folder: string;
  readonly version: 1 | 2;
  /** Of version 1: `cpu`, `cpuacct`, `memory`, `blkio`, `pids`. Of version 2 each group has the files it has. */
  readonly controllers: readonly string[];
  /** Path of the group that the folder shows; empty for the root. Otherwise where only a part of the tree is mounted. */
  readonly prefix: string;
}

const READ_FROM = new Set(['cpu', 'cpuacct', 'memory', 'blkio', 'pids']);

/** Trees below the root; version 1 first, since it has the controllers where both are there. Empty without any. */
export async function findHierarchies({ root, mountinfo }: CgroupConfig): Promise<readonly Hierarchy[]> {
  const mounted = mountsBelow(root, await readFile(mountinfo, 'utf8').catch(() => ''));
  const found = mounted.length > 0 ? mounted : await lookAtFolders(root);
  return found
    .filter(({ version, controllers }) => version === 2 || controllers.length > 0)
    .toSorted((a, b) => a.version - b.version);
}

/** `36 31 0:33 / /sys/fs/cgroup/memory rw,relatime shared:15 - cgroup cgroup rw,memory` */
const MOUNT = /^\d+ \d+ \S+ (\S+) (\S+) \S+ (?:\S+ )*?- (cgroup2?) \S+ (\S+)/;

function mountsBelow(root: string, text: string): Hierarchy[] {
  const seen = new Set<string>();
  return text.split('\n').flatMap((line) => {
    const [, part = '', place = '', type, options = ''] = MOUNT.exec(line) ?? [];
    const folder = unescapeMount(place);
    if (type === undefined || (folder !== root && !folder.startsWith(root === '/' ? '/' : `${root}/`))) return [];
    const version = type === 'cgroup2' ? 2 : 1;
    const controllers = version === 2 ? [] : options.split(',').filter((name) => READ_FROM.has(name));
    const key = version === 2 ? 'unified' : controllers.join(',');
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ folder, version, controllers, prefix: prefixOf(unescapeMount(part)) } as const];
  });
}

/** In a control group namespace what lies outside is `/..`, and nothing is known of its name. */
function prefixOf(part: string): string {
  return part === '/' || part.startsWith('/..') ? '' : part;
}

function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** A copy of a tree, or one of another mount namespace. */
async function lookAtFolders(root: string): Promise<Hierarchy[]> {
  if (await isThere(join(root, 'cgroup.controllers'))) return [unified(root)];
  const names = (await readdir(root).catch(() => [])).toSorted((a, b) => (a < b ? -1 : 1));
  const found = await Promise.all(
    names.map(async (name): Promise<Hierarchy[]> => {
      const folder = join(root, name);
      const controllers = name.split(',').filter((one) => READ_FROM.has(one));
      if (controllers.length > 0) return [{ folder, version: 1, controllers, prefix: '' }];
      return (await isThere(join(folder, 'cgroup.controllers'))) ? [unified(folder)] : [];
    }),
  );
  const seen = new Set<string>();
  // `cpu` and `cpuacct` are often links to `cpu,cpuacct`.
  return found.flat().filter(({ version, controllers }) => {
    if (version === 2) return true;
    const isNew = controllers.some((one) => !seen.has(one));
    for (const one of controllers) seen.add(one);
    return isNew;
  });
}

function unified(folder: string): Hierarchy {
  return { folder, version: 2, controllers: [], prefix: '' };
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
