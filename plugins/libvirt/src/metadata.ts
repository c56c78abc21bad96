import { createHash } from 'node:crypto';
import type { Definition, NovaMetadata } from './definition.ts';
import type { Guest } from './hypervisor.ts';

/** By libvirt's number of the state: Nova's vm_state and status, as far as libvirt can tell. */
const STATES = [
  ['pending', 'building'],
  ['running', 'active'],
  ['running', 'active'],
  ['paused', 'paused'],
  ['shutdown', 'stopped'],
  ['shutdown', 'stopped'],
  ['crashed', 'error'],
  ['suspended', 'suspended'],
] as const;

/** Ceilometer's keys for an instance, with what is known here. */
export function metadataOf(guest: Guest, definition: Definition, host: string): Readonly<Record<string, unknown>> {
  const { nova, osType, architecture } = definition;
  const [state, status] = STATES[Number(guest.stats.get('state.state') ?? '0')] ?? STATES[0];
  return {
    display_name: nova?.displayName ?? definition.title ?? guest.name,
    name: guest.name,
    instance_id: guest.uuid,
    ...(nova === null ? {} : { host: hostId(nova, host) }),
    instance_host: host,
    status,
    state,
    ...(osType === null ? {} : { os_type: osType }),
    ...(architecture === null ? {} : { architecture }),
    ...(nova === null ? {} : novaKeys(nova)),
  };
}

function novaKeys({ flavor, imageId }: NovaMetadata): Readonly<Record<string, unknown>> {
  return {
    image: imageId === null ? null : { id: imageId },
    image_ref: imageId,
    image_ref_url: null,
    instance_type: flavor?.name ?? null,
    flavor,
    ...(flavor === null
      ? {}
      : {
          vcpus: flavor.vcpus,
          memory_mb: flavor.ram,
          root_gb: flavor.disk,
          ephemeral_gb: flavor.ephemeral,
          disk_gb: flavor.disk + flavor.ephemeral,
        }),
  };
}

/** Nova's way to name a host to a project: other projects see another name. */
function hostId({ projectId }: NovaMetadata, host: string): string {
  return createHash('sha224')
    .update(`${projectId ?? ''}${host}`)
    .digest('hex');
}
