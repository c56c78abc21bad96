import { busNames, messageOf, nodeName, pollingSources, SECOND } from '@nephometer/core';
import type {
  Bus,
  Clock,
  Config,
  Keyring,
  LoadedPlugins,
  Logger,
  MetricRegistry,
  Micros,
  PollingSource,
  ProcessStatus,
  Service,
  Spool,
} from '@nephometer/core';
import { agentMetrics, countDropped } from './agent-metrics.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import { cronTimes } from './cron.ts';
import { CycleRunner } from './cycle.ts';
import type { Tick } from './cycle.ts';
import { waitUntil } from './deadline.ts';
import { Discoverer } from './discover.ts';
import { Health } from './health.ts';
import { BrokerLink } from './link.ts';
import { Pipeline } from './pipeline.ts';
import { Publisher } from './publish.ts';
import { pollstersFor } from './roles.ts';
import type { AgentRole } from './roles.ts';
import { CronTimer, IntervalTimer, spreadOf } from './scheduler.ts';
import type { SlotEvents, SlotTimer } from './scheduler.ts';
import { newEpoch, Sealer } from './seal.ts';
import type { Epoch } from './seal.ts';
import { checkSources, groupByInterval, pollTimeout } from './sources.ts';

export interface AgentOptions {
  readonly roles: readonly AgentRole[];
  readonly config: Config;
  readonly plugins: LoadedPlugins;
  readonly bus: Bus;
  readonly keyring: Keyring;
  readonly spool: Spool;
  readonly agentId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
  readonly status: ProcessStatus;
  /** Told of what no retry heals (exchanges declared otherwise, access denied). Default: logged only. */
  readonly onFatal?: (error: Error) => void;
}

export interface Agent extends Service {
  /** Runs every source once, out of turn, for the moment's own slot; resolves when all is spooled. For tests. */
  pollNow(): Promise<void>;
  /** The epoch that batches are numbered in now. */
  readonly epoch: string;
}

/** Longest that stopping waits for polls under way, and then for the bus to take what is spooled. */
const FINISH_POLLS: Micros = 5 * SECOND;
const DRAIN: Micros = 5 * SECOND;

/**
 * Polls, signs, spools, publishes. Bus and spool are the caller's, who closes them after `stop`.
 * @throws ConfigError when sources or pipeline name what is not there
 */
export function createAgent(options: AgentOptions): Agent {
  return new PollingAgent(options);
}

class PollingAgent implements Agent {
  readonly name = 'agent';
  readonly #options: AgentOptions;
  readonly #sources: readonly PollingSource[];
  readonly #metrics: AgentMetrics;
  readonly #runner: CycleRunner;
  readonly #sealer: Sealer;
  readonly #publisher: Publisher;
  readonly #link: BrokerLink;
  readonly #health: Health;
  readonly #timers: readonly SlotTimer[];
  /** Cycles under way, by source. */
  readonly #cycles = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();
  #epoch: Epoch = newEpoch();
  #stopping: Promise<void> | null = null;

