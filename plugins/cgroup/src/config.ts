import { Globs, z } from '@nephometer/core/plugin';

export const Kind = z.enum(['container', 'pod', 'service', 'user', 'machine', 'slice', 'scope', 'other']);
export type Kind = z.output<typeof Kind>;

/** Options of the cgroup plugin, below `plugins.cgroup`. */
export const CgroupConfig = z.strictObject({
  root: z.string().startsWith('/').prefault('/sys/fs/cgroup').meta({
    description: 'Where the control groups are mounted. An agent in a container mounts those of the node elsewhere.',
  }),
  mountinfo: z.string().min(1).prefault('/proc/self/mountinfo').meta({
    description:
      'File that tells which controllers are mounted where below root. Where it tells of none, the folders themselves do.',
  }),
  kinds: z.array(Kind).min(1).prefault(['container', 'pod', 'service', 'user']).meta({
    description:
      'What is measured: containers, pods, services, slices of users, virtual machines, other slices, scopes, and any other group.',
  }),
  nested: z.boolean().prefault(false).meta({
    description:
      'Whether groups are measured too that another one of their kind, or a container, holds: a service inside a container, a container inside a container, a service of a user. A sum counts them twice.',
  }),
  depth: z.int().min(1).max(64).prefault(16).meta({ description: 'How many levels below the root are looked at.' }),
  include: Globs.prefault(['*']).meta({
    description: 'Groups that are measured, as globs over name, container id, pod uid or path.',
  }),
  exclude: Globs.prefault([]).meta({
    description: 'Groups left out, as globs over name, container id, pod uid or path. Groups inside them stay.',
  }),
  projects: z.record(z.string(), z.string()).prefault({}).meta({
    description:
      'Project that pays: by a glob over name, container id, pod uid or path. The first that fits counts; without one the project is null.',
  }),
});
export type CgroupConfig = z.output<typeof CgroupConfig>;
