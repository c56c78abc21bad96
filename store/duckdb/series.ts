import type { DuckDBConnection } from '@duckdb/node-api';
import type { Sample } from '@nephometer/core';
import { appendRows } from './append.ts';
import { numberAt } from './sql.ts';

interface SeriesEntry {
  readonly id: number;
  isListed: boolean;
}

/** How many series are kept at hand; beyond that the cache starts anew, and the table is asked. */
const MOST_CACHED = 200_000;

/** Key of a series and owner: no two different ones share it. */
export function seriesKey({ source, meter, type, unit, resourceId, projectId, userId }: Sample): string {
  return JSON.stringify([source, meter, type, unit, resourceId, projectId, userId]);
}

/** Gives every series and owner its number. Used by the one writer only, within its transaction. */
export class SeriesTable {
  readonly #known = new Map<string, SeriesEntry>();
  #lastId = 0;

  /** Forgets what it knew: after a failed transaction, or when rows were removed. */
  async reload(connection: DuckDBConnection): Promise<void> {
    this.#known.clear();
    const found = await connection.runAndReadAll('SELECT coalesce(max(id), 0) FROM series');
    this.#lastId = Math.max(this.#lastId, numberAt(found.getRows()[0] ?? [], 0));
  }

  /**
   * Numbers for the series of these samples; `isLate` ones do not make their series listed.
   * @returns by series key
   */
  async resolve(
    connection: DuckDBConnection,
    samples: readonly { readonly sample: Sample; readonly isLate: boolean }[],
  ): Promise<ReadonlyMap<string, number>> {
    if (this.#known.size > MOST_CACHED) this.#known.clear();
    const wanted = new Map<string, { sample: Sample; isListed: boolean }>();
    for (const { sample, isLate } of samples) {
      const key = seriesKey(sample);
      wanted.set(key, { sample, isListed: !isLate || (wanted.get(key)?.isListed ?? false) });
    }
    await this.#load(connection, wanted);
    const created: [string, Sample, boolean][] = [];
    const listed: number[] = [];
    for (const [key, { sample, isListed }] of wanted) {
      const known = this.#known.get(key);
      if (known === undefined) created.push([key, sample, isListed]);
      else if (isListed && !known.isListed) listed.push(known.id);
      if (known !== undefined && isListed) known.isListed = true;
    }
    await this.#create(connection, created);
    if (listed.length > 0) await connection.run(`UPDATE series SET listed = true WHERE id IN (${listed.join(',')})`);
    return new Map([...wanted.keys()].map((key) => [key, this.#known.get(key)?.id ?? 0]));
  }

  /** Looks for those that are not at hand, by resource, in the table. */
  async #load(connection: DuckDBConnection, wanted: ReadonlyMap<string, { sample: Sample }>): Promise<void> {
    const missing = [...wanted].filter(([key]) => !this.#known.has(key));
    const resources = [...new Set(missing.map(([, { sample }]) => sample.resourceId))];
    for (let start = 0; start < resources.length; start += 1000) {
      const page = resources.slice(start, start + 1000);
      const places = page.map((_, i) => `$${i + 1}`).join(',');
      const found = await connection.runAndReadAll(
        `SELECT id, listed, source, meter, type, unit, resource_id, project_id, user_id
         FROM series WHERE resource_id IN (${places})`,
        page,
      );
      for (const row of found.getRows()) {
        const [id, isListed, ...key] = row;
        this.#known.set(JSON.stringify(key), { id: Number(id), isListed: isListed === true });
      }
    }
  }

  async #create(connection: DuckDBConnection, created: readonly [string, Sample, boolean][]): Promise<void> {
    const rows = created.map(([key, sample, isListed]) => {
      const id = ++this.#lastId;
      this.#known.set(key, { id, isListed });
      const { source, meter, type, unit, resourceId, projectId, userId } = sample;
      return [id, source, meter, type, unit, resourceId, projectId, userId, isListed];
    });
    await appendRows(connection, 'series', rows);
  }
}
