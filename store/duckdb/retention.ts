import { nextHorizons } from '@nephometer/core';
import type { RetentionOutcome, RetentionRule } from '@nephometer/core';
import type { Engine } from './engine.ts';
import { int, textAt } from './sql.ts';
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
    await connection.run('DELETE FROM series WHERE id NOT IN (SELECT DISTINCT series_id FROM sample)');
    // Known to readers before the samples are gone, so that none takes what was removed for a gap.
    writer.horizons = next;
    return next;
  });
  await engine.checkpoint();
  return { horizons };
}
