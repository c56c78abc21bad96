import { BIGINT, BOOLEAN, DuckDBDataChunk, HUGEINT, INTEGER, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';

/** Columns of the tables that are appended to, in the order of the layout. */
export const COLUMNS = {
  batch: [BIGINT, BIGINT, VARCHAR, BIGINT, VARCHAR, VARCHAR, BIGINT, VARCHAR, VARCHAR, INTEGER, INTEGER, VARCHAR],
  series: [INTEGER, VARCHAR, VARCHAR, VARCHAR, VARCHAR, VARCHAR, VARCHAR, VARCHAR, BOOLEAN],
  sample: [
    INTEGER,
    BIGINT,
    BIGINT,
    INTEGER,
    BIGINT,
    VARCHAR,
    BIGINT,
    HUGEINT,
    INTEGER,
    BOOLEAN,
    BIGINT,
    VARCHAR,
    BIGINT,
  ],
  fold: [VARCHAR, BIGINT, VARCHAR, VARCHAR, BIGINT, VARCHAR, VARCHAR],
} satisfies Record<string, readonly DuckDBType[]>;

/** Rows that the engine takes at once. */
const CHUNK_ROWS = 2048;

/** Appends within the open transaction. Times and ids are bigints, counts numbers. */
export async function appendRows(
  connection: DuckDBConnection,
  table: keyof typeof COLUMNS,
  rows: readonly (readonly DuckDBValue[])[],
): Promise<void> {
  if (rows.length === 0) return;
  const appender = await connection.createAppender(table);
  try {
    for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
      const chunk = DuckDBDataChunk.create(COLUMNS[table]);
      chunk.setRows(rows.slice(start, start + CHUNK_ROWS));
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}
