import { assertWithinRetention } from '@nephometer/core';
import type { Micros, SampleFilter, SampleQuery } from '@nephometer/core';
import type { Engine } from './engine.ts';
import { keyOf } from './keys.ts';
import { among, Bindings, int, numberAt } from './sql.ts';
import type { Writer } from './writer.ts';

/** What a question may see. */
export interface Pin {
  /** Batches up to this id. */
  readonly batch: number;
  /** Resolutions recorded by then; 0: there are none at all. */
  readonly at: Micros;
  /** Voids recorded by then; 0: there are none at all. */
  readonly voids: Micros;
}

/**
 * Fixes what a question sees, so that all its pages show one moment.
 * @throws BehindRetention
 */
export async function pinFor(engine: Engine, writer: Writer, query: SampleFilter & { asOf?: number }): Promise<Pin> {
  assertWithinRetention(query, writer.horizons);
  const { asOf } = query;
  if (asOf === undefined) {
    return { batch: writer.committedBatch, at: writer.committedResolution, voids: writer.committedVoid };
  }
  await writer.settled(asOf);
  const [row] = await engine.read(`SELECT coalesce(max(id), 0) FROM batch WHERE recorded_at <= ${int(asOf)}`);
  const since = (committed: Micros): Micros => (committed === 0 ? 0 : asOf);
  const [at, voids] = [since(writer.committedResolution), since(writer.committedVoid)];
  return { batch: numberAt(row ?? [], 0), at, voids };
}

export function visible(pin: Pin): string {
  const voided = pin.voids === 0 ? '' : ` AND (voided_at IS NULL OR voided_at > ${int(pin.voids)})`;
  return `${notInConflict(pin)}${voided}`;
}

/** As `visible`, voided samples too. */
export function notInConflict(pin: Pin): string {
  const batch = int(pin.batch);
  // Left out where nothing was ever resolved: the engine would look for every row whether it was.
  const kept =
    pin.at === 0
      ? ''
      : ` OR (batch_id, batch_index) IN (SELECT (keep_batch, keep_index) FROM resolution WHERE ${holds(pin)})`;
  return `NOT late AND batch_id <= ${batch} AND (conflict_since IS NULL OR conflict_since > ${batch}${kept})`;
}

export function inConflict(pin: Pin): string {
  const batch = int(pin.batch);
  const resolved = `SELECT message_id FROM resolution WHERE ${holds(pin)}`;
  return `NOT late AND batch_id <= ${batch} AND conflict_since <= ${batch} AND message_id NOT IN (${resolved})`;
}

/** The resolutions that count. */
function holds({ batch, at }: Pin): string {
  return (
    `recorded_at <= ${int(at)} AND (until IS NULL OR until > ${int(at)}) ` +
    `AND (reopened IS NULL OR reopened > ${int(batch)})`
  );
}

/** The conditions on a series row. All but times, ids and metadata are. */
export function seriesConditions(filter: SampleFilter, { bind }: Binder): string[] {
  const { meter, resourceId, source, userId, projectIds } = filter;
  const conditions: string[] = [];
  if (meter !== undefined) conditions.push(`meter = ${bind(meter)}`);
  if (resourceId !== undefined) conditions.push(`resource_id = ${bind(resourceId)}`);
  if (source !== undefined) conditions.push(`source = ${bind(source)}`);
  if (userId !== undefined) conditions.push(`user_id = ${bind(userId)}`);
  if (projectIds?.length === 0) conditions.push('false');
  else if (projectIds !== undefined) conditions.push(`project_id IN (${projectIds.map(bind).join(',')})`);
  return conditions;
}

interface Binder {
  readonly bind: (text: string) => string;
}

/** The most series whose numbers are written into a statement; more are joined. */
const MOST_NAMED_SERIES = 500;

/**
 * The conditions on sample rows that SQL can judge, with the texts they bind; metadata is judged on the message. The
 * series are looked up first, so that the table is asked by number.
 */
export async function sampleConditions(engine: Engine, filter: SampleFilter): Promise<[string[], Bindings]> {
  const bindings = new Bindings();
  const bind = (text: string): string => bindings.bind(text);
  const conditions: string[] = [];
  const { from, to, messageId, batchDigest } = filter;
  if (from !== undefined) conditions.push(`timestamp ${from.inclusive ? '>=' : '>'} ${int(from.at)}`);
  if (to !== undefined) conditions.push(`timestamp ${to.inclusive ? '<=' : '<'} ${int(to.at)}`);
  if (messageId !== undefined) {
    conditions.push(`message_key = ${keyOf(messageId)}`, `message_id = ${bind(messageId)}`);
  }
  if (batchDigest !== undefined) {
    const sql = `SELECT id FROM batch WHERE digest_key = ${keyOf(batchDigest)} AND digest = $1`;
    const ids = await engine.read(sql, [batchDigest]);
    conditions.push(
      among(
        'batch_id',
        ids.map((row) => numberAt(row, 0)),
      ),
    );
  }
  const ofSeries = new Bindings();
  const series = seriesConditions(filter, { bind: (text) => ofSeries.bind(text) });
  if (series.length > 0) {
    const sql = `SELECT id FROM series WHERE ${series.join(' AND ')}`;
    const ids = await engine.read(`${sql} LIMIT ${MOST_NAMED_SERIES + 1}`, ofSeries.values);
    if (ids.length <= MOST_NAMED_SERIES)
      conditions.push(
        among(
          'series_id',
          ids.map((row) => numberAt(row, 0)),
        ),
      );
    else
      conditions.push(`series_id IN (SELECT id FROM series WHERE ${seriesConditions(filter, { bind }).join(' AND ')})`);
  }
  return [conditions, bindings];
}

/** A place in the order of samples; the batch's id and index tell versions of one message_id apart. */
export interface Place {
  readonly timestamp: number;
  readonly messageId: string;
  readonly batch: readonly [id: number, index: number] | null;
}

/** The condition that a row comes behind a place. The first part alone lets the engine skip whole blocks. */
export function behind({ timestamp, messageId, batch }: Place, order: SampleQuery['order'], { bind }: Binder): string {
  const [past, reach] = order === 'oldest' ? ['>', '>='] : ['<', '<='];
  const at = int(timestamp);
  const id = bind(messageId);
  const later = batch === null ? 'false' : `(batch_id, batch_index) > (${int(batch[0])}, ${int(batch[1])})`;
  return (
    `timestamp ${reach} ${at} AND (timestamp ${past} ${at} OR message_id > ${id} ` +
    `OR (message_id = ${id} AND ${later}))`
  );
}
