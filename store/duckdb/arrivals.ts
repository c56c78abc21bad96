import { HOUR, SAMPLE_TYPES } from '@nephometer/core';
import type { Arrival, ArrivalsQuery } from '@nephometer/core';
import type { Engine, Row } from './engine.ts';
import { Bindings, int, numberAt, optionalTextAt, textAt } from './sql.ts';

/** Ids of batches grow with `recorded_at`, and samples lie in the order of their batches: only the newest blocks are read. */
export async function* readArrivals(
  engine: Engine,
  { after, upTo, meter }: ArrivalsQuery,
  newest: number,
): AsyncGenerator<Arrival[]> {
  const range = `recorded_at > ${int(after)} AND recorded_at <= ${int(upTo)} AND id <= ${int(newest)}`;
  const [extent] = await engine.read(`SELECT min(id), max(id) FROM batch WHERE ${range}`);
  if (extent === undefined || extent[0] === null) return;
  const bindings = new Bindings();
  const ofMeter = meter === undefined ? '' : `WHERE meter = ${bindings.bind(meter)}`;
  const rows = await engine.read(
    `WITH came AS (SELECT series_id, agent_id, max(recorded_at) AS newest, min(least(timestamp, coalesce(slot, timestamp))) AS first,
         max(greatest(timestamp, coalesce(slot, timestamp))) AS last
       FROM sample JOIN batch ON batch.id = batch_id
       WHERE batch_id BETWEEN ${int(numberAt(extent, 0))} AND ${int(numberAt(extent, 1))}
       GROUP BY series_id, agent_id, timestamp // ${HOUR})
     SELECT DISTINCT source, meter, type, unit, resource_id, agent_id, newest, first, last
     FROM came JOIN series ON series.id = series_id ${ofMeter}`,
    bindings.values,
  );
  yield rows.map(arrivalOf);
}

function arrivalOf(row: Row): Arrival {
  const type = SAMPLE_TYPES.find((known) => known === row[2]) ?? 'gauge';
  const [source, meter, resourceId] = [textAt(row, 0), textAt(row, 1), textAt(row, 4)];
  return {
    series: { source, meter, type, unit: optionalTextAt(row, 3), resourceId },
    agentId: optionalTextAt(row, 5),
    recordedAt: numberAt(row, 6),
    first: numberAt(row, 7),
    last: numberAt(row, 8),
  };
}
