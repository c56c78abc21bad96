import type { LibvirtConfig } from './config.ts';
import { parseDefinition, splitDefinitions } from './definition.ts';
import type { Definition } from './definition.ts';
import { devicesOf, parseListing } from './domstats.ts';
import type { ListedGuest, Stats } from './domstats.ts';
import type { RunVirsh, VirshOutput } from './virsh.ts';

/** One guest at one moment. */
export interface Guest extends ListedGuest {
  readonly stats: Stats;
  /** Or why it cannot be understood. */
  readonly definition: Definition | Error;
}

interface Known {
  readonly definition: Definition | Error;
  /** While this is the same, the definition is. */
  readonly generation: string;
  readonly readAt: number;
}

const DOMSTATS = 'domstats --raw --nowait --state --cpu-total --balloon --vcpu --interface --block';
/** Guests whose definition is asked for by one child process: 40 characters each, well below what a command line may hold. */
const AT_ONCE = 500;

/** All guests of one libvirt. Their definitions are kept, so that in a steady state one child process a look is enough. */
export class Hypervisor {
  readonly #run: RunVirsh;
  readonly #known = new Map<string, Known>();
  #listsIds = true;

  constructor(run: RunVirsh) {
    this.#run = run;
  }

  /** @throws Error when libvirt does not answer, or answers only in part */
  async look(config: LibvirtConfig, signal: AbortSignal): Promise<readonly Guest[]> {
    const listed = await this.list(config, { signal, timeoutMs: config.timeout * 1000 });
    const stale = listed.filter((guest) => !this.#isFresh(guest, config.refresh * 1000));
    for (let from = 0; from < stale.length; from += AT_ONCE) {
      await this.#readDefinitions(config, signal, stale.slice(from, from + AT_ONCE));
    }
    this.#forget(listed);
    // A guest without a definition has vanished since it was listed.
    return listed.flatMap((guest) => {
      const known = this.#known.get(guest.uuid);
      return known === undefined ? [] : [{ ...guest, definition: known.definition }];
    });
  }

  /** Guests with their statistics, by one child process. */
  async list(
    config: LibvirtConfig,
    limit: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<readonly (ListedGuest & { readonly stats: Stats })[]> {
    const list = `list --all --uuid --name${this.#listsIds ? ' --id' : ''}`;
    const output = await this.#run(config, `${list}; ${DOMSTATS}`, limit);
    if (this.#listsIds && output.errors.some((line) => line.includes("doesn't support option --id"))) {
      this.#listsIds = false;
      return this.list(config, limit);
    }
    if (output.failed || output.errors.length > 0) throw failure(config, output);
    const { guests, stats } = parseListing(output.stdout, this.#listsIds);
    return guests.flatMap((guest) => {
      const own = stats.get(guest.name);
      return own === undefined ? [] : [{ ...guest, stats: own }];
    });
  }

  #isFresh(guest: ListedGuest & { stats: Stats }, refreshMs: number): boolean {
    const known = this.#known.get(guest.uuid);
    return known?.generation === generationOf(guest) && performance.now() - known.readAt < refreshMs;
  }

  async #readDefinitions(
    config: LibvirtConfig,
    signal: AbortSignal,
    guests: readonly (ListedGuest & { stats: Stats })[],
  ): Promise<void> {
    const commands = guests.map(({ uuid }) => `dumpxml ${uuid}`).join('; ');
    const output = await this.#run(config, commands, { signal, timeoutMs: config.timeout * 1000 });
    if (output.errors.some((line) => !isVanished(line))) throw failure(config, output);
    const texts = new Map(splitDefinitions(output.stdout).map((xml) => [/<uuid>(.*?)<\/uuid>/.exec(xml)?.[1], xml]));
    for (const guest of guests) {
      const xml = texts.get(guest.uuid);
      if (xml === undefined) this.#known.delete(guest.uuid);
      else {
        const readAt = performance.now();
        this.#known.set(guest.uuid, { definition: understand(xml), generation: generationOf(guest), readAt });
      }
    }
  }

  #forget(listed: readonly ListedGuest[]): void {
    const uuids = new Set(listed.map(({ uuid }) => uuid));
    for (const uuid of this.#known.keys()) if (!uuids.has(uuid)) this.#known.delete(uuid);
  }
}

/** Changes when the guest is started, renamed, or gets or loses a device. */
function generationOf({ domainId, name, stats }: ListedGuest & { readonly stats: Stats }): string {
  const devices = (['block', 'net'] as const).flatMap((kind) =>
    devicesOf(stats, kind).map((device) => [kind, device.name, device.get('path')]),
  );
  return JSON.stringify([domainId, name, isOff(stats), devices]);
}

/** A guest that is off has no process; what libvirt says of its CPU time is then that of another. */
export function isOff(stats: Stats): boolean {
  return stats.get('state.state') === '5' || stats.get('state.state') === '6';
}

function understand(xml: string): Definition | Error {
  try {
    return parseDefinition(xml);
  } catch (cause) {
    return new Error(`its definition cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function isVanished(line: string): boolean {
  return /failed to get domain|Domain not found|no domain with matching/i.test(line);
}

function failure({ virsh, uri }: LibvirtConfig, { errors }: VirshOutput): Error {
  const said = errors.slice(0, 2).join(': ');
  return new Error(said === '' ? `${virsh} failed on ${uri} and did not say why` : `${uri}: ${said}`);
}
