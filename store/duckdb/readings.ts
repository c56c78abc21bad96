import { DAY, isJsonObject, parseJson, SAMPLE_TYPES, sliceMembers } from '@nephometer/core';
import type { JsonObject, Micros, ReadingsQuery, SampleType, Series, UsageSample } from '@nephometer/core';
import type { Engine, Row } from './engine.ts';
import { among, bigintAt, Bindings, int, numberAt, optionalNumberAt, optionalTextAt, textAt } from './sql.ts';
import { seriesConditions } from './where.ts';

/** Time read at once: of a meter a page of some ten thousand rows on most clouds, and few pages a month. */
const PAGE: Micros = DAY;

/**
 * The narrow columns of one meter's samples, and their metadata. Pages are cut by time and not ordered: half the work of
 * `readSamples`. @param condition which rows may be seen @param horizon where retention has cut the meter
 */
export async function* readReadings(
  engine: Engine,
  query: ReadingsQuery,
  condition: string,
  horizon: Micros | null,
): AsyncGenerator<UsageSample[], void, undefined> {
  const series = await seriesOf(engine, query);
  if (series.size === 0) return;
  const ids = among('series_id', [...series.keys()]);
  const within = `${ids} AND ${condition}`;
  const bounds = [`timestamp >= ${int(Math.max(query.from - query.before, horizon ?? -Infinity))}`];
  bounds.push(`timestamp < ${int(query.to + query.after)}`);
  const [extent] = await engine.read(
    `SELECT min(timestamp), max(timestamp) FROM sample WHERE ${[...bounds, within].join(' AND ')}`,
  );
  if (extent === undefined || extent[0] === null) return;
  const last = numberAt(extent, 1);
  const metadata = new MetadataCache();
  for (let start = numberAt(extent, 0); start <= last; start += PAGE) {
    const rows = await engine.read(
      `SELECT sample.timestamp, message_id, series_id, coefficient, scale, slot, text, recorded_at, agent_id
       FROM sample JOIN batch ON batch.id = sample.batch_id
       WHERE timestamp >= ${int(start)} AND timestamp < ${int(Math.min(start + PAGE, last + 1))} AND ${within}`,
    );
    if (rows.length > 0) yield rows.map((row) => usageSample(row, series, metadata));
  }
}

interface OwnedSeries extends Series {
  readonly projectId: string | null;
  readonly userId: string | null;
}

/** Of one meter, by number. */
export async function seriesOf(
  engine: Engine,
  { meter, resourceIds, projectIds }: Pick<ReadingsQuery, 'meter' | 'resourceIds' | 'projectIds'>,
): Promise<Map<number, OwnedSeries>> {
  const bindings = new Bindings();
  const bind = (text: string): string => bindings.bind(text);
  const conditions = seriesConditions({ meter }, { bind });
  if (resourceIds?.length === 0) return new Map();
  if (resourceIds !== undefined) conditions.push(`resource_id IN (${resourceIds.map(bind).join(',')})`);
  if (projectIds !== undefined) {
    const ofProjects = seriesConditions({ meter, projectIds }, { bind }).join(' AND ');
    conditions.push(`resource_id IN (SELECT resource_id FROM series WHERE ${ofProjects})`);
  }
  const rows = await engine.read(
    `SELECT id, source, meter, type, unit, resource_id, project_id, user_id FROM series WHERE ${conditions.join(' AND ')}`,
    bindings.values,
  );
  return new Map(rows.map((row) => [numberAt(row, 0), ownedSeries(row)]));
}

function ownedSeries(row: Row): OwnedSeries {
  const type: SampleType = SAMPLE_TYPES.find((known) => known === row[3]) ?? 'gauge';
  return {
    source: textAt(row, 1),
    meter: textAt(row, 2),
    type,
    unit: optionalTextAt(row, 4),
    resourceId: textAt(row, 5),
    projectId: optionalTextAt(row, 6),
    userId: optionalTextAt(row, 7),
  };
}

function usageSample(row: Row, series: ReadonlyMap<number, OwnedSeries>, metadata: MetadataCache): UsageSample {
  const own = series.get(numberAt(row, 2));
  if (own === undefined) throw new TypeError('A sample of another series was read.');
  return {
    ...own,
    messageId: textAt(row, 1),
    timestamp: numberAt(row, 0),
    volume: { coefficient: bigintAt(row, 3), scale: numberAt(row, 4) },
    slot: optionalNumberAt(row, 5),
    metadata: metadata.of(textAt(row, 6)),
    recordedAt: numberAt(row, 7),
    agentId: optionalTextAt(row, 8),
  };
}

const MOST_KEPT = 20_000;

/** Metadata as they stand in messages; most messages of a resource have the same, which is read once. */
class MetadataCache {
  readonly #known = new Map<string, JsonObject>();

  of(message: string): JsonObject {
    const text = sliceMembers(message).get('resource_metadata') ?? '{}';
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const value = parseJson(text);
    const metadata: JsonObject = isJsonObject(value) ? value : new Map();
    if (this.#known.size >= MOST_KEPT) this.#known.clear();
    this.#known.set(text, metadata);
    return metadata;
  }
}
