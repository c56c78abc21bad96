import { HOUR } from '../../time.ts';
import type { Micros } from '../../time.ts';
import { AttributeReader } from './attributes.ts';
import { hourOf, hoursOf } from './hours.ts';
import { lineOf } from './lines.ts';
import { isAskedFor, sortIntoLines } from './merge.ts';
import { peakOf } from './peak.ts';
import { compareSeries, prepareFacts, seriesKey } from './prepare.ts';
import type { PreparedFacts } from './prepare.ts';
import { stepEdges } from './quantile.ts';
import { fieldsOf, skipReason, viewFor } from './query.ts';
import type { SkippedSeries, UsageLine, UsageQuery } from './query.ts';
import { timelineOf } from './timeline.ts';
import type { Timeline } from './timeline.ts';
import type { FoldParameters, FoldView, HourFold, UsageFacts, UsageKind } from './types.ts';
import { cutWindows } from './windows.ts';
import type { Period } from './windows.ts';

/**
 * From samples to usage. What a figure is depends on the facts alone, not on the order in which they came.
 *
 *     facts --prepare--> series --timeline--> pieces --hours--> cells of hours --merge--> lines
 *
 * | kind     | of         | figure                                                                  | from hours |
 * |----------|------------|-------------------------------------------------------------------------|------------|
 * | duration | any        | hours in which a reading held                                           | yes        |
 * | integral | gauge      | value x hours                                                           | yes        |
 * | increase | cumulative | growth between readings (increase.ts)                                   | yes        |
 * | sum      | delta      | total of the samples in [from, to)                                      | yes        |
 * | max, min | any        | of gauges the levels that held in the period, else the samples in it     | yes        |
 * | avg      | any        | of gauges by time, else over the samples                                 | yes        |
 * | last     | any        | of gauges the level at the end, else the last sample in it               | yes        |
 * | count    | any        | samples in it                                                           | yes        |
 * | distinct | any        | resources with a reading that held or a sample in it                     | yes        |
 * | p95      | any        | nearest rank over steps (quantile.ts)                                    | no         |
 * | peak     | gauge      | greatest sum over the resources of a line at one instant                 | no         |
 *
 * @see hold.ts for how long a reading holds, bounds.ts for `lower` and `upper`, gaps.ts for the reasons, witnesses.ts for
 *   several agents on one series, watch.ts (LOOKBACK, LOOKAHEAD) for how far around the period facts are needed
 */
export function foldUsage(facts: UsageFacts, query: UsageQuery): UsageAnswer {
  const prepared = prepareFacts(facts, query.asOf, query.rounding);
  const windows = cutWindows(query);
  const starts = query.kind === 'p95' ? stepEdges(windows, query.step) : windows.map(({ from }) => from);
  // Running figures start with the hour, so whole hours are folded: what is beside the period is cut off.
  const whole = { from: hourOf(query.from), to: hourOf(query.to - 1) + HOUR };
  const attributes = new AttributeReader(fieldsOf(query));
  const timelines = new Map<string, Timeline>();
  const skipped: SkippedSeries[] = [];
  const folds: HourFold[] = [];
  for (const { series, samples } of prepared.all) {
    const reason = skipReason(query, series);
    const view = reason === null ? viewFor(query.kind, series.type) : 'level';
    const timeline = timelineOf(series, samples, prepared.watches, { ...query, ...whole, view });
    const hours = hoursOf(timeline, attributes, { view, edge: query.edge, cuts: [...starts, query.to] });
    if (reason === null) folds.push(...hours);
    else if (hours.some((fold) => isAskedFor(fold, query))) skipped.push({ series, reason });
    if (query.kind === 'peak') timelines.set(seriesKey(series), timeline);
  }
  const drafts = sortIntoLines(folds, windows, query);
  const lines = drafts.map((draft) =>
    lineOf(draft, query, query.kind === 'peak' ? peakOf(draft, timelines, attributes, query) : null),
  );
  return { lines: lines.filter((line) => line !== null), skipped };
}

export interface UsageAnswer {
  /** By start, then group (unknown first), then unit. */
  readonly lines: readonly UsageLine[];
  readonly skipped: readonly SkippedSeries[];
}

/** Series that the kind or the conversion has no answer for, of those whose `level` hours are given. In order of series. */
export function skippedSeries(folds: Iterable<HourFold>, query: UsageQuery): readonly SkippedSeries[] {
  const found = new Map<string, SkippedSeries>();
  for (const fold of folds) {
    const reason = skipReason(query, fold.series);
    if (reason !== null && isAskedFor(fold, query)) found.set(seriesKey(fold.series), { series: fold.series, reason });
  }
  return [...found.values()].sort((a, b) => compareSeries(a.series, b.series));
}

/** The hours of every series in [from, to), both full UTC hours; for the view asked for. Series with nothing have no hour. */
export function foldHours(facts: UsageFacts, period: Period, parameters: FoldParameters, view: FoldView): HourFold[] {
  return foldPrepared(prepareFacts(facts, parameters.asOf), period, parameters, view);
}

/** As `foldHours`, of facts that are prepared already: for many periods or both views. */
export function foldPrepared(
  { all, watches }: PreparedFacts,
  { from, to }: Period,
  parameters: FoldParameters,
  view: FoldView,
): HourFold[] {
  const attributes = new AttributeReader(parameters.attributes);
  return all
    .filter(({ series }) => view === 'level' || series.type !== 'gauge')
    .flatMap(({ series, samples }) => {
      const timeline = timelineOf(series, samples, watches, { from, to, view, ...parameters });
      return hoursOf(timeline, attributes, { view, edge: parameters.edge, cuts: [] });
    });
}

/** One UTC hour. */
export function foldHour(facts: UsageFacts, hour: Micros, parameters: FoldParameters, view: FoldView): HourFold[] {
  return foldHours(facts, { from: hour, to: hour + HOUR }, parameters, view);
}

/**
 * Lines from hours that were folded before: the same, to the byte, as `foldUsage` gives from the facts.
 * @throws RangeError for a question that hours cannot answer, see `isFoldable`
 */
export function mergeHours(folds: Iterable<HourFold>, query: UsageQuery): readonly UsageLine[] {
  const windows = cutWindows(query);
  if (!isFoldable(query, windows)) {
    throw new RangeError(
      `Found kind ${query.kind} with windows that cut UTC hours or a rounding by sample; fold it from the samples.`,
    );
  }
  const inOrder = [...folds].sort(compareFolds);
  const lines = sortIntoLines(inOrder, windows, query).map((draft) => lineOf(draft, query, null));
  return lines.filter((line) => line !== null);
}

function compareFolds(a: HourFold, b: HourFold): number {
  if (a.series !== b.series) {
    const order = compareSeries(a.series, b.series);
    if (order !== 0) return order;
  }
  return a.hour - b.hour;
}

const FROM_SAMPLES: readonly UsageKind[] = ['p95', 'peak'];

/** Whether hours folded with the question's parameters and attributes can answer it. */
export function isFoldable(query: UsageQuery, windows: readonly Period[] = cutWindows(query)): boolean {
  const cutsNoHour = windows.every(({ from, to }) => from % HOUR === 0 && to % HOUR === 0);
  return cutsNoHour && !FROM_SAMPLES.includes(query.kind) && query.rounding?.where !== 'sample';
}
