import { setImmediate } from 'node:timers/promises';
import {
  cutWindows,
  DAY,
  decodeFoldHours,
  fieldsOf,
  foldPrepared,
  isFoldable,
  LOOKBACK,
  mergeHours,
  prepareFacts,
  skippedSeries,
  skipReason,
  viewFor,
} from '@nephometer/core';
import type {
  FoldParameters,
  FoldsQuery,
  FoldView,
  HourFold,
  Micros,
  Period,
  Store,
  UsageAnswer,
} from '@nephometer/core';
import { gatherFacts } from '../facts.ts';
import type { LedgerBook } from '../ledger-book.ts';
import type { UsageQuestion } from '../question.ts';
import { FoldBook, TouchIndex } from './book.ts';
import type { KeptDay, Marks } from './book.ts';
import type { FoldMetrics } from './metrics.ts';
import type { TouchBook } from './touches.ts';

/** A day of which more resources are touched is folded from its samples as a whole. */
const MOST_TOUCHED = 200;

export interface FoldReaderParts {
  readonly store: Store;
  readonly ledger: LedgerBook;
  readonly touches: TouchBook;
  readonly metrics: FoldMetrics;
}

/** Answers questions from fold lines, and from samples for what was touched since, or is not folded. */
export class FoldReader {
  readonly #parts: FoldReaderParts;
  readonly #book: FoldBook;

  constructor(parts: FoldReaderParts) {
    this.#parts = parts;
    this.#book = new FoldBook(parts.store);
  }

  /**
   * The same, to the byte, as `foldUsage` gives from the facts; null where fold lines are of no help.
   * @throws HttpError, BehindRetention, StoreUnavailable
   */
  async answer(question: UsageQuestion, asOf: Micros): Promise<UsageAnswer | null> {
    const { query } = question;
    const whole: Period = { from: query.from, to: query.to };
    if (!canBeFolded(question) || lastDay(whole) <= firstDay(whole)) return null;
    const marks = await this.#book.marks(asOf);
    if (marks.newest === null) return null;
    const touches = new TouchIndex(question.meter, await this.#parts.touches.between(marks.newest, asOf));
    const plan = await this.#plan(question, asOf, marks, touches);
    if (plan.raw.reduce((sum, period) => sum + costOf(period), 0) >= costOf(whole)) return null;
    const folds = [...plan.folds];
    for (const period of plan.raw) folds.push(...(await this.#fromSamples(question, asOf, period)));
    if (plan.touched !== null) {
      const ofTouched = await this.#fromSamples(question, asOf, plan.touched, plan.resourceIds);
      folds.push(...ofTouched.filter(({ hour }) => plan.kept.has(Math.floor(hour / DAY) * DAY)));
    }
    await setImmediate();
    this.#parts.metrics.answered(plan.raw.length === 0 && plan.touched === null ? 'folds' : 'both');
    return { lines: mergeHours(folds, query), skipped: skippedSeries(folds, query) };
  }

  /** Which days come from lines, which resources are touched on those, and what is left for samples. */
  async #plan(
    { meter, query, projectIds }: UsageQuestion,
    asOf: Micros,
    marks: Marks,
    touches: TouchIndex,
  ): Promise<Plan> {
    const wanted = query.filter.get('resource_id')?.filter((id) => id !== null);
    const asked: FoldsQuery = {
      meter,
      from: firstDay(query),
      to: lastDay(query),
      asOf,
      ...(wanted === undefined ? {} : { resourceIds: wanted }),
      ...(projectIds === null ? {} : { projectIds }),
    };
    const days: { readonly day: KeptDay; readonly folds: HourFold[] }[] = [];
    const resourceIds = new Set<string>();
    const touchedDays: Micros[] = [];
    for await (const day of this.#book.days(asked, marks)) {
      const touched = touches.of(day);
      const isMuch = touched.isWhole || touched.resourceIds.size > MOST_TOUCHED;
      const folds = isMuch ? null : this.#hoursOf(day, query);
      if (folds === null) continue;
      const concerned = [...touched.resourceIds, ...silentIn(day)].filter((id) => wanted?.includes(id) ?? true);
      days.push({ day, folds });
      if (concerned.length > 0) touchedDays.push(day.day);
      for (const id of concerned) resourceIds.add(id);
      await setImmediate();
    }
    const kept = new Set(days.map(({ day }) => day.day));
    const period = touchedDays.length === 0 ? null : spanOf(touchedDays, query);
    const isOfSamples = ({ series, hour }: HourFold): boolean =>
      period !== null && resourceIds.has(series.resourceId) && hour >= period.from && hour < period.to;
    return {
      folds: days.flatMap(({ folds }) => folds).filter((fold) => !isOfSamples(fold)),
      kept,
      raw: leftOut(query, kept),
      touched: period,
      resourceIds: [...resourceIds],
    };
  }

  /** The hours of a day that the question is about; null when a line is damaged, or not cut by what is asked for. */
  #hoursOf({ attributes, lines, damaged }: KeptDay, query: UsageQuestion['query']): HourFold[] | null {
    if (damaged > 0) {
      this.#parts.metrics.damaged(damaged);
      return null;
    }
    if (!isCutBy(attributes, query)) return null;
    const folds: HourFold[] = [];
    for (const { row, head } of lines.values()) {
      if (!isCutBy(head.attributes, query)) return null;
      const view: FoldView = skipReason(query, head.series) === null ? viewFor(query.kind, head.series.type) : 'level';
      const hours = decodeFoldHours(row, view);
      if (hours === null) {
        this.#parts.metrics.damaged(1);
        return null;
      }
      for (const fold of hours) if (fold.hour >= query.from && fold.hour < query.to) folds.push(fold);
    }
    return folds;
  }

  async #fromSamples(
    { meter, query, projectIds }: UsageQuestion,
    asOf: Micros,
    { from, to }: Period,
    resourceIds: readonly string[] | undefined = query.filter.get('resource_id')?.filter((id) => id !== null),
  ): Promise<HourFold[]> {
    const narrowed = resourceIds === undefined ? {} : { resourceIds };
    const facts = await gatherFacts(this.#parts.store, this.#parts.ledger, {
      meter,
      from,
      to,
      asOf,
      projectIds,
      ...narrowed,
    });
    const prepared = prepareFacts(facts, asOf);
    const parameters: FoldParameters = { maxHold: null, edge: 'interpolate', attributes: fieldsOf(query), asOf };
    const views: readonly FoldView[] = ['level', 'growth'];
    return views.flatMap((view) => foldPrepared(prepared, { from, to }, parameters, view));
  }
}

