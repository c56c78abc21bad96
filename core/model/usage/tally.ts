import { add, compare, isZero, maximum, minimum } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import type { Micros } from '../../time.ts';
import type { SampleType, Series } from '../sample.ts';
import { later } from './cell.ts';
import { ONE, times } from './fraction.ts';
import type { Fraction } from './fraction.ts';
import { FIGURE_DIGITS } from './integral.ts';
import type { Claim, HourCell } from './types.ts';
import { NOTHING } from './pieces.ts';
import type { LineGap } from './query.ts';
import type { HourFigures } from './reach.ts';

/** What one series has in one line, or, added up, a whole line. */
export interface Tally {
  readonly type: SampleType;
  quantity: Decimal;
  area: Decimal;
  measured: Micros;
  covered: Micros;
  gap: Micros;
  /** Of `gap`, what other lines may have had; and of gaps of other lines, what this one may have had. */
  disputed: Micros;
  claimed: Micros;
  /** What the quantity is at least, at most, and with its gaps filled; null where nothing bounds it. */
  least: Decimal | null;
  most: Decimal | null;
  filled: Decimal | null;
  unbounded: Micros;
  hidden: Decimal;
  /** Shares of long steps: what is in the line, and what may have been in it beside that. */
  bridged: Decimal;
  bridgedElsewhere: Decimal;
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
    disputed: 0,
    claimed: 0,
    least: NOTHING,
    most: NOTHING,
    filled: NOTHING,
    unbounded: 0,
    hidden: NOTHING,
    bridged: NOTHING,
    bridgedElsewhere: NOTHING,
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

type Shared = 'area' | 'measured' | 'covered' | 'unbounded' | 'hidden' | 'resets' | 'samples';
type Part = Pick<
  HourCell,
  Shared | 'volumes' | 'min' | 'max' | 'last' | 'byCycles' | 'byCadence' | 'byNothing' | 'revision'
>;

function addPart(tally: Tally, part: Part): void {
  for (const key of ['measured', 'covered', 'unbounded', 'resets', 'samples'] as const) tally[key] += part[key];
  for (const key of ['area', 'hidden', 'volumes'] as const) tally[key] = added(tally[key], part[key]);
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

export function addCell(tally: Tally, cell: HourCell, series: Series, listGaps: boolean): void {
  addPart(tally, cell);
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

/** A stretch of a gap in another line that this one may have had. */
export function addClaim(tally: Tally, { from, to, hidden, basis, revision }: Claim): void {
  tally.claimed += to - from;
  if (hidden === null) tally.unbounded += to - from;
  tally.byCycles ||= basis === 'cycles';
  tally.byCadence ||= basis === 'cadence';
  tally.revision = Math.max(tally.revision ?? -Infinity, revision);
}

/** @param figures converted */
export function addFigures(tally: Tally, figures: HourFigures): void {
  tally.quantity = added(tally.quantity, figures.quantity);
  for (const key of ['least', 'most', 'filled'] as const) {
    const [known, more] = [tally[key], figures[key]];
    tally[key] = known === null || more === null ? null : added(known, more);
  }
}

/** Adds a series' tally to its line's. */
export function addTally(line: Tally, one: Tally): void {
  addPart(line, one);
  addFigures(line, one);
  for (const key of ['bridged', 'bridgedElsewhere'] as const) line[key] = added(line[key], one[key]);
  for (const key of ['gap', 'disputed', 'claimed'] as const) line[key] += one[key];
  for (const resource of one.resources) line.resources.add(resource);
  for (const gap of one.gaps) line.gaps.push(gap);
}

/** A series' tally in the unit of the result; its figures are converted already. */
export function converted(tally: Tally, factor: Fraction): Tally {
  if (factor === ONE) return tally;
  const { area, hidden, bridged, bridgedElsewhere, volumes, min, max, last } = tally;
  return {
    ...tally,
    area: into(area, factor),
    hidden: into(hidden, factor),
    bridged: into(bridged, factor),
    bridgedElsewhere: into(bridgedElsewhere, factor),
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
  const { measured, samples, gap, claimed, quantity } = tally;
  return measured > 0 || samples > 0 || gap > 0 || claimed > 0 || compare(quantity, NOTHING) !== 0;
}
