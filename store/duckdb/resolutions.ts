import type { DuckDBConnection } from '@duckdb/node-api';
import { keptDigest } from '@nephometer/core';
import type { Entry } from '@nephometer/core';
import { keyOf } from './keys.ts';
import { int, numberAt } from './sql.ts';
import type { Plan } from './plan.ts';

/** Makes an entry of kind `resolution` count. Within the transaction that appends it. */
export async function resolve(connection: DuckDBConnection, { id, body, recordedAt }: Entry): Promise<void> {
  const kept = await keptVersion(connection, id, keptDigest(body));
  await connection.run(`UPDATE resolution SET until = ${int(recordedAt)} WHERE message_id = $1 AND until IS NULL`, [
    id,
  ]);
  const version = kept === null ? 'NULL, NULL' : `${int(kept.batch)}, ${int(kept.index)}`;
  await connection.run(`INSERT INTO resolution VALUES ($1, ${version}, ${int(recordedAt)}, NULL, NULL)`, [id]);
}

async function keptVersion(connection: DuckDBConnection, messageId: string, digest: string | null) {
  if (digest === null) return null;
  const found = await connection.runAndReadAll(
    `SELECT batch_id, batch_index FROM sample JOIN batch ON batch.id = sample.batch_id
     WHERE message_key = ${keyOf(messageId)} AND message_id = $1 AND digest_key = ${keyOf(digest)} AND digest = $2
     ORDER BY batch_index LIMIT 1`,
    [messageId, digest],
  );
  const [row] = found.getRows();
  return row === undefined ? null : { batch: numberAt(row, 0), index: numberAt(row, 1) };
}

/** A new version of a message_id takes up the conflict again. */
export async function reopen(connection: DuckDBConnection, { batches }: Plan): Promise<void> {
  for (const { id, outcome } of batches) {
    for (const messageId of new Set(outcome.conflicts)) {
      const sql = `UPDATE resolution SET reopened = ${int(id)} WHERE message_id = $1 AND until IS NULL AND reopened IS NULL`;
      await connection.run(sql, [messageId]);
    }
  }
}
