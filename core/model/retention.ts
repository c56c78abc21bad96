import { BehindRetention } from '../errors.ts';
import type { RetentionRule, SampleFilter } from '../ports/store.ts';
import { formatInstant } from '../time.ts';
import type { Micros } from '../time.ts';
import { matchesPatterns } from './patterns.ts';
import { dayOf } from './statistics.ts';

/**
 * The horizons after these rules were applied: of each meter the first rule that matches holds. A horizon never moves
 * back, since what is gone does not return.
 */
export function nextHorizons(
  rules: readonly RetentionRule[],
  meters: Iterable<string>,
  before: ReadonlyMap<string, Micros>,
): Map<string, Micros> {
  const horizons = new Map(before);
  for (const meter of meters) {
    const rule = rules.find(({ meters }) => matchesPatterns(meters, meter));
    if (rule === undefined) continue;
    horizons.set(meter, Math.max(dayOf(rule.keepFrom), before.get(meter) ?? -Infinity));
  }
  return horizons;
}

/**
 * Refuses a question whose start is said and lies before the horizon of a meter that it asks for (of any meter, when it
 * names none). A question without a start is answered from the horizon on.
 * @throws BehindRetention
 */
export function assertWithinRetention(filter: SampleFilter, horizons: ReadonlyMap<string, Micros>): void {
  if (filter.from === undefined) return;
  const start = filter.from.inclusive ? filter.from.at : filter.from.at + 1;
  for (const [meter, horizon] of horizons) {
    if (start >= horizon || (filter.meter !== undefined && filter.meter !== meter)) continue;
    throw new BehindRetention(
      `Samples of "${meter}" before ${formatInstant(horizon)} were removed by retention; the question starts at ` +
        `${formatInstant(filter.from.at)}. Ask from the horizon on, or keep samples longer (retention in the configuration).`,
    );
  }
}
