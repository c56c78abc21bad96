import { add, compare, decimal, divide, multiply, subtract, toDouble } from '../decimal.ts';
import type { Decimal } from '../decimal.ts';
import type { SampleFilter } from '../ports/store.ts';
import { DAY, SECOND } from '../time.ts';
import type { Micros } from '../time.ts';
import { metadataText } from './metadata.ts';
import type { Sample } from './sample.ts';

export type GroupField = 'user_id' | 'project_id' | 'resource_id' | 'source' | `resource_metadata.${string}`;

export interface StatisticsQuery extends SampleFilter {
  readonly meter: string;
  /** Length of a bucket; null for one row over everything. */
  readonly period: Micros | null;
  readonly groupBy: readonly GroupField[];
}

/** Exact figures over the samples of one group, unit and bucket. */
export interface StatisticsRow {
  readonly unit: string | null;
  /** By field; null where the samples have none. */
  readonly group: ReadonlyMap<GroupField, string | null>;
  readonly periodStart: Micros;
  readonly periodEnd: Micros;
  readonly first: Micros;
  readonly last: Micros;
  readonly count: number;
  readonly sum: Decimal;
  readonly min: Decimal;
  readonly max: Decimal;
  readonly sumOfSquares: Decimal;
  readonly distinct: {
    readonly resource_id: number;
    readonly user_id: number;
    readonly project_id: number;
  };
}

interface Accumulator {
  readonly unit: string | null;
  readonly group: ReadonlyMap<GroupField, string | null>;
  readonly bucket: number;
  first: Micros;
  last: Micros;
  count: number;
  sum: Decimal;
  min: Decimal;
  max: Decimal;
  sumOfSquares: Decimal;
  readonly resources: Set<string>;
  readonly users: Set<string>;
  readonly projects: Set<string>;
}

/**
 * Statistics as Ceilometer defines them, in exact arithmetic, over samples in any order.
 * Buckets are half-open and start at the query's `from`, else at the first sample; empty ones are left out.
 * Rows are ordered by period start, then unit, then group.
 * @see https://docs.openstack.org/ceilometer (statistics of API v2)
 */
export async function computeStatistics(
  samples: AsyncIterable<Sample> | Iterable<Sample>,
  query: StatisticsQuery,
): Promise<StatisticsRow[]> {
  const kept: Sample[] = [];
  let origin = query.from?.at ?? null;
  // Buckets start at the first sample when the question has no start, so that one has to be seen first.
  if (query.period !== null && origin === null) {
    for await (const sample of samples) kept.push(sample);
    for (const sample of kept) if (origin === null || sample.timestamp < origin) origin = sample.timestamp;
  }
  const rows = new Map<string, Accumulator>();
  for await (const sample of kept.length > 0 ? kept : samples) accumulate(rows, sample, query, origin ?? 0);
  return [...rows.values()].map((row) => finish(row, query, origin ?? 0)).sort(compareStatisticsRows);
}

function accumulate(rows: Map<string, Accumulator>, sample: Sample, query: StatisticsQuery, origin: Micros): void {
  const bucket = query.period === null ? 0 : Math.floor((sample.timestamp - origin) / query.period);
  const group = new Map(query.groupBy.map((field) => [field, groupValue(sample, field)]));
  const key = JSON.stringify([bucket, sample.unit, ...group.values()]);
  let row = rows.get(key);
  if (row === undefined) {
    row = emptyRow(sample, group, bucket);
    rows.set(key, row);
  }
  row.count += 1;
  row.sum = add(row.sum, sample.volume);
  row.sumOfSquares = add(row.sumOfSquares, multiply(sample.volume, sample.volume));
  if (compare(sample.volume, row.min) < 0) row.min = sample.volume;
  if (compare(sample.volume, row.max) > 0) row.max = sample.volume;
  if (sample.timestamp < row.first) row.first = sample.timestamp;
  if (sample.timestamp > row.last) row.last = sample.timestamp;
  row.resources.add(sample.resourceId);
  if (sample.userId !== null) row.users.add(sample.userId);
  if (sample.projectId !== null) row.projects.add(sample.projectId);
}

function emptyRow(sample: Sample, group: Map<GroupField, string | null>, bucket: number): Accumulator {
  return {
    unit: sample.unit,
    group,
    bucket,
    first: sample.timestamp,
    last: sample.timestamp,
    count: 0,
    sum: decimal(0),
    min: sample.volume,
    max: sample.volume,
    sumOfSquares: decimal(0),
    resources: new Set(),
    users: new Set(),
    projects: new Set(),
  };
}

function finish(row: Accumulator, query: StatisticsQuery, origin: Micros): StatisticsRow {
  const periodStart = query.period === null ? row.first : origin + row.bucket * query.period;
  const { resources, users, projects, bucket: _bucket, ...figures } = row;
  return {
    ...figures,
    periodStart,
    periodEnd: query.period === null ? row.last : periodStart + query.period,
    distinct: { resource_id: resources.size, user_id: users.size, project_id: projects.size },
  };
}

function groupValue(sample: Sample, field: GroupField): string | null {
  switch (field) {
    case 'user_id':
      return sample.userId;
    case 'project_id':
      return sample.projectId;
    case 'resource_id':
      return sample.resourceId;
    case 'source':
      return sample.source;
    default:
      return metadataText(sample.metadata, field.slice('resource_metadata.'.length));
  }
}

/** The order of rows: by period start, then unit, then group. */
export function compareStatisticsRows(a: StatisticsRow, b: StatisticsRow): number {
  const keyOf = (row: StatisticsRow): string => JSON.stringify([row.unit, ...row.group.values()]);
  const [left, right] = [keyOf(a), keyOf(b)];
  return a.periodStart - b.periodStart || (left < right ? -1 : left > right ? 1 : 0);
}

/** Digits kept where a division does not end: far below what a double can show. */
const QUOTIENT_DIGITS = 40;

/** Mean, rounded once, to the nearest double. */
export function average(row: StatisticsRow): number {
  return toDouble(divide(row.sum, decimal(row.count), QUOTIENT_DIGITS));
}

/** Population standard deviation (divided by n), from the exact variance. */
export function standardDeviation(row: StatisticsRow): number {
  const n = decimal(row.count);
  const scatter = subtract(multiply(n, row.sumOfSquares), multiply(row.sum, row.sum));
  return Math.sqrt(toDouble(divide(scatter, multiply(n, n), QUOTIENT_DIGITS)));
}

/** Seconds between two instants, as the API shows durations. */
export function secondsBetween(from: Micros, to: Micros): number {
  return (to - from) / SECOND;
}

/** The UTC day that an instant lies in, as its first microsecond. */
export function dayOf(at: Micros): Micros {
  return Math.floor(at / DAY) * DAY;
}
