import type { Micros } from '../../time.ts';
import { comparePlace } from '../order.ts';
import { lastWord } from './hold.ts';
import type { SeriesSamples } from './prepare.ts';
import { readingsOfSeries, samplesByAgent } from './timeline.ts';
import { REACH } from './watch.ts';
import type { Cycle, Watch, Watches } from './watch.ts';
import type { Period } from './windows.ts';

/**
 * From when on what one agent sends cannot change what a series had in a period that was folded. Null: whatever it sends
 * within LOOKAHEAD may.
 *
 * | the agent's last word on the series, as known        | its samples  | its ticks and losses            |
 * |------------------------------------------------------|--------------|---------------------------------|
 * | a reading behind the period                          | that reading | that reading                    |
 * | a tick that shows the resource absent, or a deletion | null         | that tick, or the deletion      |
 * | of senders without ticks, more than REACH before it  | null         | that reading                    |
 * | a reading, and silence or failures since             | null         | null                            |
 *
 * It stands on how timelines are made: what lies between two readings depends on these and on what lies between them (and
 * up to a day before), and a tick that shows absence ends the spell before it. Ticks count up to their end.
 */
export interface WitnessClosure {
  readonly agentId: string | null;
  readonly samples: Micros | null;
  readonly watch: Micros | null;
}

/** Of every agent that has a sample of the series among the facts, in order of time or not. */
export function closuresOf({ series, samples }: SeriesSamples, watches: Watches, period: Period): WitnessClosure[] {
  return [...samplesByAgent(samples)].map(([agentId, own]) => {
    const watch = watches.of(agentId, series);
    const inOrder = own.toSorted((a, b) => comparePlace(a, b, 'oldest'));
    const readings = readingsOfSeries(inOrder, series, watch, null);
    const behind = readings.findIndex(({ sample }) => sample.timestamp >= period.to);
    const heard = behind < 0 ? readings : readings.slice(0, behind + 1);
    const word = heard.reduce((at, { sample, due }) => Math.max(at, sample.timestamp, due), -Infinity);
    if (behind >= 0) {
      const at = finishedBy(word, watch);
      return { agentId, samples: at, watch: at };
    }
    const last = readings.at(-1);
    if (last === undefined) return { agentId, samples: null, watch: null };
    const isPast = agentId === null && last.sample.timestamp + REACH <= period.from;
    const gone = isPast ? word : lastWord(last, Infinity, watch);
    return { agentId, samples: null, watch: gone === null ? null : finishedBy(Math.max(word, gone), watch) };
  });
}

/** The end of the last tick that was due by then. */
function finishedBy(at: Micros, { cycles }: Watch): Micros {
  const end = (latest: Micros, { scheduled, finished }: Cycle): Micros =>
    scheduled <= at ? Math.max(latest, finished) : latest;
  return cycles.reduce(end, at);
}
