import { DAY } from '../../time.ts';
import type { Micros } from '../../time.ts';
import { comparePlace } from '../order.ts';
import type { Series } from '../sample.ts';
import { lastWord } from './hold.ts';
import type { SeriesSamples } from './prepare.ts';
import { readingsOfSeries } from './timeline.ts';
import { endsSilence, firstAfter, LONGEST_SILENCE, REACH } from './watch.ts';
import type { Cycle, Watches } from './watch.ts';

/**
 * What a period needs beside what lies LOOKBACK before it and LOOKAHEAD behind it, for silences longer than these:
 *
 * | of                                                         | is needed                                                            |
 * |------------------------------------------------------------|----------------------------------------------------------------------|
 * | a series without a reading in the last LOOKBACK before it    | its last reading, by whoever, within LONGEST_SILENCE; with it a day of |
 * |                                                            | samples and ticks before it, ticks and losses of its agent since       |
 * | a series that is open (`openAt`) when LOOKAHEAD is over      | its next reading; ticks of its agent up to that, or to the one that    |
 * |                                                            | ends the silence                                                     |
 *
 * What the agent has not read for more than REACH and does not name in a complete tick is not there: of such series
 * (`isEnded`) nothing is needed.
 */
export interface OpenSeries {
  readonly series: Series;
  readonly agentId: string;
  /** Of the last reading. */
  readonly timestamp: Micros;
}

/** Whether the agent said between REACH after a reading and an instant that it is not there. */
export function isEnded({ series, agentId, timestamp }: OpenSeries, watches: Watches, before: Micros): boolean {
  const end = tickThatEnds({ series, agentId, timestamp }, timestamp + REACH, watches);
  return end !== null && end.scheduled < before;
}

/** The first tick after an instant that ends a silence, of any polling source. */
export function tickThatEnds({ series, agentId }: OpenSeries, after: Micros, watches: Watches): Cycle | null {
  const watch = watches.of(agentId, series);
  for (let i = firstAfter(watch.cycles, after); i < watch.cycles.length; i++) {
    const cycle = watch.cycles[i];
    if (cycle !== undefined && endsSilence(cycle, series.resourceId, watch.lost)) return cycle;
  }
  return null;
}

/** Of a series that nobody read at or after an instant: whose word it was, and is not taken back. Mostly nobody's. */
export function openAt({ series, samples }: SeriesSamples, watches: Watches, at: Micros): OpenSeries[] {
  const newest = samples.reduce((latest, { timestamp }) => Math.max(latest, timestamp), -Infinity);
  if (newest >= at || newest < at - LONGEST_SILENCE) return [];
  const agents = new Set(samples.flatMap(({ timestamp, agentId }) => (timestamp === newest ? [agentId] : [])));
  return [...agents].flatMap((agentId): OpenSeries[] => {
    if (agentId === null) return [];
    const own = samples.filter((sample) => sample.agentId === agentId && sample.timestamp >= newest - DAY);
    const watch = watches.of(agentId, series);
    const inOrder = own.toSorted((a, b) => comparePlace(a, b, 'oldest'));
    const last = readingsOfSeries(inOrder, series, watch, null).at(-1);
    if (last === undefined || lastWord(last, Infinity, watch) !== null) return [];
    return [{ series, agentId, timestamp: newest }];
  });
}
