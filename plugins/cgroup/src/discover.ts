import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { matchesAny } from '@nephometer/core/plugin';
import type { Resource } from '@nephometer/core/plugin';
import type { CgroupConfig, Kind } from './config.ts';
import type { Hierarchy } from './mounts.ts';
import { identify } from './names.ts';
import type { Identity } from './names.ts';

/** Folders of one group: of each controller of version 1, and of version 2. */
export type Folders = Readonly<Record<string, string>>;

/** A control group that is measured. */
export interface Group extends Resource {
  readonly folders: Folders;
}

/** A group and what it lies in, the nearest last. */
interface Place {
  readonly path: string;
  readonly identity: Identity;
  readonly above: readonly Place[];
}

/** All groups that are wanted, ordered by path. @throws Error when a tree cannot be listed */
export async function findGroups(
  hierarchies: readonly Hierarchy[],
  config: CgroupConfig,
  { host, signal }: { readonly host: string; readonly signal: AbortSignal },
): Promise<readonly Group[]> {
  const folders = new Map<string, Record<string, string>>();
  for (const hierarchy of hierarchies) {
    const names = hierarchy.version === 2 ? ['unified'] : hierarchy.controllers;
    for (const path of await listPaths(hierarchy, config.depth, signal)) {
      const own = folders.get(path) ?? {};
      folders.set(path, own);
      for (const name of names) own[name] ??= join(hierarchy.folder, path.slice(hierarchy.prefix.length));
    }
  }
  const groups = new Map<string, Group>();
  for (const [path, own] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const place = placeOf(path);
    if (!isWanted(place, config)) continue;
    const id = resourceId(place, host);
    // Where trees disagree on the path, a container is still one.
    const known = groups.get(id);
    groups.set(
      id,
      known === undefined ? toGroup(place, id, own, config, host) : { ...known, folders: { ...own, ...known.folders } },
    );
  }
  return [...groups.values()];
}

async function listPaths({ folder, prefix }: Hierarchy, depth: number, signal: AbortSignal): Promise<string[]> {
  const paths = prefix === '' ? [] : [prefix];
  let level = [''];
  for (let number = 0; number < depth && level.length > 0; number++) {
    signal.throwIfAborted();
    const below = await Promise.all(level.map((path) => listBelow(folder, path)));
    level = below.flat();
    paths.push(...level.map((path) => prefix + path));
  }
  return paths;
}

async function listBelow(folder: string, path: string): Promise<string[]> {
  try {
    const entries = await readdir(join(folder, path), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${path}/${name}`);
  } catch (cause) {
    // The root must be there; a group below it may have ended, or be nobody's business.
    if (path !== '' && cause instanceof Error && 'code' in cause) return [];
    throw cause;
  }
}

function placeOf(path: string): Place {
  const segments = path.slice(1).split('/');
  const above: Place[] = [];
  for (let length = 1; length < segments.length; length++) {
    const identity = identify(segments.slice(0, length));
    above.push({ path: `/${segments.slice(0, length).join('/')}`, identity, above: above.slice() });
  }
  return { path, identity: identify(segments), above };
}

function isWanted(place: Place, { kinds, nested, include, exclude }: CgroupConfig): boolean {
  const { identity, path } = place;
  if (!kinds.includes(identity.kind) || (!nested && isNested(place))) return false;
  const names = namesOf(identity, path);
  return anyMatches(include, names) && !anyMatches(exclude, names);
}

/** What all else lies in, so that it is counted there. */
const OUTER: Readonly<Partial<Record<Kind, readonly Kind[]>>> = {
  service: ['user', 'pod'],
  slice: ['user', 'pod'],
  scope: ['user', 'pod', 'service'],
  other: ['user', 'pod', 'service', 'scope', 'slice'],
};

function isNested({ identity: { kind }, above }: Place): boolean {
  const outer = OUTER[kind] ?? [];
  return above.some(({ identity }) => {
    const { kind: around } = identity;
    return around === kind || around === 'container' || around === 'machine' || outer.includes(around);
  });
}

function anyMatches(globs: readonly string[], names: readonly string[]): boolean {
  return names.some((name) => matchesAny(globs, name));
}

function namesOf({ name, containerId, podUid }: Identity, path: string): readonly string[] {
  return [name, path, containerId, podUid].filter((one) => one !== undefined);
}

/** Ids that are unique in the world stand for themselves; names are the node's; what has neither has its path. */
function resourceId(place: Place, host: string): string {
  const { kind, name, containerId, podUid, runtime } = place.identity;
  if (containerId !== undefined) return containerId;
  if (kind === 'pod' && podUid !== undefined) return podUid;
  if (isNested(place) || kind === 'other' || kind === 'scope' || kind === 'slice') return `${host}.${place.path}`;
  return kind === 'service' || kind === 'user' ? `${host}.${name}` : `${host}.${runtime}.${name}`;
}

function toGroup(place: Place, id: string, folders: Folders, config: CgroupConfig, host: string): Group {
  const { identity, path, above } = place;
  const parent = above.findLast((one) => !['slice', 'scope', 'other'].includes(one.identity.kind));
  const names = namesOf(identity, path);
  const project = Object.entries(config.projects).find(([glob]) => anyMatches([glob], names))?.[1] ?? null;
  return {
    id,
    projectId: project,
    userId: null,
    folders,
    metadata: {
      host,
      kind: identity.kind,
      name: identity.name,
      path,
      ...(identity.containerId === undefined ? {} : { container_id: identity.containerId }),
      ...(identity.podUid === undefined ? {} : { pod_uid: identity.podUid }),
      ...(identity.runtime === undefined ? {} : { runtime: identity.runtime }),
      ...(identity.qos === undefined ? {} : { qos_class: identity.qos }),
      ...(identity.uid === undefined ? {} : { uid: identity.uid }),
      ...(parent === undefined ? {} : { parent: resourceId(parent, host) }),
    },
  };
}
