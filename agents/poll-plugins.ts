import { nodeName, pollingSources, systemClock } from '@nephometer/core';
import type { Clock, Config, Counter, CycleReport, LoadedPlugins, Logger } from '@nephometer/core';
import { pollstersFor } from './roles.ts';
import type { AgentRole } from './roles.ts';
import { CycleRunner } from './cycle.ts';
import { Discoverer } from './discover.ts';
import { Pipeline } from './pipeline.ts';
import { pollTimeout } from './sources.ts';

export interface PollPluginsOptions {
  readonly config: Config;
  readonly plugins: LoadedPlugins;
  readonly log: Logger;
  /** Default: both agents. */
  readonly roles?: readonly AgentRole[];
  /** Only pollsters of these names. Default: all. */
  readonly only?: readonly string[];
  readonly clock?: Clock;
}

/**
 * Polls every source once and sends nothing: what the pipeline would hand on, and one cycle report over all sources.
 */
export async function pollPlugins(options: PollPluginsOptions): Promise<{ counters: Counter[]; report: CycleReport }> {
  const { config, plugins, log, clock = systemClock, roles = ['compute-agent', 'central-agent'], only } = options;
  const pollsters = pollstersFor(plugins, roles).filter(({ plugin }) => only?.includes(plugin.name) ?? true);
  const host = nodeName(config);
  const cache = config.agent.discovery_cache;
  const runner = new CycleRunner({
    pollsters,
    discoverer: new Discoverer({ discoveries: plugins.discoveries, host, clock, log, cache }),
    pipeline: new Pipeline(config.pipeline),
    clock,
    log,
    maxReadings: config.agent.max_readings,
    onPolled: () => undefined,
    onRejected: () => undefined,
  });
  const reports: CycleReport[] = [];
  const counters: Counter[] = [];
  for (const source of pollingSources(config)) {
    const interval = source.interval ?? config.interval;
    const slot = Math.floor(clock.now() / interval) * interval;
    const result = await runner.run({ source, interval, slot, timeout: pollTimeout(config, interval) });
    counters.push(...result.counters);
    reports.push(result.report);
  }
  return { counters, report: joined(reports) };
}

/** One report of all sources: a pollster that several sources ask appears once for each. */
function joined(reports: readonly CycleReport[]): CycleReport {
  const [first, ...others] = reports;
  if (first === undefined) throw new RangeError('There is no polling source.');
  return others.reduce<CycleReport>(
    (all, one) => ({
      ...all,
      finished: one.finished,
      meters: [...new Set([...all.meters, ...one.meters])].sort(),
      discovery_complete: all.discovery_complete && one.discovery_complete,
      pollsters: [...all.pollsters, ...one.pollsters],
      dropped: [...all.dropped, ...one.dropped],
    }),
    first,
  );
}
