import { add, decimal, divide, toText } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import { compareText } from '../order.ts';
import { boundsOf, estimateOf } from './bounds.ts';
import type { Bounds } from './bounds.ts';
import { coverageShare } from './coverage.ts';
import type { CoverageBasis } from './coverage.ts';
import { FIGURE_DIGITS } from './integral.ts';
import type { LineDraft } from './merge.ts';
import { percentile95 } from './quantile.ts';
import type { LineGap, UsageLine, UsageQuery } from './query.ts';
import { applyRounding } from './rounding.ts';
import type { Rounding } from './rounding.ts';
import { addTally, emptyTally, isUsed } from './tally.ts';
import type { Tally } from './tally.ts';

interface Figures extends Bounds {
  readonly quantity: Decimal | null;
  readonly estimated: Decimal | null;
}

/** A finished line, or null where there was neither usage nor gap. @param peak of kind peak, what it comes to */
export function lineOf(draft: LineDraft, query: UsageQuery, peak: Decimal | null): UsageLine | null {
  const shares = [...draft.series.values()];
  const whole = emptyTally(shares[0]?.series.type ?? 'gauge');
  for (const { tally } of shares) addTally(whole, tally);
  if (!isUsed(whole)) return null;
  const quantity = quantityOf(whole, draft, query, peak);
  const exact = figuresOf(quantity, whole, query);
  const rounded = query.rounding === null ? exact : rounding(exact, draft, query, query.rounding);
  return {
    from: draft.window.from,
    to: draft.window.to,
    group: Object.fromEntries(query.groupBy.map((field, i) => [field, draft.group[i] ?? null])),
    quantity: textOf(rounded.quantity),
    unit: draft.unit,
    lower: textOf(rounded.lower),
    upper: textOf(rounded.upper),
    estimated: textOf(rounded.estimated),
    unrounded: query.rounding === null ? null : textOf(exact.quantity),
    ...coverageOf(whole),
    resets: whole.resets,
    samples: whole.samples,
    revision: whole.revision,
    gaps: whole.gaps.sort(compareGaps),
  };
}

function figuresOf(quantity: Decimal | null, tally: Tally, query: UsageQuery): Figures {
  if (quantity === null) return { quantity, lower: null, upper: null, estimated: null };
  return { quantity, ...boundsOf(quantity, tally, query), estimated: estimateOf(quantity, tally, query) };
}

function quantityOf(tally: Tally, draft: LineDraft, query: UsageQuery, peak: Decimal | null): Decimal | null {
  switch (query.kind) {
    case 'duration':
    case 'integral':
    case 'increase':
    case 'sum':
      return tally.quantity;
    case 'max':
      return tally.max;
    case 'min':
      return tally.min;
    case 'avg':
      return averageOf(tally);
    case 'last':
      return tally.last?.volume ?? null;
    case 'count':
      return decimal(tally.samples);
    case 'distinct':
      return decimal(tally.resources.size);
    case 'p95':
      return percentile95(draft, query);
    case 'peak':
      return peak;
  }
}

/** Of gauges by time, else over the samples. */
function averageOf({ type, area, measured, volumes, samples }: Tally): Decimal | null {
  const [total, count] = type === 'gauge' ? [area, measured] : [volumes, samples];
  return count === 0 ? null : divide(total, decimal(count), FIGURE_DIGITS);
}

/** By period what the line has; by resource what each has in it, added up again. */
function rounding(exact: Figures, draft: LineDraft, query: UsageQuery, rule: Rounding): Figures {
  const round = (value: Decimal | null): Decimal | null =>
    value === null ? null : applyRounding(value, rule, FIGURE_DIGITS);
  const all = ({ quantity, lower, upper, estimated }: Figures): Figures => ({
    quantity: round(quantity),
    lower: round(lower),
    upper: round(upper),
    estimated: round(estimated),
  });
  if (rule.where === 'sample') return exact;
  if (rule.where === 'period' || !ADDITIVE.includes(query.kind)) return all(exact);
  const resources = new Map<string, Tally>();
  for (const { series, tally } of draft.series.values()) {
    const known = resources.get(series.resourceId) ?? emptyTally(series.type);
    addTally(known, tally);
    resources.set(series.resourceId, known);
  }
  return [...resources.values()].map((tally) => all(figuresOf(tally.quantity, tally, query))).reduce(together);
}

const ADDITIVE: readonly UsageQuery['kind'][] = ['duration', 'integral', 'increase', 'sum'];

function together(a: Figures, b: Figures): Figures {
  const plus = (left: Decimal | null, right: Decimal | null): Decimal | null =>
    left === null || right === null ? null : add(left, right);
  return {
    quantity: plus(a.quantity, b.quantity),
    lower: plus(a.lower, b.lower),
    upper: plus(a.upper, b.upper),
    estimated: plus(a.estimated, b.estimated),
  };
}

function coverageOf(tally: Tally): Pick<UsageLine, 'coverage' | 'basis'> {
  const kinds = [tally.byCycles, tally.byCadence, tally.byNothing].filter(Boolean).length;
  const basis: CoverageBasis = kinds > 1 ? 'mixed' : tally.byCycles ? 'cycles' : tally.byCadence ? 'cadence' : 'none';
  const share = basis === 'none' ? null : coverageShare(tally.covered, tally.measured + tally.gap);
  return { coverage: textOf(share), basis };
}

function compareGaps(a: LineGap, b: LineGap): number {
  return a.from - b.from || compareText(a.resourceId, b.resourceId) || compareText(a.source, b.source) || a.to - b.to;
}

function textOf(value: Decimal | null): string | null {
  return value === null ? null : toText(value);
}