  constructor(options: AgentOptions) {
    this.#options = options;
    const { config, clock, log, bus, spool, metrics, status } = options;
    this.#sources = pollingSources(config);
    checkSources(this.#sources);
    this.#metrics = agentMetrics(metrics, spool, config.agent.spool.max_size, clock);
    this.#runner = createRunner(options, this.#sources, this.#metrics);
    this.#sealer = this.#createSealer();
    this.#publisher = new Publisher({
      bus,
      names: busNames(config.bus.namespace),
      spool,
      clock,
      log,
      resendAfter: config.agent.resend_after,
      onPublished: (result) => this.#metrics.published.add(1, { result }),
      onDropped: (dropped) => this.#sealer.tellDropped(dropped),
      onFatal: (cause) => this.#fatal(cause),
    });
    this.#link = new BrokerLink({
      ...options,
      signal: this.#stopped.signal,
      onDeclared: () => this.#publisher.start(),
      onReceipt: (recorded, refused) => {
        this.#metrics.receipts.add(recorded);
        for (const { reason } of refused) this.#metrics.refused.add(1, { reason });
      },
      onFatal: (cause) => this.#fatal(cause),
    });
    this.#health = new Health({ bus, spool, spoolBytes: config.agent.spool.max_size, clock, status });
    this.#timers = this.#createTimers();
  }

  get epoch(): string {
    return this.#epoch.id;
  }

  async start(): Promise<void> {
    const { log, agentId, roles } = this.#options;
    const pollsters = [...new Set(this.#sources.flatMap((source) => this.#runner.pollstersOf(source)))];
    const names = pollsters.map(({ plugin }) => plugin.name);
    log.info({ agent: agentId, epoch: this.#epoch.id, roles, pollsters: names }, 'The agent starts.');
    if (names.length === 0) log.warn({ roles }, 'No pollster is active; only cycle reports are sent.');
    this.#health.start();
    this.#link.start(this.#epoch.id);
    for (const timer of this.#timers) timer.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async pollNow(): Promise<void> {
    const slot = this.#options.clock.now();
    await Promise.all(this.#sources.map((source) => this.#run(this.#tickOf(source, source.interval ?? null, slot))));
  }

  async #stop(): Promise<void> {
    const { clock, log } = this.#options;
    for (const timer of this.#timers) timer.stop();
    this.#stopped.abort();
    const finished = await waitUntil(clock, FINISH_POLLS, Promise.all(this.#cycles.values()));
    if (!finished) log.warn({ sources: [...this.#cycles.keys()] }, 'Polls still run and are left behind.');
    await this.#publisher.drain(clock.monotonic() + DRAIN);
    this.#health.stop();
    await this.#link.stop();
    await this.#closePlugins();
    log.info({ spooled: this.#options.spool.stats().batches }, 'The agent stopped.');
  }

  async #closePlugins(): Promise<void> {
    const { plugins, roles, log, clock } = this.#options;
    for (const { plugin } of [...pollstersFor(plugins, roles), ...plugins.discoveries]) {
      const closed = Promise.resolve()
        .then(() => plugin.close?.())
        .catch((cause: unknown) => {
          log.warn({ plugin: plugin.name, cause: messageOf(cause) }, 'A plugin did not close cleanly.');
        });
      await waitUntil(clock, SECOND, closed);
    }
  }

  #createSealer(): Sealer {
    const { agentId, config, keyring, spool, clock, log } = this.#options;
    return new Sealer({
      agentId,
      sampleSource: config.agent.source,
      keyring,
      spool,
      clock,
      log,
      maxSamples: config.agent.max_samples,
      maxMessage: config.agent.max_message,
      onAppended: (batch) => {
        this.#metrics.batches.add();
        this.#metrics.samples.add(batch.samples);
        this.#publisher.offer(batch);
      },
      onDropped: (dropped) => countDropped(this.#metrics, dropped),
    });
  }

  #createTimers(): SlotTimer[] {
    const { clock, config, agentId } = this.#options;
    const spread = (interval: Micros): Micros => spreadOf(agentId, interval, config.agent.spread);
    const intervals = groupByInterval(this.#sources, config.interval).map(
      ({ interval, sources }) =>
        new IntervalTimer(clock, interval, spread(interval), this.#eventsOf(sources, interval)),
    );
    const crons = this.#sources.flatMap((source) =>
      source.cron === undefined
        ? []
        : [
            new CronTimer(
              clock,
              cronTimes(source.cron, source.tz),
              spread(config.interval),
              this.#eventsOf([source], null),
            ),
          ],
    );
    return [...intervals, ...crons];
  }

  #eventsOf(sources: readonly PollingSource[], interval: Micros | null): SlotEvents {
    return {
      tick: (slot, newSlots) => {
        if (newSlots) this.#startEpoch();
        for (const source of sources) this.#tick(this.#tickOf(source, interval, slot));
      },
      missed: (slot) => {
        for (const source of sources) this.#skip(this.#tickOf(source, interval, slot));
      },
    };
  }

  #tickOf(source: PollingSource, interval: Micros | null, slot: Micros): Tick {
    return { source, interval, slot, timeout: pollTimeout(this.#options.config, interval) };
  }

  #tick(tick: Tick): void {
    const { name } = tick.source;
    if (this.#cycles.has(name)) return this.#skip(tick);
    const cycle = this.#run(tick).finally(() => this.#cycles.delete(name));
    this.#cycles.set(name, cycle);
  }

  async #run(tick: Tick): Promise<void> {
    const epoch = this.#epoch;
    try {
      const { counters, report } = await this.#runner.run(tick);
      await this.#sealer.seal({ epoch, slot: tick.slot, counters, report });
    } catch (cause) {
      this.#options.log.error({ source: tick.source.name, cause: messageOf(cause) }, 'A cycle failed.');
      this.#skip(tick);
    }
  }

  #skip(tick: Tick): void {
    this.#metrics.overruns.add(1, { source: tick.source.name });
    const fields = { source: tick.source.name, slot: tick.slot };
    this.#options.log.warn(fields, 'A poll was skipped: the one before still ran, or the process slept.');
    this.#sealer.tellReport(this.#runner.skipped(tick));
  }

  #startEpoch(): void {
    const before = this.#epoch.id;
    this.#epoch = newEpoch();
    this.#metrics.clockJumps.add();
    this.#options.log.warn({ before, epoch: this.#epoch.id }, 'The clock was set back; a new epoch begins.');
  }

  #fatal(cause: Error): void {
    this.#health.fail(cause.message);
    this.#options.log.error({ cause: cause.message }, 'The broker refuses for good; a human is needed.');
    this.#options.onFatal?.(cause);
  }
}

function createRunner(options: AgentOptions, sources: readonly PollingSource[], metrics: AgentMetrics): CycleRunner {
  const { config, plugins, roles, clock, log } = options;
  const discoverer = new Discoverer({
    discoveries: plugins.discoveries,
    host: nodeName(config),
    clock,
    log,
    cache: config.agent.discovery_cache,
  });
  discoverer.check(sources);
  return new CycleRunner({
    pollsters: pollstersFor(plugins, roles),
    discoverer,
    pipeline: new Pipeline(config.pipeline),
    clock,
    log,
    maxReadings: config.agent.max_readings,
    onPolled: (pollster, { error, failed }, seconds) => {
      metrics.pollSeconds.observe(seconds, { pollster });
      if (error !== null) metrics.pollErrors.add(1, { pollster });
      if (failed.length > 0) metrics.failedResources.add(failed.length, { pollster });
      if (error !== null) log.warn({ pollster, error }, 'A pollster failed.');
    },
    onRejected: (samples) => metrics.dropped.add(samples, { reason: 'invalid' }),
  });
}
