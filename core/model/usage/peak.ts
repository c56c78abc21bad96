import { add, compare, negate } from '../../decimal.ts';
import type { Decimal } from '../../decimal.ts';
import type { Micros } from '../../time.ts';
import type { AttributeReader } from './attributes.ts';
import { seriesField } from './attributes.ts';
import { times } from './fraction.ts';
import { FIGURE_DIGITS } from './integral.ts';
import { NOTHING } from './pieces.ts';
import { factorFor } from './query.ts';
import type { LineDraft } from './merge.ts';
import type { UsageQuery } from './query.ts';
import type { Timeline } from './timeline.ts';

interface Change {
  readonly at: Micros;
  readonly by: Decimal;
}

/** The greatest sum over the resources of a line at one instant, of what was measured. Null when nothing was. */
export function peakOf(
  draft: LineDraft,
  timelines: ReadonlyMap<string, Timeline>,
  attributes: AttributeReader,
  query: UsageQuery,
): Decimal | null {
  const changes: Change[] = [];
  for (const key of draft.series.keys()) {
    const timeline = timelines.get(key);
    if (timeline !== undefined) changes.push(...changesOf(timeline, draft, attributes, query));
  }
  changes.sort((a, b) => a.at - b.at);
  let [sum, most]: [Decimal, Decimal | null] = [NOTHING, null];
  changes.forEach(({ at, by }, i) => {
    sum = add(sum, by);
    // All changes of one instant belong together. After the last one nothing is there any more.
    const isSettled = changes[i + 1]?.at !== at && i + 1 < changes.length;
    if (isSettled && (most === null || compare(sum, most) > 0)) most = sum;
  });
  return most;
}

function changesOf(
  { series, pieces }: Timeline,
  { window, group }: LineDraft,
  attributes: AttributeReader,
  query: UsageQuery,
): Change[] {
  const factor = factorFor(query, series);
  const changes: Change[] = [];
  for (const { from, to, state, before } of pieces) {
    if (state !== 'measured' || before === null || factor === null || to <= window.from || from >= window.to) continue;
    const own = attributes.read(before);
    const valueOf = (field: (typeof query.groupBy)[number]): string | null => {
      const ofSeries = seriesField(series, field);
      return ofSeries === undefined ? (own.get(field) ?? null) : ofSeries;
    };
    if (query.groupBy.some((field, i) => valueOf(field) !== (group[i] ?? null))) continue;
    if ([...query.filter].some(([field, values]) => !values.includes(valueOf(field)))) continue;
    const by = times(before.volume, factor, FIGURE_DIGITS);
    changes.push({ at: Math.max(from, window.from), by }, { at: Math.min(to, window.to), by: negate(by) });
  }
  return changes;
}
