import type { Micros } from '../../time.ts';
import { compareNullable, compareText } from '../order.ts';
import type { Series } from '../sample.ts';
import { FIGURE_DIGITS } from './integral.ts';
import { roundVolume } from './rounding.ts';
import type { Rounding } from './rounding.ts';
import type { LostSpan, UsageFacts, UsageSample, UsageVoid } from './types.ts';
import { Watches } from './watch.ts';

/** The samples of one series. */
export interface SeriesSamples {
  readonly series: Series;
  readonly samples: readonly UsageSample[];
}

/** Facts in an order that does not depend on how they came: copies and voided samples gone, series told apart. */
export interface PreparedFacts {
  readonly all: readonly SeriesSamples[];
  readonly watches: Watches;
}

/** @param asOf what was recorded later is left out; null leaves nothing out */
export function prepareFacts(facts: UsageFacts, asOf: Micros | null, rounding: Rounding | null = null): PreparedFacts {
  const known = <T extends { readonly recordedAt: Micros }>(given: Iterable<T> | undefined): T[] =>
    [...(given ?? [])].filter(({ recordedAt }) => asOf === null || recordedAt <= asOf);
  const voids = known(facts.voids);
  const lost = known(facts.lost);
  const bySeries = new Map<string, { series: Series; byId: Map<string, UsageSample> }>();
  let entry: { series: Series; byId: Map<string, UsageSample> } | null = null;
  for (const sample of facts.samples) {
    if (asOf !== null && sample.recordedAt > asOf) continue;
    const voided = voids.length === 0 ? [] : voids.filter((one) => voidsSample(one, sample));
    if (voided.length > 0) {
      lost.push(voidedSpan(sample, Math.min(...voided.map(({ recordedAt }) => recordedAt))));
      continue;
    }
    if (entry === null || !isOf(entry.series, sample)) {
      const key = seriesKey(sample);
      entry = bySeries.get(key) ?? { series: seriesOf(sample), byId: new Map() };
      bySeries.set(key, entry);
    }
    const copy = entry.byId.get(sample.messageId);
    if (copy !== undefined && copy.recordedAt <= sample.recordedAt) continue;
    const volume = rounding === null ? sample.volume : roundVolume(sample.volume, rounding, FIGURE_DIGITS);
    entry.byId.set(sample.messageId, volume === sample.volume ? sample : { ...sample, volume });
  }
  const all = [...bySeries.values()].map(({ series, byId }) => ({ series, samples: [...byId.values()] }));
  all.sort((a, b) => compareSeries(a.series, b.series));
  return { all, watches: new Watches(known(facts.cycles), lost) };
}

/** A void is of the past: samples recorded after it, corrections for example, count. */
export function voidsSample(one: UsageVoid, sample: UsageSample): boolean {
  return (
    sample.recordedAt <= one.recordedAt &&
    (one.messageId ?? sample.messageId) === sample.messageId &&
    (one.agentId ?? sample.agentId) === sample.agentId &&
    (one.source ?? sample.source) === sample.source &&
    (one.meter ?? sample.meter) === sample.meter &&
    (one.resourceId ?? sample.resourceId) === sample.resourceId &&
    (one.projectId ?? sample.projectId) === sample.projectId &&
    (one.from ?? -Infinity) <= sample.timestamp &&
    sample.timestamp < (one.to ?? Infinity)
  );
}

function voidedSpan(sample: UsageSample, recordedAt: Micros): LostSpan {
  const { timestamp, agentId, source, meter, resourceId } = sample;
  return { reason: 'voided', from: timestamp, to: timestamp, agentId, source, meter, resourceId, recordedAt };
}

/** Samples mostly come by series: saves making a key of each. */
function isOf({ source, meter, type, unit, resourceId }: Series, sample: UsageSample): boolean {
  return (
    sample.resourceId === resourceId &&
    sample.meter === meter &&
    sample.source === source &&
    sample.type === type &&
    sample.unit === unit
  );
}

function seriesOf({ source, meter, type, unit, resourceId }: UsageSample): Series {
  return { source, meter, type, unit, resourceId };
}

export function seriesKey({ source, meter, type, unit, resourceId }: Series): string {
  return JSON.stringify([source, meter, type, unit, resourceId]);
}

export function compareSeries(a: Series, b: Series): number {
  return (
    compareText(a.meter, b.meter) ||
    compareText(a.resourceId, b.resourceId) ||
    compareText(a.source, b.source) ||
    compareText(a.type, b.type) ||
    compareNullable(a.unit, b.unit)
  );
}
