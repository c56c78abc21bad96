import { StoreUnavailable } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { microsOf, nanosOf } from './line.ts';

/** A row as InfluxQL answers it: `values` are those of the fields asked for, strings or null. */
export interface Row {
  readonly at: Micros;
  readonly values: readonly (string | null)[];
}

/** Inclusive microseconds. */
export interface Span {
  readonly from: Micros;
  readonly to: Micros;
}

/** All that a sample's timestamp can be. */
export const ALL_TIME: Span = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };

/**
 * Statements that go in one request, which the server answers one after the other, and requests at a time. A lookup takes
 * the server less time than a request does.
 */
const STATEMENTS_PER_REQUEST = 500;
const REQUESTS_AT_A_TIME = 4;

export interface Select {
  readonly fields: string;
  readonly measurement: string;
  /** InfluxQL conditions, all of which must hold. */
  readonly where?: readonly string[];
  readonly span?: Span;
  readonly order?: 'newest' | 'oldest';
  readonly limit?: number;
}

/** A text in InfluxQL. Backslashes and line ends are encoded before (see text.ts). */
export function literal(encoded: string): string {
  return `'${encoded.replaceAll("'", "\\'")}'`;
}

export function tagEquals(tag: string, encoded: string): string {
  return `"${tag}" = ${literal(encoded)}`;
}

export function selectText({ fields, measurement, where = [], span, order, limit }: Select): string {
  const conditions = [...where];
  if (span !== undefined) conditions.push(`time >= ${nanosOf(span.from, 0)}`, `time <= ${nanosOf(span.to, 999)}`);
  const parts = [`SELECT ${fields} FROM "${measurement}"`];
  if (conditions.length > 0) parts.push(`WHERE ${conditions.join(' AND ')}`);
  if (order !== undefined) parts.push(`ORDER BY time ${order === 'newest' ? 'DESC' : 'ASC'}`);
  if (limit !== undefined) parts.push(`LIMIT ${limit}`);
  return parts.join(' ');
}

/** The rows of each question. */
export async function selectEach(client: InfluxClient, selects: readonly Select[]): Promise<Row[][]> {
  const parts: Row[][][] = [];
  const requests = Math.ceil(selects.length / STATEMENTS_PER_REQUEST);
  let next = 0;
  const ask = async (): Promise<void> => {
    while (next < requests) {
      const part = next++;
      const at = part * STATEMENTS_PER_REQUEST;
      const results = await client.query(selects.slice(at, at + STATEMENTS_PER_REQUEST).map(selectText));
      parts[part] = results.map((series) => series.flatMap(({ values }) => values.map(rowOf)));
    }
  };
  await Promise.all(Array.from({ length: Math.min(requests, REQUESTS_AT_A_TIME) }, ask));
  return parts.flat();
}

export async function select(client: InfluxClient, question: Select): Promise<Row[]> {
  const [rows] = await selectEach(client, [question]);
  return rows ?? [];
}

export function rowOf(values: readonly unknown[]): Row {
  const [time, ...rest] = values;
  if (typeof time !== 'string') throw new StoreUnavailable(`InfluxDB answered a row without a time: ${String(time)}.`);
  return { at: microsOf(time), values: rest.map((value) => (typeof value === 'string' ? value : null)) };
}

/**
 * All rows in order of time, page by page; rows of one microsecond are never torn apart. At most about `limit` rows are
 * in memory.
 */
export async function* pages(
  client: InfluxClient,
  question: Select & Required<Pick<Select, 'order' | 'limit' | 'span'>>,
) {
  let { span } = question;
  while (span.from <= span.to) {
    let rows = await select(client, { ...question, span });
    const isLast = rows.length < question.limit;
    if (!isLast) rows = await wholeMicros(client, question, rows);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (isLast || last === undefined) return;
    span = question.order === 'newest' ? { ...span, to: last.at - 1 } : { ...span, from: last.at + 1 };
  }
}

/** A full page may end within a microsecond: that one is left for the next page, or fetched whole if it is the only one. */
async function wholeMicros(client: InfluxClient, question: Select, rows: Row[]): Promise<Row[]> {
  const at = rows.at(-1)?.at ?? 0;
  const whole = rows.filter((row) => row.at !== at);
  if (whole.length > 0) return whole;
  const { limit: _limit, ...all } = question;
  return select(client, { ...all, span: { from: at, to: at } });
}
