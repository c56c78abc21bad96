import { compareText, listMeters, ResourceList, SAMPLE_TYPES } from '@nephometer/core';
import type { MeterRow, ResourceRow, SampleQuery } from '@nephometer/core';
import type { Engine, Row } from './engine.ts';
import { readSamples, samplesOfRows } from './samples.ts';
import { bigintAt, Bindings, int, numberAt, optionalTextAt, textAt, textsAt } from './sql.ts';
import { sampleConditions, seriesConditions, visible } from './where.ts';
import type { Pin } from './where.ts';

const SERIES_COLUMNS = 'source, meter, type, unit, resource_id, project_id, user_id';

/** From the series alone where the question allows it; samples are looked at only for series that had a conflict or a void. */
export async function readMeters(engine: Engine, query: SampleQuery, pin: Pin): Promise<MeterRow[]> {
  const { from, to, messageId, batchDigest, asOf } = query;
  const isTimeless = [from, to, messageId, batchDigest, asOf].every((condition) => condition === undefined);
  if ((query.metadata ?? []).length > 0) return metersOfSamples(engine, query, pin);
  return isTimeless ? metersOfSeries(engine, query, pin) : metersWithin(engine, query, pin);
}

async function metersOfSeries(engine: Engine, query: SampleQuery, pin: Pin): Promise<MeterRow[]> {
  const bindings = new Bindings();
  const conditions = seriesConditions(query, { bind: (text) => bindings.bind(text) });
  const rows = await engine.read(
    `WITH touched AS MATERIALIZED (SELECT DISTINCT series_id FROM sample
         WHERE conflict_since IS NOT NULL OR voided_at IS NOT NULL),
       shown AS MATERIALIZED (SELECT DISTINCT series_id FROM sample
         WHERE series_id IN (SELECT series_id FROM touched) AND ${visible(pin)})
     SELECT ${SERIES_COLUMNS} FROM series WHERE ${['listed', ...conditions].join(' AND ')}
       AND (id NOT IN (SELECT series_id FROM touched) OR id IN (SELECT series_id FROM shown))`,
    bindings.values,
  );
  return listMeters(rows.map(meterRow)).slice(0, query.limit);
}

async function metersWithin(engine: Engine, query: SampleQuery, pin: Pin): Promise<MeterRow[]> {
  const [conditions, bindings] = await sampleConditions(engine, query);
  const rows = await engine.read(
    `SELECT ${SERIES_COLUMNS} FROM series WHERE id IN
       (SELECT DISTINCT series_id FROM sample WHERE ${[...conditions, visible(pin)].join(' AND ')})`,
    bindings.values,
  );
  return listMeters(rows.map(meterRow)).slice(0, query.limit);
}

async function metersOfSamples(engine: Engine, query: SampleQuery, pin: Pin): Promise<MeterRow[]> {
  let rows: MeterRow[] = [];
  let page: MeterRow[] = [];
  for await (const sample of readSamples(engine, allOf(query), visible(pin))) {
    page.push(sample);
    if (page.length < 10_000) continue;
    rows = listMeters([...rows, ...page]);
    page = [];
  }
  return listMeters([...rows, ...page]).slice(0, query.limit);
}

/** Limit and place belong to the list, not to the samples beneath it. */
function allOf(query: SampleQuery): SampleQuery {
  const { limit: _limit, after: _after, ...rest } = query;
  return rest;
}

function meterRow(row: Row): MeterRow {
  const type = SAMPLE_TYPES.find((known) => known === row[2]) ?? 'gauge';
  return {
    source: textAt(row, 0),
    meter: textAt(row, 1),
    type,
    unit: optionalTextAt(row, 3),
    resourceId: textAt(row, 4),
    projectId: optionalTextAt(row, 5),
    userId: optionalTextAt(row, 6),
  };
}

export async function readResources(engine: Engine, query: SampleQuery, pin: Pin): Promise<ResourceRow[]> {
  if ((query.metadata ?? []).length === 0) return resourcesOfSeries(engine, query, pin);
  const list = new ResourceList();
  for await (const sample of readSamples(engine, allOf(query), visible(pin))) list.add(sample);
  return list.rows().slice(0, query.limit);
}

/** First and newest time per series by the narrow columns; then of each resource the one newest sample. */
async function resourcesOfSeries(engine: Engine, query: SampleQuery, pin: Pin): Promise<ResourceRow[]> {
  const [conditions, bindings] = await sampleConditions(engine, query);
  const where = [...conditions, visible(pin)].join(' AND ');
  const limit = query.limit === undefined ? '' : `LIMIT ${int(query.limit)}`;
  const rows = await engine.read(
    `WITH span AS MATERIALIZED (SELECT series_id, min(timestamp) AS first, max(timestamp) AS last
         FROM sample WHERE ${where} GROUP BY series_id),
       resource AS MATERIALIZED (SELECT resource_id, source, min(first) AS first, max(last) AS last,
         list(DISTINCT meter) AS meters FROM span JOIN series ON series.id = span.series_id
         GROUP BY resource_id, source ORDER BY resource_id, source ${limit}),
       newest AS MATERIALIZED (SELECT span.series_id, resource_id, source, last FROM span
         JOIN series ON series.id = span.series_id JOIN resource USING (resource_id, source, last)),
       found AS (SELECT resource_id, source, arg_min(row_id, message_id) AS row_id
         FROM (SELECT rowid AS row_id, series_id AS series, timestamp, message_id FROM sample WHERE ${where}) AS s
         JOIN newest ON s.series = newest.series_id AND s.timestamp = newest.last GROUP BY resource_id, source)
     SELECT resource_id, source, resource.first, meters, row_id
       FROM resource JOIN found USING (resource_id, source)`,
    bindings.values,
  );
  const samples = await samplesOfRows(
    engine,
    rows.map((row) => bigintAt(row, 4)),
  );
  const byResource = new Map(samples.map((sample) => [JSON.stringify([sample.resourceId, sample.source]), sample]));
  return rows
    .flatMap((row): ResourceRow[] => {
      const [resourceId, source] = [textAt(row, 0), textAt(row, 1)];
      const newest = byResource.get(JSON.stringify([resourceId, source]));
      // Gone between the two statements: retention has just removed it.
      if (newest === undefined) return [];
      const meters = textsAt(row, 3).sort(compareText);
      return [{ resourceId, source, firstTimestamp: numberAt(row, 2), newest, meters }];
    })
    .sort((a, b) => compareText(a.resourceId, b.resourceId) || compareText(a.source, b.source));
}
