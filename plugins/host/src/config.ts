import { Globs, z } from '@nephometer/core/plugin';

/** Types of file systems that live in memory, show the kernel, or are stored elsewhere. */
const WITHOUT_DATA_OF_THE_NODE = [
  'autofs binfmt_misc bpf cgroup* configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue',
  'nsfs proc pstore ramfs rpc_pipefs securityfs selinuxfs sysfs tmpfs tracefs iso9660 squashfs erofs',
  'fuse.* nfs* cifs smb* ceph glusterfs',
].flatMap((names) => names.split(' '));

/** Options of the host plugin, below `plugins.host`. */
export const HostConfig = z.strictObject({
  proc: z.string().prefault('/proc').meta({
    description: "Where the node's /proc is. An agent in a container mounts it elsewhere, /host/proc for example.",
  }),
  sys: z.string().prefault('/sys').meta({ description: "Where the node's /sys is." }),
  root: z.string().prefault('/').meta({
    description: "Where the node's file systems are mounted; its mount points are looked up below this folder.",
  }),
  exclude_interfaces: Globs.prefault(['veth*', 'cali*', 'lxc*', 'vnet*', 'tap*', 'qvo*', 'qvb*', 'qbr*']).meta({
    description:
      'Network interfaces left out, as globs. Default: the ends that belong to single guests and containers.',
  }),
  exclude_disks: Globs.prefault(['loop*', 'ram*', 'zram*', 'fd*', 'sr*']).meta({
    description: 'Block devices left out, as globs. Partitions are left out always: their disk counts them already.',
  }),
  exclude_mounts: Globs.prefault([]).meta({ description: 'Mount points left out, as globs.' }),
  exclude_filesystems: Globs.prefault(WITHOUT_DATA_OF_THE_NODE).meta({
    description:
      'Types of file systems left out, as globs. Default: those that hold no data of this node, and network ones.',
  }),
});
export type HostConfig = z.output<typeof HostConfig>;
