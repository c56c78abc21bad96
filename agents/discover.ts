import { ConfigError, messageOf } from '@nephometer/core';
import type {
  ActivePlugin,
  Clock,
  Discovery,
  Logger,
  Micros,
  PollContext,
  PollingSource,
  Pollster,
  Resource,
} from '@nephometer/core';
import { callWithDeadline } from './deadline.ts';
import { checkResource } from './reading.ts';

/** What a discovery gave for one tick. */
export interface Discovered {
  readonly resources: readonly Resource[];
  /** False when the discovery failed: the resources are of an earlier tick, or there are none. */
  readonly complete: boolean;
  /** Why it failed; null when it did not. */
  readonly error: string | null;
}

export interface DiscoveryOptions {
  readonly discoveries: readonly ActivePlugin<Discovery>[];
  readonly host: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long the last good set may stand in for a discovery that fails. */
  readonly cache: Micros;
}

type Find = (context: Pick<PollContext<unknown>, 'signal' | 'report'>) => Promise<readonly Resource[]>;

/**
 * Finds what to measure. A discovery is asked once a tick, however many pollsters name it. When it fails its last good
 * set stands in: stale beats partial.
 */
export class Discoverer {
  readonly #options: DiscoveryOptions;
  readonly #lastGood = new Map<string, { resources: readonly Resource[]; at: Micros }>();
  /** Asked in this tick, by timer and slot; kept for the last few ticks only. */
  readonly #asked = new Map<string, Promise<Discovered>>();
  readonly #running = new Set<string>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** @throws ConfigError when a source names a discovery that is not there */
  check(sources: readonly PollingSource[]): void {
    const problems = sources.flatMap((source, index) =>
      (source.discovery ?? [])
        .filter((spec) => this.#find(spec) === null)
        .map((spec) => ({
          file: 'configuration',
          line: null,
          key: `sources[${index}].discovery`,
          message: this.#unknown(spec),
        })),
    );
    if (problems.length > 0) throw new ConfigError(problems);
  }

  /**
   * The resources that a pollster is asked for in one tick: the source's static ones and its discoveries, else the
   * pollster's own. Of two with one id the first counts.
   */
  async discoverResources(
    active: ActivePlugin<Pollster>,
    source: PollingSource,
    tick: { readonly key: string; readonly timeout: Micros },
  ): Promise<Discovered> {
    const statics = (source.resources ?? []).map((id) => ({ id }));
    const found = await Promise.all(
      isLeftToPlugin(source)
        ? [this.#own(active, tick)]
        : (source.discovery ?? []).map((spec) => this.#ask(spec, this.#find(spec), tick)),
    );
    const errors = found.flatMap(({ error }) => (error === null ? [] : [error]));
    return {
      resources: unique([...statics, ...found.flatMap(({ resources }) => resources)]),
      complete: found.every(({ complete }) => complete),
      error: errors.length === 0 ? null : errors.join('; '),
    };
  }

  /** Whether the pollster's own function finds its resources: it may read them already, so its run begins there. */
  isPartOfRun({ plugin }: ActivePlugin<Pollster>, source: PollingSource): boolean {
    return isLeftToPlugin(source) && typeof plugin.discovery === 'function';
  }

  #own(active: ActivePlugin<Pollster>, tick: { key: string; timeout: Micros }): Promise<Discovered> {
    const { discovery, name } = active.plugin;
    if (typeof discovery === 'string') return this.#ask(discovery, this.#find(discovery), tick);
    const find: Find = async (context) => discovery({ ...active.context, ...context });
    return this.#ask(`its own of ${active.entry.namespace} ${name}`, find, tick);
  }

  #ask(spec: string, find: Find | null, tick: { key: string; timeout: Micros }): Promise<Discovered> {
    const key = `${tick.key} ${spec}`;
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = this.#run(spec, find, tick.timeout);
      this.#asked.set(key, asked);
      // Ticks come in order, so the oldest entries are of ticks that are over.
      for (const old of this.#asked.keys()) if (this.#asked.size > 200 && old !== key) this.#asked.delete(old);
    }
    return asked;
  }

  async #run(spec: string, find: Find | null, timeout: Micros): Promise<Discovered> {
    if (find === null) return { resources: [], complete: false, error: this.#unknown(spec) };
    if (this.#running.has(spec)) return this.#fallBack(spec, 'busy');
    this.#running.add(spec);
    const failures: string[] = [];
    const report = (resource: Resource, cause: unknown): void => {
      failures.push(`${resource?.id}: ${messageOf(cause)}`);
    };
    try {
      const { clock } = this.#options;
      const found = await callWithDeadline(clock, timeout, (signal) => find({ signal, report }), {
        settled: () => this.#running.delete(spec),
      });
      if (!Array.isArray(found)) throw new TypeError('it must return an array of resources');
      const resources = unique(found.map((resource: unknown) => checkResource(resource, `discovery ${spec}`)));
      if (failures.length > 0) throw new Error(`half a set: ${failures.slice(0, 3).join('; ')}`);
      this.#lastGood.set(spec, { resources, at: clock.monotonic() });
      return { resources, complete: true, error: null };
    } catch (cause) {
      return this.#fallBack(spec, messageOf(cause));
    }
  }

  #fallBack(spec: string, reason: string): Discovered {
    const good = this.#lastGood.get(spec);
    const { clock, cache, log } = this.#options;
    const fresh = good !== undefined && clock.monotonic() - good.at <= cache;
    log.warn({ discovery: spec, reason, reusing: fresh ? good.resources.length : 0 }, 'A discovery failed.');
    return { resources: fresh ? good.resources : [], complete: false, error: `discovery ${spec}: ${reason}` };
  }

  #find(spec: string): Find | null {
    const [name, parameter] = splitSpec(spec);
    const active = this.#options.discoveries.find(({ plugin, entry }) => plugin.name === name || entry.name === name);
    if (active !== undefined) {
      return async (context) => active.plugin.discover(parameter, { ...active.context, ...context });
    }
    if (name !== 'local-node') return null;
    const { host } = this.#options;
    return async () => [{ id: host, metadata: { host } }];
  }

  #unknown(spec: string): string {
    const names = ['local-node', ...this.#options.discoveries.map(({ plugin }) => plugin.name)];
    return `names the discovery "${spec}", which is not installed; installed: ${names.join(', ')}`;
  }
}

function isLeftToPlugin({ resources, discovery }: PollingSource): boolean {
  return resources === undefined && discovery === undefined;
}

function splitSpec(spec: string): [name: string, parameter: string | null] {
  const at = spec.indexOf('://');
  return at < 0 ? [spec, null] : [spec.slice(0, at), spec.slice(at + 3)];
}

function unique(resources: readonly Resource[]): Resource[] {
  const byId = new Map<string, Resource>();
  for (const resource of resources) if (!byId.has(resource.id)) byId.set(resource.id, resource);
  return [...byId.values()];
}
