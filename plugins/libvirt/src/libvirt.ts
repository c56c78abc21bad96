import { definePollster, matchesAny } from '@nephometer/core/plugin';
import type { PollContext, Reading, Resource } from '@nephometer/core/plugin';
import { LibvirtConfig } from './config.ts';
import { Hypervisor } from './hypervisor.ts';
import type { Guest } from './hypervisor.ts';
import { metadataOf } from './metadata.ts';
import { METERS } from './meters.ts';
import { readGuest } from './readings.ts';
import { runVirsh, VirshTimeout } from './virsh.ts';
import type { RunVirsh } from './virsh.ts';

const ENABLED_WITHIN_MS = 1900;

/** All guests of a libvirt. @param run runs virsh; another one in tests */
export function createLibvirt(run: RunVirsh = runVirsh) {
  const hypervisor = new Hypervisor(run);
  // One look serves the discovery and the poll that follows it; a poll without one looks itself.
  let found: readonly Guest[] | undefined;
  const look = async ({ options, signal }: PollContext<LibvirtConfig>): Promise<readonly Guest[]> =>
    (await hypervisor.look(options, signal)).filter((guest) => isWanted(guest, options));

  return definePollster<LibvirtConfig>({
    name: 'libvirt',
    contract: 1,
    options: LibvirtConfig,
    meters: METERS,
    enabled: async ({ options, log }) => {
      try {
        const limit = { signal: new AbortController().signal, timeoutMs: ENABLED_WITHIN_MS };
        const guests = await new Hypervisor(run).list(options, limit);
        return guests.length === 0 || guests.some(({ stats }) => stats.has('cpu.time'))
          ? true
          : `${options.uri} gives no statistics of its guests`;
      } catch (cause) {
        if (cause instanceof VirshTimeout) {
          // Asked once only: a node that boots slowly must not go unmeasured until the agent is started again.
          log.warn({ uri: options.uri, cause: cause.message }, 'libvirt is slow to answer; it is polled all the same.');
          return true;
        }
        return cause instanceof Error ? cause.message : String(cause);
      }
    },
    discovery: async (context) => {
      found = undefined;
      found = await look(context);
      return found.map((guest) => toResource(guest, context.host));
    },
    async *poll(resources, context) {
      const guests = new Map((found ?? (await look(context))).map((guest) => [guest.uuid, guest]));
      found = undefined;
      for (const resource of resources) {
        if (context.signal.aborted) return;
        const guest = guests.get(resource.id);
        // One that is not there any more is no failure: it has ended.
        if (guest !== undefined) yield* readingsOf(guest, resource, context);
      }
    },
  });
}

function isWanted({ name, definition }: Guest, { exclude, without_nova_metadata }: LibvirtConfig): boolean {
  if (matchesAny(exclude, name)) return false;
  return without_nova_metadata || definition instanceof Error || definition.nova !== null;
}

function toResource(guest: Guest, host: string): Resource {
  const { uuid, definition } = guest;
  if (definition instanceof Error) return { id: uuid };
  return {
    id: uuid,
    projectId: definition.nova?.projectId ?? null,
    userId: definition.nova?.userId ?? null,
    metadata: metadataOf(guest, definition, host),
  };
}

function* readingsOf(guest: Guest, resource: Resource, { report }: PollContext<LibvirtConfig>): Generator<Reading> {
  if (guest.definition instanceof Error) {
    report(resource, guest.definition);
    return;
  }
  const { measured, missing } = readGuest(guest, guest.definition);
  for (const { resourceId, cause } of missing) report({ ...resource, id: resourceId }, cause);
  for (const reading of measured) yield { resource, ...reading };
}

export default createLibvirt();
