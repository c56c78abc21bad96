import { voidOf } from '@nephometer/core';
import type { Entry, Micros, UsageVoid } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { readEntries } from './entries.ts';

/** Another writer's entry may show up that long after its `recorded_at`: twice the commit horizon. */
const SETTLED_AFTER: Micros = 60_000_000;

/** The voids of this database. Those that are settled are kept; younger ones are asked for each time. */
export class Voids {
  readonly #client: InfluxClient;
  readonly #now: () => Micros;
  readonly #settled: Entry[] = [];
  #upTo: Micros | null = null;

  constructor(client: InfluxClient, now: () => Micros) {
    this.#client = client;
    this.#now = now;
  }

  async asOf(asOf: Micros = Infinity): Promise<UsageVoid[]> {
    const settled = this.#now() - SETTLED_AFTER;
    const from = this.#upTo;
    const fresh = await readEntries(this.#client, { kind: 'void', ...(from === null ? {} : { after: from }) });
    const all = [...this.#settled, ...fresh];
    // Two reads at once: only the one whose start still stands may move it.
    if (this.#upTo === from) {
      this.#settled.push(...fresh.filter(({ recordedAt }) => recordedAt <= settled));
      this.#upTo = settled;
    }
    return all.filter(({ recordedAt }) => recordedAt <= asOf).flatMap((entry) => voidOf(entry) ?? []);
  }
}
