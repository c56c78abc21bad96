import { Globs, z } from '@nephometer/core/plugin';

/** Options of the libvirt plugin, below `plugins.libvirt`. */
export const LibvirtConfig = z.strictObject({
  uri: z.string().min(1).prefault('qemu:///system').meta({
    description: 'Which libvirt to ask, as virsh -c takes it.',
  }),
  virsh: z.string().min(1).prefault('virsh').meta({ description: 'The virsh to run: a name on the PATH, or a path.' }),
  timeout: z.number().positive().max(3600).prefault(20).meta({
    description: 'Longest that one call of virsh may take, in seconds.',
  }),
  refresh: z.number().positive().prefault(900).meta({
    description:
      'How long the definition of a guest is believed, in seconds. A restart or another device makes it read anew at once.',
  }),
  without_nova_metadata: z.boolean().prefault(true).meta({
    description: 'Whether guests that Nova did not make are measured too. Their project is null.',
  }),
  exclude: Globs.prefault([]).meta({
    description: 'Guests left out, as globs over the name that libvirt has for them.',
  }),
});
export type LibvirtConfig = z.output<typeof LibvirtConfig>;
