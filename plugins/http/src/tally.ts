import type { PluginLog, PollContext, Reading, Resource } from '@nephometer/core/plugin';
import type { Definition } from './definition.ts';
import type { EntryResult } from './readings.ts';

type Report = PollContext<unknown>['report'];

/** What one poll tells: failures, series that came twice, values without a mapping. */
export class Tally {
  readonly #report: Report;
  readonly #log: PluginLog;
  /** Volumes by meter and resource. */
  readonly #series = new Map<string, string>();
  readonly #unmapped = new Set<string>();

  constructor(report: Report, log: PluginLog) {
    this.#report = report;
    this.#log = log;
  }

  /** A definition could not be read, or not further: told of its endpoint. */
  failed({ name }: Definition, resource: Resource, cause: unknown): void {
    this.#report(resource, new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause }));
  }

  /** An entry that could not be read is told of the resource that it is, or else of the endpoint. */
  entry(definition: Definition, resource: Resource, { resourceId, problems, unmapped }: EntryResult): void {
    const subject = resourceId === null ? resource : { id: resourceId };
    for (const problem of problems) this.failed(definition, subject, problem);
    for (const value of unmapped) this.#tellUnmapped(definition, value);
  }

  /** False for a second reading of one meter and resource, which could not be told from the first. */
  isNew(definition: Definition, { meter, resourceId, resource, volume }: Reading): boolean {
    const key = JSON.stringify([meter, resourceId]);
    const first = this.#series.get(key);
    if (first === undefined) this.#series.set(key, String(volume));
    // The same entry on two pages is what happens when something is added while pages are read.
    else if (first !== String(volume)) {
      const problem = `${meter} comes twice, as ${first} and as ${volume}; the first counts. Make resource_id_attribute tell the two apart`;
      this.failed(definition, { id: resourceId ?? resource.id }, problem);
    }
    return first === undefined;
  }

  #tellUnmapped({ name, defaultValue }: Definition, value: string): void {
    const key = `${name} ${value}`;
    if (this.#unmapped.has(key)) return;
    this.#unmapped.add(key);
    const fields = { definition: name, value, default_value: defaultValue };
    this.#log.warn(fields, 'A value is not in value_mapping; default_value stands in for it.');
  }
}
