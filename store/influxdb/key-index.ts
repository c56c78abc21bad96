import { sha256, StoreUnavailable } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { PLACES_PER_LANE, stringField } from './line.ts';
import type { Place, Point } from './line.ts';
import { selectEach, tagEquals } from './query.ts';
import { decodeText } from './text.ts';

/**
 * A measurement that is looked up by a key, though InfluxDB indexes only tags and time, and keys are too many for tags:
 * the point's time is made from the key's hash, with its first three digits as a tag. One lookup reads one microsecond of
 * one series. The times lie in one day of the year 2200: no retention policy removes them.
 */
const WINDOW: Micros = 7_258_118_400_000_000;

export type IndexMeasurement = 'message' | 'tick' | 'ledger' | 'entry_id';

/** `[key, writer, place, ...]`, as JSON in the field `row`. */
export type IndexRow = readonly [
  key: string,
  writer: string,
  place: Place,
  ...rest: (string | number | null | undefined)[],
];

export interface Found<R extends IndexRow = IndexRow> {
  /** Of this key, by all writers. */
  readonly rows: readonly R[];
  /** Places that a writer used here, for this key or another of the same hash. */
  placesOf(writer: string): Place[];
}

export function indexPoint(measurement: IndexMeasurement, row: IndexRow): Point {
  const [key, writer, place] = row;
  const { p, at } = bucketOf(key);
  return { measurement, tags: { p, writer }, fields: { row: stringField(JSON.stringify(row)) }, at, place };
}

/** What is known of each key. */
export async function lookUp<R extends IndexRow>(
  client: InfluxClient,
  measurement: IndexMeasurement,
  keys: Iterable<string>,
): Promise<Map<string, Found<R>>> {
  const wanted = [...new Set(keys)];
  const answers = await selectEach(
    client,
    wanted.map((key) => ({ fields: 'row', measurement, ...whereIs(key) })),
  );
  return new Map(
    wanted.map((key, i) => [
      key,
      found(
        key,
        (answers[i] ?? []).map(({ values }) => readJson<R>(values[0])),
      ),
    ]),
  );
}

/** Conditions that find the points of a key. */
export function whereIs(key: string): { where: string[]; span: { from: Micros; to: Micros } } {
  const { p, at } = bucketOf(key);
  return { where: [tagEquals('p', p)], span: { from: at, to: at } };
}

/** Keys of one bucket share its places. */
export function bucketKey(key: string): string {
  const { p, at } = bucketOf(key);
  return `${p}${at}`;
}

/** Where a key's point goes when nobody looked what is taken: it meets another one time in 2^58. */
export function likelyPlace(key: string): Place {
  return Number.parseInt(hashOf(key).slice(12, 20), 16) % PLACES_PER_LANE;
}

function bucketOf(key: string): { p: string; at: Micros } {
  const hash = hashOf(key);
  return { p: hash.slice(0, 3), at: WINDOW + Number.parseInt(hash.slice(3, 12), 16) };
}

/** The last one: a key is asked for several times in a row. */
let hashed = { key: '', hash: sha256('') };

function hashOf(key: string): string {
  if (hashed.key !== key) hashed = { key, hash: sha256(key) };
  return hashed.hash;
}

function found<R extends IndexRow>(key: string, all: readonly R[]): Found<R> {
  return {
    rows: all.filter(([of]) => of === key),
    placesOf: (writer) => all.filter(([, by]) => by === writer).map(([, , place]) => place),
  };
}

/** What we wrote as JSON into a string field. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what it wrote
export function readJson<T>(text: string | null | undefined): T {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this store writes these measurements
    return JSON.parse(decodeText(text ?? '')) as T;
  } catch {
    throw new StoreUnavailable(`InfluxDB holds a row that is not ours: ${String(text).slice(0, 100)}`);
  }
}
