import { matchesPatterns, messageOf } from '@nephometer/core';
import type {
  ActivePlugin,
  Clock,
  Counter,
  CycleReport,
  Logger,
  Micros,
  PollingSource,
  PollsterOutcome,
  Pollster,
} from '@nephometer/core';
import type { Discoverer } from './discover.ts';
import type { Pipeline } from './pipeline.ts';
import { notRun, pollOnce } from './poll.ts';
import { momentOf } from './reading.ts';
import { waitUntil } from './deadline.ts';

/** One tick of one source. */
export interface Tick {
  readonly source: PollingSource;
  /** Time between two ticks; null where a cron expression drives the source. */
  readonly interval: Micros | null;
  readonly slot: Micros;
  /** Longest a pollster, or a discovery, may take. */
  readonly timeout: Micros;
}

export interface CycleOptions {
  readonly pollsters: readonly ActivePlugin<Pollster>[];
  readonly discoverer: Discoverer;
  readonly pipeline: Pipeline;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxReadings: number;
  /** Told of every pollster that ran or could not. */
  readonly onPolled: (pollster: string, outcome: PollsterOutcome, seconds: number) => void;
  readonly onRejected: (samples: number) => void;
}

export interface CycleResult {
  /** Behind the pipeline. */
  readonly counters: readonly Counter[];
  readonly report: CycleReport;
}

interface Polled {
  readonly counters: readonly Counter[];
  readonly outcome: PollsterOutcome;
  readonly complete: boolean;
}

/** Names that are remembered of a dynamic pollster and source; those not given for longest go first. */
const MOST_SEEN = 10_000;

/** Runs cycles: discovery, pollsters, pipeline, report. A pollster runs once at a time, whoever asks. */
export class CycleRunner {
  readonly #options: CycleOptions;
  /** Runs under way, by pollster: who asked, and when it is really over. */
  readonly #running = new Map<object, { readonly source: string; abandoned: boolean; readonly over: Promise<void> }>();
  /** Final names that dynamic pollsters gave so far, by source and pollster, the latest last. */
  readonly #seen = new Map<string, Set<string>>();

  constructor(options: CycleOptions) {
    this.#options = options;
  }

