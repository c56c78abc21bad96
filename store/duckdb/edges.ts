import { SAMPLE_TYPES, seriesKey } from '@nephometer/core';
import type { Edge, EdgesQuery, Micros, Series } from '@nephometer/core';
import type { Engine, Row } from './engine.ts';
import { seriesOf } from './readings.ts';
import { among, int, numberAt, optionalTextAt, textAt, textsAt } from './sql.ts';

/**
 * The engine reads three narrow columns of the stretch, of the wanted series only; none where no series is wanted. A series has a
 * number for each of its owners. @param condition which rows may be seen @param horizon where retention has cut the meter
 */
export async function readEdges(
  engine: Engine,
  query: EdgesQuery,
  condition: string,
  horizon: Micros | null,
): Promise<Edge[]> {
  const { side, to, except } = query;
  const from = Math.max(query.from, horizon ?? -Infinity);
  if (from >= to) return [];
  const owned = [...(await seriesOf(engine, query))].filter(([, series]) => except?.has(seriesKey(series)) !== true);
  if (owned.length === 0) return [];
  const ids = owned.map(([id]) => id);
  const edge = side === 'newest' ? 'max' : 'min';
  const seen = `timestamp >= ${int(from)} AND timestamp < ${int(to)} AND ${condition}`;
  const rows = await engine.read(
    `WITH own AS (SELECT series_id, ${edge}(timestamp) AS moment FROM sample
       WHERE ${among('series_id', ids)} AND ${seen} GROUP BY series_id),
     known AS (SELECT source, meter, type, unit, resource_id, series_id, moment,
       ${edge}(moment) OVER (PARTITION BY source, meter, type, unit, resource_id) AS edge FROM own JOIN series ON id = series_id),
     outermost AS (SELECT * FROM known WHERE moment = edge),
     counting AS (SELECT series_id, timestamp, batch_id FROM sample
       WHERE series_id IN (SELECT series_id FROM outermost) AND timestamp IN (SELECT moment FROM outermost) AND ${seen})
     SELECT source, meter, type, unit, resource_id, moment,
       list(DISTINCT agent_id ORDER BY agent_id) FILTER (agent_id IS NOT NULL), bool_or(agent_id IS NULL)
     FROM outermost JOIN counting ON counting.series_id = outermost.series_id AND counting.timestamp = outermost.moment
     JOIN batch ON batch.id = batch_id GROUP BY source, meter, type, unit, resource_id, moment`,
  );
  return rows.map((row) => ({ series: seriesAt(row), timestamp: numberAt(row, 5), agentIds: agentsAt(row) }));
}

function seriesAt(row: Row): Series {
  return {
    source: textAt(row, 0),
    meter: textAt(row, 1),
    type: SAMPLE_TYPES.find((known) => known === row[2]) ?? 'gauge',
    unit: optionalTextAt(row, 3),
    resourceId: textAt(row, 4),
  };
}

function agentsAt(row: Row): (string | null)[] {
  const named = textsAt(row, 6);
  return row[7] === true ? [...named, null] : named;
}
