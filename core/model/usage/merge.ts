import { add, decimal, divide, multiply, subtract } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import { compareNullable } from '../order.ts';
import type { Series } from '../sample.ts';
import { seriesField } from './attributes.ts';
import type { Fraction } from './fraction.ts';
import { FIGURE_DIGITS } from './integral.ts';
import { NOTHING } from './pieces.ts';
import { factorFor, skipReason, unitFor, viewFor } from './query.ts';
import type { UsageQuery } from './query.ts';
import { ReachingFigures } from './reach.ts';
import { addCell, addClaim, addFigures, converted, emptyTally } from './tally.ts';
import type { Tally } from './tally.ts';
import type { Claim, HourCell, HourFold, Step, UsageField } from './types.ts';
import type { Period } from './windows.ts';

/** A line while it is made: what each series has in it. */
export interface LineDraft {
  readonly window: Period;
  readonly group: readonly (string | null)[];
  readonly unit: string | null;
  readonly series: Map<string, SeriesShare>;
}

export interface SeriesShare {
  readonly series: Series;
  readonly factor: Fraction;
  tally: Tally;
  readonly bridges: Map<number, Pick<Step, 'from' | 'to' | 'amount'>>;
  /** Steps over gaps that other lines may have had; and of such steps of other lines, what this one may have had at most. */
  readonly disputed: Map<string, Step>;
  readonly claimed: Map<string, Decimal>;
  /** For quantiles. Ascending. */
  readonly cells: HourCell[];
}

/**
 * Sorts the cells of hours into lines. Each hour's figures are differences of running figures, so that any cut of the same
 * hours adds up to the same digits; a conversion is applied to the running figures and rounded there.
 * @param windows ascending; a cell lies in one of them wholly, or is left out
 */
export function sortIntoLines(folds: Iterable<HourFold>, windows: readonly Period[], query: UsageQuery): LineDraft[] {
  const drafts = new Map<string, LineDraft>();
  for (const fold of folds) {
    const factor = factorFor(query, fold.series);
    if (factor === null || skipReason(query, fold.series) !== null) continue;
    if (fold.view !== viewFor(query.kind, fold.series.type)) continue;
    const figures = new ReachingFigures(query, factor);
    let share: SeriesShare | null = null;
    for (const cell of fold.cells) {
      const next = place(cell, cell, fold.series, factor, windows, query, drafts);
      if (next !== share) give(share, figures);
      figures.add(cell);
      if (next !== null) addToShare(next, cell, query);
      share = next;
      for (const claim of cell.claims) {
        const claimant = place(cell, claim, fold.series, factor, windows, query, drafts);
        if (claimant !== next) dispute(claim, next, claimant, figures.claim(claim.to - claim.from));
      }
    }
    give(share, figures);
  }
  for (const draft of drafts.values()) settle(draft, query);
  return [...drafts.values()].sort(compareDrafts);
}

/** What the cells up to here come to belongs to the line that they are in, or to none. */
function give(share: SeriesShare | null, figures: ReachingFigures): void {
  const taken = figures.take();
  if (share !== null) addFigures(share.tally, taken);
}

function addToShare(share: SeriesShare, cell: HourCell, query: UsageQuery): void {
  addCell(share.tally, cell, share.series, query.gaps);
  for (const bridge of cell.bridges) share.bridges.set(bridge.from, bridge);
  if (query.kind === 'p95') share.cells.push(cell);
}

/** A stretch of a gap lies in the line of the reading before it, and may have been of that of the reading behind it. */
function dispute(
  claim: Claim,
  former: SeriesShare | null,
  latter: SeriesShare | null,
  figures: ReturnType<ReachingFigures['claim']>,
): void {
  const { step, hidden } = claim;
  const key = step === null ? '' : `${step.from} ${step.to}`;
  if (former !== null) {
    former.tally.disputed += claim.to - claim.from;
    addFigures(former.tally, figures.former);
    if (step !== null) former.disputed.set(key, step);
  }
  if (latter !== null) {
    addClaim(latter.tally, claim);
    addFigures(latter.tally, figures.latter);
    if (step !== null) latter.claimed.set(key, add(step.amount, hidden ?? NOTHING));
  }
}

