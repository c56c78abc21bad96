import { nextHorizons, withoutBytes } from '@nephometer/core';
import type { Micros, RetentionOutcome, RetentionRule } from '@nephometer/core';
import type { Engine } from './engine.ts';
import { int, numberAt, textAt } from './sql.ts';
import type { Writer } from './writer.ts';

/**
 * Moves the horizons and removes what lies behind them in one transaction, with the series that are then empty. Days
 * that went whole are freed by the checkpoint.
 */
export async function removeBehind(
  engine: Engine,
  writer: Writer,
  rules: readonly RetentionRule[],
): Promise<RetentionOutcome> {
  const horizons = await writer.change(async (connection) => {
    const meters = (await connection.runAndReadAll('SELECT DISTINCT meter FROM series')).getRows();
    const next = nextHorizons(
      rules,
      meters.map((row) => textAt(row, 0)),
      writer.horizons,
    );
    await connection.run('DELETE FROM horizon');
    for (const [meter, at] of next) await connection.run(`INSERT INTO horizon VALUES ($1, ${int(at)})`, [meter]);
    await connection.run(
      `DELETE FROM sample USING series JOIN horizon ON horizon.meter = series.meter
       WHERE sample.series_id = series.id AND sample.timestamp < horizon.keep_from`,
    );
    await connection.run(
      'DELETE FROM fold USING horizon WHERE horizon.meter = fold.meter AND fold.day < horizon.keep_from',
    );
    await connection.run('DELETE FROM series WHERE id NOT IN (SELECT DISTINCT series_id FROM sample)');
    // Known to readers before the samples are gone, so that none takes what was removed for a gap.
    writer.horizons = next;
    return next;
  });
  await engine.checkpoint();
  return { horizons };
}

/** Bodies are up to many MiB each: few are read at a time. */
const PAGE = 16;

/** Page by page, each in a transaction of its own, so that what is recorded meanwhile waits for one page only. */
export async function shedQuarantine(engine: Engine, writer: Writer, before: Micros): Promise<number> {
  let shed = 0;
  for (let after = -Infinity; ;) {
    const page = await writer.change(async (connection) => {
      const since = after === -Infinity ? '' : `AND recorded_at > ${int(after)}`;
      const rows = await connection.runAndReadAll(
        `SELECT recorded_at, body FROM entry WHERE kind = 'quarantine' AND recorded_at < ${int(before)} ${since}
         AND body NOT LIKE '%"bytes":""%' ORDER BY recorded_at LIMIT ${PAGE}`,
      );
      const found = rows.getRows().map((row) => ({ at: numberAt(row, 0), body: withoutBytes(textAt(row, 1)) }));
      for (const { at, body } of found) {
        if (body === null) continue;
        const where = `kind = 'quarantine' AND recorded_at = ${int(at)}`;
        await connection.run(`UPDATE entry SET body = $1 WHERE ${where}`, [body]);
        shed += 1;
      }
      return found;
    });
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last.at;
  }
  if (shed > 0) await engine.checkpoint();
  return shed;
}