  /** The pollsters that a source wants: those that read at least one meter that it names. */
  pollstersOf(source: PollingSource): ActivePlugin<Pollster>[] {
    return this.#options.pollsters.filter(({ plugin }) => {
      if (plugin.meters === 'dynamic') return true;
      return Object.keys(plugin.meters).some((meter) => matchesPatterns(source.meters, meter));
    });
  }

  async run(tick: Tick): Promise<CycleResult> {
    const { clock, pipeline } = this.#options;
    const started = clock.now();
    const polled = await Promise.all(this.pollstersOf(tick.source).map((active) => this.#poll(active, tick)));
    const { counters, rejected } = pipeline.runPipeline(
      polled.flatMap((one) => one.counters),
      tick.source.name,
    );
    this.#tellRejected(tick, rejected);
    const dropped = rejected.length === 0 ? [] : [this.#invalid(rejected.length, tick.slot)];
    const report: CycleReport = {
      ...this.#report(tick),
      started,
      finished: clock.now(),
      discovery_complete: polled.every(({ complete }) => complete),
      pollsters: polled.map(({ outcome }) => outcome),
      dropped,
    };
    return { counters, report };
  }

  /** The report of a slot that was not run: the tick before still went on, or the process slept. */
  skipped(tick: Tick): CycleReport {
    const now = this.#options.clock.now();
    const pollsters = this.pollstersOf(tick.source).map(({ plugin }) => notRun(plugin.name, 'busy'));
    return { ...this.#report(tick), started: now, finished: now, outcome: 'skipped', pollsters };
  }

  #report({ source, interval, slot }: Tick): CycleReport {
    return {
      source: source.name,
      interval,
      scheduled: slot,
      started: slot,
      finished: slot,
      outcome: 'ran',
      meters: [...new Set(this.pollstersOf(source).flatMap(({ plugin }) => this.#metersOf(plugin, source)))].sort(),
      discovery_complete: false,
      pollsters: [],
      dropped: [],
    };
  }

  async #poll(active: ActivePlugin<Pollster>, tick: Tick): Promise<Polled> {
    const began = this.#options.clock.monotonic();
    const polled = await this.#inTurn(active, tick).catch((cause: unknown) => failed(active, messageOf(cause)));
    const seconds = (this.#options.clock.monotonic() - began) / 1e6;
    this.#remember(active.plugin, tick.source, polled.counters);
    const outcome = this.#withMeters(polled.outcome, active.plugin, tick.source);
    this.#options.onPolled(active.plugin.name, outcome, seconds);
    return { ...polled, outcome };
  }

  /** Waits for another source's run of the same pollster; one of this source, or a hung one, is not waited for. */
  async #inTurn(active: ActivePlugin<Pollster>, tick: Tick): Promise<Polled> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + tick.timeout;
    for (;;) {
      const running = this.#running.get(active.plugin);
      if (running === undefined) return this.#runPollster(active, tick, deadline);
      const wait = running.source === tick.source.name || running.abandoned ? 0 : deadline - clock.monotonic();
      if (wait <= 0 || !(await waitUntil(clock, wait, running.over))) return failed(active, 'busy');
    }
  }

  async #runPollster(active: ActivePlugin<Pollster>, tick: Tick, deadline: Micros): Promise<Polled> {
    const { clock, discoverer, maxReadings } = this.#options;
    let settled: () => void = () => undefined;
    const over = new Promise<void>((resolve) => (settled = resolve));
    const running = { source: tick.source.name, abandoned: false, over };
    this.#running.set(active.plugin, running);
    const release = (): void => {
      this.#running.delete(active.plugin);
      settled();
    };
    const left = (): Micros => Math.max(1, deadline - clock.monotonic());
    const key = `${tick.interval ?? tick.source.name} ${tick.slot}`;
    const beforeDiscovery = momentOf(clock);
    const found = await discoverer.discoverResources(active, tick.source, { key, timeout: left() });
    if (found.resources.length === 0) {
      release();
      return {
        counters: [],
        outcome: { ...notRun(active.plugin.name, ''), error: found.error },
        complete: found.complete,
      };
    }
    const wants = (meter: string): boolean => matchesPatterns(tick.source.meters, meter);
    const { resources } = found;
    const { counters, outcome } = await pollOnce({
      active,
      resources,
      clock,
      moment: discoverer.isPartOfRun(active, tick.source) ? beforeDiscovery : momentOf(clock),
      timeout: left(),
      maxReadings,
      wants,
      settled: release,
    });
    running.abandoned = true;
    return { counters, outcome, complete: found.complete };
  }

  /** Final names of the meters that a pollster gives for a source; of a dynamic one those that it gave so far. */
  #metersOf(plugin: Pollster, source: PollingSource): string[] {
    if (plugin.meters === 'dynamic') return [...(this.#seen.get(seenKey(plugin, source)) ?? [])];
    const wanted = Object.keys(plugin.meters).filter((name) => matchesPatterns(source.meters, name));
    return [...new Set(wanted.flatMap((name) => this.#options.pipeline.finalNames(name)))];
  }

  #remember(plugin: Pollster, source: PollingSource, counters: readonly Counter[]): void {
    if (plugin.meters !== 'dynamic') return;
    const key = seenKey(plugin, source);
    const names = this.#seen.get(key) ?? new Set<string>();
    this.#seen.set(key, names);
    for (const meter of new Set(counters.map((counter) => counter.meter))) {
      for (const name of this.#options.pipeline.finalNames(meter)) {
        names.delete(name);
        names.add(name);
      }
    }
    for (const name of names) {
      if (names.size <= MOST_SEEN) break;
      names.delete(name);
    }
  }

  /** Where something failed, the outcome says of which meters, if that is known. */
  #withMeters(outcome: PollsterOutcome, plugin: Pollster, source: PollingSource): PollsterOutcome {
    if (outcome.error === null && outcome.failed.length === 0) return outcome;
    const meters = this.#metersOf(plugin, source);
    return meters.length === 0 ? outcome : { ...outcome, meters };
  }

  #tellRejected({ source }: Tick, rejected: readonly { meter: string; resourceId: string; reason: string }[]): void {
    const [first] = rejected;
    if (first === undefined) return;
    this.#options.onRejected(rejected.length);
    this.#options.log.error({ source: source.name, samples: rejected.length, ...first }, 'Samples were rejected.');
  }

  #invalid(samples: number, slot: Micros): CycleReport['dropped'][number] {
    return { reason: 'invalid', samples, from: slot, to: slot };
  }
}

function failed(active: ActivePlugin<Pollster>, error: string): Polled {
  return { counters: [], outcome: notRun(active.plugin.name, error), complete: false };
}

function seenKey(plugin: Pollster, source: PollingSource): string {
  return JSON.stringify([source.name, plugin.name]);
}
