import type { Decimal } from '../../decimal.ts';
import { decimal } from '../../decimal.ts';
import { MINUTE } from '../../time.ts';
import type { Micros } from '../../time.ts';
import type { SampleType, Series } from '../sample.ts';
import type { CoverageBasis } from './coverage.ts';
import { ONE } from './fraction.ts';
import type { Fraction } from './fraction.ts';
import type { Rounding } from './rounding.ts';
import type { FoldParameters, FoldView, UsageField, UsageGap, UsageKind } from './types.ts';
import type { WindowQuery } from './windows.ts';

/** A question; `usageQuery` fills in what is usual. */
export interface UsageQuery extends WindowQuery, Omit<FoldParameters, 'attributes'> {
  readonly kind: UsageKind;
  readonly groupBy: readonly UsageField[];
  /** Any of the values; null is unknown. Judged by what was in force at each instant. */
  readonly filter: ReadonlyMap<UsageField, readonly (string | null)[]>;
  /** Of p95: what is averaged over before it is ranked. */
  readonly step: Micros;
  readonly rounding: Rounding | null;
  /** What figures are multiplied by; by unit of the samples, those of other units are skipped. */
  readonly conversion: Fraction | ReadonlyMap<string | null, Fraction>;
  /** Of the result; null: what kind and meter give. */
  readonly unit: string | null;
  /**
   * The least and the most that a gap may hide, in the unit of the result: of a gauge its level, of counters and deltas
   * growth an hour. Null: nothing is known.
   */
  readonly floor: Decimal | null;
  readonly ceiling: Decimal | null;
  /** `previous`: in a gap the reading before goes on. */
  readonly estimate: 'none' | 'previous';
  /** Whether lines list their gaps. */
  readonly gaps: boolean;
}

export function usageQuery(
  asked: Pick<UsageQuery, 'kind' | 'from' | 'to'> & Partial<Omit<UsageQuery, 'kind' | 'from' | 'to'>>,
): UsageQuery {
  return {
    window: 'none',
    tz: 'UTC',
    groupBy: [],
    filter: new Map(),
    maxHold: null,
    edge: 'interpolate',
    asOf: null,
    step: 5 * MINUTE,
    rounding: null,
    conversion: ONE,
    unit: null,
    floor: decimal(0),
    ceiling: null,
    estimate: 'none',
    gaps: false,
    ...asked,
  };
}

/** A gap of one series. */
export interface LineGap extends UsageGap {
  readonly resourceId: string;
  readonly source: string;
}

/** Amounts are plain decimal text: no exponent, no digits that say nothing. Instants are microseconds. */
export interface UsageLine {
  readonly from: Micros;
  readonly to: Micros;
  /** In the order asked for. Null: unknown. */
  readonly group: Readonly<Record<string, string | null>>;
  /** Null where nothing at all was read: then it is not zero but unknown. */
  readonly quantity: string | null;
  readonly unit: string | null;
  /** What the quantity is at least and at most, whatever the gaps and resets hide. Null: no bound. */
  readonly lower: string | null;
  readonly upper: string | null;
  readonly estimated: string | null;
  /** What `quantity` was before rounding; null when none was asked for. */
  readonly unrounded: string | null;
  /** 0 to 1; null when it is not known. */
  readonly coverage: string | null;
  readonly basis: CoverageBasis;
  readonly resets: number;
  readonly samples: number;
  /** Newest recorded_at beneath the line. */
  readonly revision: Micros | null;
  readonly gaps: readonly LineGap[];
}

/** A series that the kind or the conversion has no answer for. */
export interface SkippedSeries {
  readonly series: Series;
  readonly reason: 'type' | 'unit';
}

const TYPES: Partial<Record<UsageKind, SampleType>> = {
  integral: 'gauge',
  peak: 'gauge',
  increase: 'cumulative',
  sum: 'delta',
};

export function viewFor(kind: UsageKind, type: SampleType): FoldView {
  if (kind === 'increase' || kind === 'sum') return 'growth';
  return kind === 'p95' && type !== 'gauge' ? 'growth' : 'level';
}

/** Why a series has no part in the answer; null when it has. */
export function skipReason(query: UsageQuery, series: Series): SkippedSeries['reason'] | null {
  const type = TYPES[query.kind];
  if (type !== undefined && series.type !== type) return 'type';
  return factorFor(query, series) === null ? 'unit' : null;
}

export function factorFor({ kind, conversion }: UsageQuery, series: Series): Fraction | null {
  if (kind === 'count' || kind === 'distinct') return ONE;
  return 'get' in conversion ? (conversion.get(series.unit) ?? null) : conversion;
}

export function unitFor({ kind, unit }: UsageQuery, series: Series): string | null {
  if (unit !== null) return unit;
  if (kind === 'duration') return 'h';
  if (kind === 'count') return 'sample';
  if (kind === 'distinct') return 'resource';
  if (series.unit === null) return null;
  if (kind === 'integral') return `${series.unit}.h`;
  return kind === 'p95' && series.type !== 'gauge' ? `${series.unit}/s` : series.unit;
}

/** The fields that cells have to be cut by for a question. */
export function fieldsOf(query: Pick<UsageQuery, 'groupBy' | 'filter'>): UsageField[] {
  return [...new Set([...query.groupBy, ...query.filter.keys()])];
}