/** @returns the share of what has these attributes in the cell's time; null when no line has it */
function place(
  { from }: HourCell,
  owner: Pick<HourCell, 'attributes'>,
  series: Series,
  factor: Fraction,
  windows: readonly Period[],
  query: UsageQuery,
  drafts: Map<string, LineDraft>,
): SeriesShare | null {
  const window = windowAt(windows, from);
  if (window === null || !passes(owner, series, query.filter)) return null;
  const group = query.groupBy.map((field) => valueOf(owner, series, field));
  const unit = unitFor(query, series);
  const key = JSON.stringify([window.from, unit, group]);
  let draft = drafts.get(key);
  if (draft === undefined) drafts.set(key, (draft = { window, group, unit, series: new Map() }));
  const { source, type, resourceId } = series;
  const seriesKey = JSON.stringify([source, series.meter, type, series.unit, resourceId]);
  let share = draft.series.get(seriesKey);
  if (share === undefined) {
    const tally = emptyTally(type);
    share = { series, factor, tally, bridges: new Map(), disputed: new Map(), claimed: new Map(), cells: [] };
    draft.series.set(seriesKey, share);
  }
  return share;
}

/** Whether anything of the hour lies in the question's period and passes its filter. */
export function isAskedFor({ cells, series }: HourFold, { from, to, filter }: UsageQuery): boolean {
  return cells.some((cell) => cell.from >= from && cell.from < to && passes(cell, series, filter));
}

function valueOf(cell: Pick<HourCell, 'attributes'>, series: Series, field: UsageField): string | null {
  const ofSeries = seriesField(series, field);
  return ofSeries === undefined ? (cell.attributes.get(field) ?? null) : ofSeries;
}

function passes(cell: Pick<HourCell, 'attributes'>, series: Series, filter: UsageQuery['filter']): boolean {
  for (const [field, values] of filter) if (!values.includes(valueOf(cell, series, field))) return false;
  return true;
}

function windowAt(windows: readonly Period[], at: number): Period | null {
  let [low, high] = [0, windows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((windows[middle]?.to ?? Infinity) > at) high = middle;
    else low = middle + 1;
  }
  const window = windows[low];
  return window !== undefined && window.from <= at ? window : null;
}

/** What each series had in other parts of its long steps; and its tally in the unit of the result. */
function settle({ window, series }: LineDraft, query: UsageQuery): void {
  for (const share of series.values()) {
    const { tally, bridges, disputed, claimed } = share;
    for (const bridge of bridges.values()) {
      const isWithin = bridge.from >= window.from && bridge.to <= window.to;
      if (!isWithin && !disputed.has(`${bridge.from} ${bridge.to}`)) addBridge(tally, bridge, window, query);
    }
    for (const step of disputed.values()) addBridge(tally, step, window, query, step.isBridge);
    for (const growth of claimed.values()) tally.bridgedElsewhere = add(tally.bridgedElsewhere, growth);
    share.tally = converted(share.tally, share.factor);
  }
}

function addBridge(
  tally: Tally,
  { from, to, amount }: Pick<Step, 'from' | 'to' | 'amount'>,
  window: Period,
  query: UsageQuery,
  isBridge = true,
): void {
  const inside = Math.min(to, window.to) - Math.max(from, window.from);
  const byTime = divide(multiply(amount, decimal(inside)), decimal(to - from), FIGURE_DIGITS);
  const share = query.edge === 'interpolate' ? byTime : to <= window.to ? amount : NOTHING;
  tally.bridged = add(tally.bridged, share);
  if (isBridge) tally.bridgedElsewhere = add(tally.bridgedElsewhere, subtract(amount, share));
}

function compareDrafts(a: LineDraft, b: LineDraft): number {
  let order = a.window.from - b.window.from;
  for (let i = 0; order === 0 && i < a.group.length; i++)
    order = compareNullable(a.group[i] ?? null, b.group[i] ?? null);
  return order || compareNullable(a.unit, b.unit);
}
