import { add, compare, isZero, maximum, minimum } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import type { Micros } from '../../time.ts';
import type { SampleType, Series } from '../sample.ts';
import { later } from './cell.ts';
import { ONE, times } from './fraction.ts';
import type { Fraction } from './fraction.ts';
import { asHours, FIGURE_DIGITS } from './integral.ts';
import type { HourCell } from './types.ts';
import { NOTHING } from './pieces.ts';
import type { LineGap } from './query.ts';

/** What one series has in one line, or, added up, a whole line. */
export interface Tally {
  readonly type: SampleType;
  quantity: Decimal;
  area: Decimal;
  measured: Micros;
  covered: Micros;
  gap: Micros;
  /** The same in hours, converted; and that of it which an estimate fills. */
  gapHours: Decimal;
  filledHours: Decimal;
  unbounded: Micros;
  hidden: Decimal;
  /** Shares of long steps: what is in the line, and what may have been in it beside that. */
  bridged: Decimal;
  bridgedElsewhere: Decimal;
  filled: Micros;
  filledArea: Decimal;
  resets: number;
  samples: number;
  volumes: Decimal;
  min: Decimal | null;
  max: Decimal | null;
  last: HourCell['last'];
  byCycles: boolean;
  byCadence: boolean;
  byNothing: boolean;
  revision: Micros | null;
  resources: Set<string>;
  gaps: LineGap[];
}

export function emptyTally(type: SampleType): Tally {
  return {
    type,
    quantity: NOTHING,
    area: NOTHING,
    measured: 0,
    covered: 0,
    gap: 0,
    gapHours: NOTHING,
    filledHours: NOTHING,
    unbounded: 0,
    hidden: NOTHING,
    bridged: NOTHING,
    bridgedElsewhere: NOTHING,
    filled: 0,
    filledArea: NOTHING,
    resets: 0,
    samples: 0,
    volumes: NOTHING,
    min: null,
    max: null,
    last: null,
    byCycles: false,
    byCadence: false,
    byNothing: false,
    revision: null,
    resources: new Set(),
    gaps: [],
  };
}

type Shared = 'area' | 'measured' | 'covered' | 'unbounded' | 'hidden' | 'filled' | 'filledArea' | 'resets' | 'samples';
type Part = Pick<
  HourCell,
  Shared | 'volumes' | 'min' | 'max' | 'last' | 'byCycles' | 'byCadence' | 'byNothing' | 'revision'
>;

function addPart(tally: Tally, part: Part): void {
  for (const key of ['measured', 'covered', 'unbounded', 'filled', 'resets', 'samples'] as const)
    tally[key] += part[key];
  for (const key of ['area', 'hidden', 'filledArea', 'volumes'] as const) tally[key] = added(tally[key], part[key]);
  tally.min = tally.min === null || part.min === null ? (tally.min ?? part.min) : minimum(tally.min, part.min);
  tally.max = tally.max === null || part.max === null ? (tally.max ?? part.max) : maximum(tally.max, part.max);
  tally.last = later(tally.last, part.last);
  tally.byCycles ||= part.byCycles;
  tally.byCadence ||= part.byCadence;
  tally.byNothing ||= part.byNothing;
  if (part.revision !== null) tally.revision = Math.max(tally.revision ?? -Infinity, part.revision);
}

function added(a: Decimal, b: Decimal): Decimal {
  return isZero(b) ? a : add(a, b);
}

/** @param quantity the cell's figure, converted */
export function addCell(tally: Tally, cell: HourCell, quantity: Decimal, series: Series, listGaps: boolean): void {
  addPart(tally, cell);
  tally.quantity = added(tally.quantity, quantity);
  if (cell.measured > 0 || cell.samples > 0) tally.resources.add(series.resourceId);
  for (const gap of cell.gaps) {
    tally.gap += gap.to - gap.from;
    const last = tally.gaps.at(-1);
    if (!listGaps) continue;
    if (last?.to === gap.from && last.reason === gap.reason)
      tally.gaps[tally.gaps.length - 1] = { ...last, to: gap.to };
    else tally.gaps.push({ ...gap, resourceId: series.resourceId, source: series.source });
  }
}

/** Adds a series' tally to its line's. */
export function addTally(line: Tally, one: Tally): void {
  addPart(line, one);
  line.quantity = add(line.quantity, one.quantity);
  for (const key of ['gapHours', 'filledHours', 'bridged', 'bridgedElsewhere'] as const) {
    line[key] = added(line[key], one[key]);
  }
  line.gap += one.gap;
  for (const resource of one.resources) line.resources.add(resource);
  for (const gap of one.gaps) line.gaps.push(gap);
}

/** A series' tally in the unit of the result; its quantity is converted already. */
export function converted(tally: Tally, factor: Fraction): Tally {
  const gaps = { gapHours: into(asHours(tally.gap), factor), filledHours: into(asHours(tally.filled), factor) };
  if (factor === ONE) return { ...tally, ...gaps };
  const { area, hidden, bridged, bridgedElsewhere, filledArea, volumes, min, max, last } = tally;
  return {
    ...tally,
    ...gaps,
    area: into(area, factor),
    hidden: into(hidden, factor),
    bridged: into(bridged, factor),
    bridgedElsewhere: into(bridgedElsewhere, factor),
    filledArea: into(filledArea, factor),
    volumes: into(volumes, factor),
    min: min === null ? null : into(min, factor),
    max: max === null ? null : into(max, factor),
    last: last === null ? null : { ...last, volume: into(last.volume, factor) },
  };
}

function into(value: Decimal, factor: Fraction): Decimal {
  return factor === ONE ? value : times(value, factor, FIGURE_DIGITS);
}

export function isUsed(tally: Tally): boolean {
  return tally.measured > 0 || tally.samples > 0 || tally.gap > 0 || compare(tally.quantity, NOTHING) !== 0;
}
