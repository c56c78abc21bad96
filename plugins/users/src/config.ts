import { Globs, z } from '@nephometer/core/plugin';

/** Options of the users plugin, below `plugins.users`. */
export const UsersConfig = z.strictObject({
  proc: z.string().prefault('/proc').meta({
    description: "Where the node's /proc is. An agent in a container mounts it elsewhere, /host/proc for example.",
  }),
  passwd: z.string().prefault('/etc/passwd').meta({
    description: 'File with the names of the users. Who is not in it is shown by number.',
  }),
  memory: z
    .enum(['rss', 'pss'])
    .prefault('rss')
    .meta({
      description:
        'rss: resident memory, as ps shows it; memory shared by several processes counts for each. pss: each gets its ' +
        'share of it; needs root, costs the kernel much more, and falls back to rss where it cannot be read.',
    }),
  exclude_users: Globs.prefault([]).meta({
    description: 'User names left out, as globs.',
  }),
  state_file: z
    .string()
    .min(1)
    .optional()
    .meta({
      description:
        'Where CPU time counted so far is kept over a restart. Default: users-plugin.json in data_dir. Without it a ' +
        'restart would show as a reset, and the time of long-running processes would be counted again.',
    }),
});
export type UsersConfig = z.output<typeof UsersConfig>;