interface Plan {
  readonly folds: readonly HourFold[];
  /** The days that come from lines. */
  readonly kept: ReadonlySet<Micros>;
  readonly raw: readonly Period[];
  /** Where these resources come from samples instead. */
  readonly touched: Period | null;
  readonly resourceIds: readonly string[];
}

/** Silences that lines do not follow: what was recorded since of any time may have ended them. */
function silentIn({ lines }: KeptDay): string[] {
  return [...lines.values()].flatMap(({ head: { series, isSilent } }) => (isSilent ? [series.resourceId] : []));
}

/** Lines are kept for the default parameters, in whole hours. */
function canBeFolded({ query }: UsageQuestion): boolean {
  return query.maxHold === null && query.edge === 'interpolate' && isFoldable(query, cutWindows(query));
}

function isCutBy(attributes: readonly string[], query: UsageQuestion['query']): boolean {
  return fieldsOf(query).every((field) => field === 'resource_id' || field === 'source' || attributes.includes(field));
}

function firstDay({ from }: Period): Micros {
  return Math.floor(from / DAY) * DAY;
}

function lastDay({ to }: Period): Micros {
  return Math.ceil(to / DAY) * DAY;
}

function spanOf(days: readonly Micros[], { from, to }: Period): Period {
  return { from: Math.max(from, Math.min(...days)), to: Math.min(to, Math.max(...days) + DAY) };
}

/** Samples around a period are read with it. */
function costOf({ from, to }: Period): Micros {
  return to - from + LOOKBACK;
}

/** The stretches of a period whose days are not among those kept. */
function leftOut(period: Period, kept: ReadonlySet<Micros>): Period[] {
  const left: { from: Micros; to: Micros }[] = [];
  for (let day = firstDay(period); day < period.to; day += DAY) {
    if (kept.has(day)) continue;
    const last = left.at(-1);
    const [from, to] = [Math.max(day, period.from), Math.min(day + DAY, period.to)];
    if (last?.to === from) last.to = to;
    else left.push({ from, to });
  }
  return left;
}
