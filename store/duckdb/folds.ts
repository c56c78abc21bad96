import { DAY, LOOKBACK } from '@nephometer/core';
import type { FoldRow, FoldsQuery, Micros } from '@nephometer/core';
import type { Engine } from './engine.ts';
import { Bindings, int, numberAt, textAt } from './sql.ts';

/** Days that are read at once. */
const PAGE: Micros = 4 * DAY;

/** @param horizon where retention has cut the meter */
export async function* readFolds(
  engine: Engine,
  { meter, from, to, asOf, resourceIds, projectIds, headsOnly }: FoldsQuery,
  horizon: Micros | null,
): AsyncGenerator<FoldRow[]> {
  const bindings = new Bindings();
  const bind = (text: string): string => bindings.bind(text);
  const conditions = [`meter = ${bind(meter)}`, `as_of <= ${int(asOf)}`];
  if (resourceIds !== undefined) conditions.push(`resource_id IN (${['', ...resourceIds].map(bind).join(',')})`);
  if (projectIds !== undefined) {
    const owned = projectIds.length === 0 ? 'false' : `project_id IN (${projectIds.map(bind).join(',')})`;
    conditions.push(`(resource_id = '' OR resource_id IN (SELECT resource_id FROM series WHERE ${owned}))`);
  }
  const start = horizon === null ? from : Math.max(from, Math.ceil((horizon + LOOKBACK) / DAY) * DAY);
  for (let day = start; day < to; day += PAGE) {
    const rows = await engine.read(
      `SELECT day, series, any_value(resource_id), max(as_of), arg_max(head, as_of),
         ${headsOnly === true ? "''" : 'arg_max(body, as_of)'} FROM fold
       WHERE day >= ${int(day)} AND day < ${int(Math.min(day + PAGE, to))} AND ${conditions.join(' AND ')}
       GROUP BY day, series ORDER BY day`,
      bindings.values,
    );
    if (rows.length > 0) yield rows.map((row) => foldRow(meter, row));
  }
}

function foldRow(meter: string, row: Parameters<typeof textAt>[0]): FoldRow {
  return {
    meter,
    day: numberAt(row, 0),
    series: textAt(row, 1),
    resourceId: textAt(row, 2),
    asOf: numberAt(row, 3),
    head: textAt(row, 4),
    body: textAt(row, 5),
  };
}
