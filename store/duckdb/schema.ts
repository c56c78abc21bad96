import { StoreRefused } from '@nephometer/core';
import type { DuckDBConnection } from '@duckdb/node-api';

/** The layout that this version reads and writes. A change adds a migration below; none is ever edited. */
export const SCHEMA_VERSION = 4;

/**
 * Layout 1. Times are microseconds UTC.
 * - `batch` is the ledger; ids grow with recorded_at, so "as of" is "batch id up to".
 * - `sample` keeps the message's text and beside it only what queries look at: all other fields are read from the text.
 *   `conflict_since`: id of the batch that brought the second version of the message_id. `late`: was behind the
 *   horizon of its meter when it came. Keys are 64-bit hashes: a hit is always confirmed by the text itself.
 *   The texts resemble each other: zstd halves the file against the engine's own choice.
 * - `series` has one row per series and owner; `listed`: has had a sample that is not late.
 */
const LAYOUT_1 = `
  CREATE TABLE batch (id BIGINT NOT NULL, digest_key BIGINT NOT NULL, digest VARCHAR NOT NULL,
    recorded_at BIGINT NOT NULL, agent_id VARCHAR, epoch VARCHAR, seq BIGINT, key_id VARCHAR,
    transport VARCHAR NOT NULL, samples INTEGER NOT NULL, duplicates INTEGER NOT NULL,
    header_text VARCHAR USING COMPRESSION zstd);
  CREATE TABLE series (id INTEGER NOT NULL, source VARCHAR NOT NULL, meter VARCHAR NOT NULL, type VARCHAR NOT NULL,
    unit VARCHAR, resource_id VARCHAR NOT NULL, project_id VARCHAR, user_id VARCHAR, listed BOOLEAN NOT NULL);
  CREATE TABLE sample (series_id INTEGER NOT NULL, timestamp BIGINT NOT NULL, batch_id BIGINT NOT NULL,
    batch_index INTEGER NOT NULL, message_key BIGINT NOT NULL, message_id VARCHAR NOT NULL, slot BIGINT,
    coefficient HUGEINT NOT NULL, scale INTEGER NOT NULL, late BOOLEAN NOT NULL, conflict_since BIGINT,
    text VARCHAR NOT NULL USING COMPRESSION zstd);
  CREATE TABLE entry (kind VARCHAR NOT NULL, id VARCHAR NOT NULL, body VARCHAR NOT NULL USING COMPRESSION zstd,
    recorded_at BIGINT NOT NULL);
  CREATE TABLE horizon (meter VARCHAR NOT NULL, keep_from BIGINT NOT NULL);
`;

/**
 * Layout 2: decisions about conflicts, beside their entries. `keep_batch`, `keep_index`: the version that counts, null for
 * none. It holds from `recorded_at` to `until` (the next decision), and before batch `reopened` (one with a new version).
 */
const LAYOUT_2 = `
  CREATE TABLE resolution (message_id VARCHAR NOT NULL, keep_batch BIGINT, keep_index INTEGER,
    recorded_at BIGINT NOT NULL, until BIGINT, reopened BIGINT);
`;

/** Layout 3: `voided_at`, when the first void of the sample was recorded. Voids are of the past, so a void marks all its samples. */
const LAYOUT_3 = 'ALTER TABLE sample ADD COLUMN voided_at BIGINT;';

/** Layout 4: fold lines, the newest `as_of` of a day and series counts. */
const LAYOUT_4 = `
  CREATE TABLE fold (meter VARCHAR NOT NULL, day BIGINT NOT NULL, series VARCHAR NOT NULL, resource_id VARCHAR NOT NULL,
    as_of BIGINT NOT NULL, head VARCHAR NOT NULL, body VARCHAR NOT NULL USING COMPRESSION zstd);
`;

/** By the version that each leads to. */
const MIGRATIONS: readonly { readonly to: number; readonly sql: string }[] = [
  { to: 1, sql: LAYOUT_1 },
  { to: 2, sql: LAYOUT_2 },
  { to: 3, sql: LAYOUT_3 },
  { to: 4, sql: LAYOUT_4 },
];

/**
 * Brings a file to this version's layout; an empty one gets it whole.
 * @throws StoreRefused for a file that a newer version has written
 */
export async function migrate(connection: DuckDBConnection, path: string): Promise<void> {
  await connection.run('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)');
  const found = await connection.runAndReadAll('SELECT max(version) FROM schema_version');
  const version = Number(found.getRows()[0]?.[0] ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new StoreRefused(
      `The store ${path} has layout ${version}; this version of Nephometer reads up to layout ${SCHEMA_VERSION}. ` +
        'Start the version that wrote it, or a newer one.',
    );
  }
  for (const { to, sql } of MIGRATIONS.filter((migration) => migration.to > version)) {
    await connection.run(`BEGIN; ${sql} INSERT INTO schema_version VALUES (${to}); COMMIT`);
  }
}
