import { matchesMetadata, readMessage } from '@nephometer/core';
import type { SampleQuery, StoredSample } from '@nephometer/core';
import type { Engine, Row } from './engine.ts';
import { int, numberAt, optionalNumberAt, optionalTextAt, textAt } from './sql.ts';
import { behind, sampleConditions } from './where.ts';
import type { Place } from './where.ts';

/** Rows read at once: enough to pay for the look through the table, few enough that memory stays flat. */
const PAGE_ROWS = 10_000;
/** The first page when the question has no limit: an answer that starts soon. */
const FIRST_PAGE_ROWS = 500;

const OF_SAMPLE = 'page.timestamp, page.message_id, page.batch_id, page.batch_index, sample.slot, sample.text';
const OF_BATCH = 'batch.recorded_at, batch.digest, batch.agent_id, batch.epoch, batch.seq, batch.key_id';

/**
 * Samples that match and of which `condition` (visible, or in conflict) holds, page by page: no statement stays open
 * while the reader works, and no more than a page is in memory.
 */
export async function* readSamples(
  engine: Engine,
  query: SampleQuery,
  condition: string,
): AsyncGenerator<StoredSample, void, undefined> {
  const { limit = Infinity, metadata = [] } = query;
  let left = limit;
  let place: Place | null = query.after === undefined ? null : { ...query.after, batch: null };
  let rows = metadata.length > 0 ? PAGE_ROWS : Math.min(limit, FIRST_PAGE_ROWS);
  while (left > 0) {
    const page = await readPage(engine, query, condition, place, rows);
    for (const row of page) {
      const sample = storedSample(row);
      if (!matchesMetadata(sample.metadata, metadata)) continue;
      yield sample;
      left -= 1;
      if (left === 0) return;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < rows) return;
    place = { timestamp: numberAt(last, 0), messageId: textAt(last, 1), batch: [numberAt(last, 2), numberAt(last, 3)] };
    rows = Math.min(metadata.length > 0 ? PAGE_ROWS : left, PAGE_ROWS);
  }
}

/** Picks the page by the narrow columns first; the texts, most of the file, are read for its rows alone. */
async function readPage(
  engine: Engine,
  query: SampleQuery,
  condition: string,
  place: Place | null,
  rows: number,
): Promise<Row[]> {
  const [conditions, bindings] = await sampleConditions(engine, query);
  conditions.push(condition);
  if (place !== null) conditions.push(behind(place, query.order, { bind: (text) => bindings.bind(text) }));
  const direction = query.order === 'oldest' ? 'ASC' : 'DESC';
  const order = (table: string) =>
    `${table}timestamp ${direction}, ${table}message_id, ${table}batch_id, ${table}batch_index`;
  return engine.read(
    `WITH page AS MATERIALIZED (
       SELECT rowid AS row_id, timestamp, message_id, batch_id, batch_index FROM sample
       WHERE ${conditions.join(' AND ')} ORDER BY ${order('')} LIMIT ${int(rows)})
     SELECT ${OF_SAMPLE}, ${OF_BATCH} FROM page JOIN sample ON sample.rowid = page.row_id
       JOIN batch ON batch.id = page.batch_id ORDER BY ${order('page.')}`,
    bindings.values,
  );
}

/** Everything that the message says is read from its text, as it was when it was received. */
export function storedSample(row: Row): StoredSample {
  const text = textAt(row, 5);
  return {
    ...readMessage(text).sample,
    text,
    slot: optionalNumberAt(row, 4),
    recordedAt: numberAt(row, 6),
    batchDigest: textAt(row, 7),
    batchIndex: numberAt(row, 3),
    agentId: optionalTextAt(row, 8),
    epoch: optionalTextAt(row, 9),
    seq: optionalNumberAt(row, 10),
    keyId: optionalTextAt(row, 11),
  };
}

/** The samples of these rows of the table, in any order. */
export async function samplesOfRows(engine: Engine, rowIds: readonly bigint[]): Promise<StoredSample[]> {
  if (rowIds.length === 0) return [];
  const rows = await engine.read(
    `WITH page AS MATERIALIZED (SELECT unnest([${rowIds.join(',')}]) AS row_id)
     SELECT ${OF_SAMPLE.replaceAll('page.', 'sample.')}, ${OF_BATCH} FROM page JOIN sample ON sample.rowid = page.row_id
       JOIN batch ON batch.id = sample.batch_id`,
  );
  return rows.map(storedSample);
}
