import { AGENT_STATES, messageOf, MINUTE, SECOND } from '@nephometer/core';
import type {
  AgentBook,
  AgentState,
  AgentStatus,
  Clock,
  Config,
  CounterMetric,
  GaugeMetric,
  Logger,
  MetricRegistry,
  Micros,
  Service,
  Store,
  Timer,
} from '@nephometer/core';

export interface AgentWatchOptions {
  readonly config: Pick<Config, 'watch'>;
  readonly book: AgentBook;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricRegistry;
}

/** Looks regularly which agents the ledger has heard of, and tells the operator of those that it has not. */
export function createAgentWatch(options: AgentWatchOptions): Service {
  return new AgentWatch(options);
}

/** Conflicts are looked for less often than agents; more versions than these are not counted. */
const CONFLICTS_EVERY: Micros = MINUTE;
const MOST_VERSIONS = 1000;

class AgentWatch implements Service {
  readonly name = 'agent watch';
  readonly #options: AgentWatchOptions;
  readonly #metrics: WatchMetrics;
  /** State that was told last, by agent. */
  readonly #told = new Map<string, AgentState>();
  /** Agents that metrics show. */
  readonly #measured = new Set<string>();
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;
  #isStopping = false;
  /** Since when the ledger has been looked at without a break; null while the store is away. */
  #since: Micros | null = null;
  #conflictsAt: Micros = -Infinity;
  #conflicts = 0;

  constructor(options: AgentWatchOptions) {
    this.#options = options;
    this.#metrics = watchMetrics(options.metrics);
  }

  start(): Promise<void> {
    this.#look();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #look(): void {
    if (this.#isStopping) return;
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = null;
      if (!this.#isStopping) {
        this.#timer = this.#options.clock.after(this.#options.config.watch.every, () => this.#look());
      }
    });
  }

  async #lookOnce(): Promise<void> {
    const { book, clock, log } = this.#options;
    try {
      const agents = await book.list();
      this.#since ??= clock.now();
      for (const agent of agents) this.#tell(agent, this.#since);
      this.#measure(agents);
      await this.#lookForConflicts();
    } catch (cause) {
      if (this.#since !== null) log.warn({ cause: messageOf(cause) }, 'The ledger cannot be read to watch the agents.');
      this.#since = null;
    }
  }

  #tell(agent: AgentStatus, since: Micros): void {
    const { agentId, state } = agent;
    const before = this.#told.get(agentId) ?? 'ok';
    if (state === before || !this.#isSure(agent, since)) return;
    this.#told.set(agentId, state);
    if (state === 'late' && before === 'ok') return;
    if (state === 'ok' && before === 'late') return;
    this.#metrics.changes.add(1, { state });
    this.#say(agent, before);
  }

  /**
   * While no collector recorded, every agent looks silent: only what was not heard while we were there to hear is told.
   */
  #isSure({ state, history }: AgentStatus, since: Micros): boolean {
    const { clock, config } = this.#options;
    const { margin } = config.watch;
    const listened = clock.now() - since;
    if (state === 'never-seen') return listened >= margin;
    if (state !== 'silent' && state !== 'late') return true;
    return listened >= (history?.silentAfter(margin) ?? 0);
  }

  #say({ agentId, state, history, quarantined }: AgentStatus, before: AgentState): void {
    const { log, clock } = this.#options;
    const newest = history?.newest ?? null;
    const quiet = newest === null ? null : Math.round((clock.now() - newest.recordedAt) / SECOND);
    const fields = { agent: agentId, state, before, quietSeconds: quiet, epoch: newest?.epoch, seq: newest?.seq };
    switch (state) {
      case 'silent':
        return log.error({ ...fields, quarantined }, 'An agent fell silent: nothing of it reaches the ledger.');
      case 'never-seen':
        return log.error({ ...fields, quarantined }, 'An expected agent was never heard.');
      case 'cloned':
        return log.error(
          fields,
          'Two agents run under one id: a state folder was copied. Remove agent-id from the copy.',
        );
      case 'late':
        return log.warn(fields, 'An agent is late.');
      case 'ok':
        return log.info(fields, 'An agent is heard again.');
    }
  }

  #measure(agents: readonly AgentStatus[]): void {
    const metrics = this.#metrics;
    for (const state of AGENT_STATES) {
      metrics.agents.set(agents.filter((agent) => agent.state === state).length, { state });
    }
    const known = new Set(agents.map(({ agentId }) => agentId));
    for (const agent of this.#measured) if (!known.has(agent)) this.#unlearn(agent);
    for (const { agentId: agent, quarantined, history } of agents) {
      this.#measured.add(agent);
      metrics.quarantined.set(quarantined, { agent });
      if (history === null) continue;
      metrics.missing.set(history.missing, { agent });
      metrics.last.set((history.newest?.recordedAt ?? 0) / SECOND, { agent });
      metrics.lag.set((history.lag ?? 0) / SECOND, { agent });
      metrics.skew.set((history.clockSkew ?? 0) / SECOND, { agent });
    }
  }

  /** The book has forgotten it: so do metrics, and what was told. */
  #unlearn(agent: string): void {
    const { quarantined, missing, last, lag, skew } = this.#metrics;
    for (const gauge of [quarantined, missing, last, lag, skew]) gauge.remove({ agent });
    this.#told.delete(agent);
    this.#measured.delete(agent);
  }

  async #lookForConflicts(): Promise<void> {
    const { store, clock, log } = this.#options;
    if (clock.monotonic() - this.#conflictsAt < CONFLICTS_EVERY) return;
    this.#conflictsAt = clock.monotonic();
    const ids = new Set<string>();
    for await (const { messageId } of store.conflicts({ limit: MOST_VERSIONS })) ids.add(messageId);
    this.#metrics.conflicts.set(ids.size);
    if (ids.size > this.#conflicts) {
      const fields = { open: ids.size, message_ids: [...ids].slice(0, 10) };
      log.error(fields, 'Samples are in conflict and count nowhere until resolved: see `nephometer conflict list`.');
    }
    this.#conflicts = ids.size;
  }
}

interface WatchMetrics {
  readonly agents: GaugeMetric;
  readonly changes: CounterMetric;
  readonly last: GaugeMetric;
  readonly lag: GaugeMetric;
  readonly skew: GaugeMetric;
  readonly missing: GaugeMetric;
  readonly quarantined: GaugeMetric;
  readonly conflicts: GaugeMetric;
}

function watchMetrics(metrics: MetricRegistry): WatchMetrics {
  const of = (name: string, help: string): GaugeMetric => metrics.gauge(`nephometer_watch_${name}`, help);
  return {
    agents: of('agents', 'Agents in the ledger or expected, by state: ok, late, silent, never-seen, cloned.'),
    changes: metrics.counter('nephometer_watch_changes_total', 'Changes of an agent that were told, by its new state.'),
    last: of('last_recorded_timestamp_seconds', 'When the newest batch of an agent was recorded.'),
    lag: of('lag_seconds', "Time from sealing to the ledger of an agent's newest batch."),
    skew: of('clock_skew_seconds', "How far an agent's clock is ahead, judged by its fastest batch."),
    missing: of('missing_batches', 'Sequence numbers of an agent that the ledger has not, below its newest.'),
    quarantined: of('quarantined_messages', 'Refused messages that name an agent.'),
    conflicts: of('open_conflicts', 'Message ids in conflict that nobody has resolved; counted up to 1000 versions.'),
  };
}
