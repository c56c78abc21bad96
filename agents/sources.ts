import { ConfigError, messageOf } from '@nephometer/core';
import type { Config, ConfigProblem, LoadedConfig, Micros, PollingSource } from '@nephometer/core';
import { cronTimes } from './cron.ts';

/** Sources that tick together: so their pollsters share discoveries. */
export interface IntervalGroup {
  readonly interval: Micros;
  readonly sources: readonly PollingSource[];
}

/** The sources without a cron expression, by interval; the shared one where a source has none of its own. */
export function groupByInterval(sources: readonly PollingSource[], shared: Micros): IntervalGroup[] {
  const groups = new Map<Micros, PollingSource[]>();
  for (const source of sources.filter(({ cron }) => cron === undefined)) {
    const interval = source.interval ?? shared;
    groups.set(interval, [...(groups.get(interval) ?? []), source]);
  }
  return [...groups].map(([interval, members]) => ({ interval, sources: members }));
}

/** Longest a pollster of a source may take: what is configured, but always less than the source's own interval. */
export function pollTimeout(config: Config, interval: Micros | null): Micros {
  const most = Math.floor(0.8 * (interval ?? config.interval));
  if (config.poll_timeout === undefined) return most;
  return interval !== null && config.poll_timeout >= interval ? most : config.poll_timeout;
}

type ProblemAt = LoadedConfig['problemAt'];

/** Where the file is not at hand. */
const somewhere: ProblemAt = (path, message) => ({
  file: 'configuration',
  line: null,
  key: `sources[${String(path[1])}].${String(path[2])}`,
  message,
});

/** @throws ConfigError that names every source whose cron expression or zone is wrong, or whose interval is too short */
export function checkSources(sources: readonly PollingSource[], problemAt: ProblemAt = somewhere): void {
  const problems = sources.flatMap((source, index) => problemsOf(source, index, problemAt));
  if (problems.length > 0) throw new ConfigError(problems);
}

const SHORTEST: Micros = 1_000_000;

function problemsOf({ cron, tz, interval }: PollingSource, index: number, problemAt: ProblemAt): ConfigProblem[] {
  const problem = (key: string, message: string): ConfigProblem => problemAt(['sources', index, key], message);
  if (interval !== undefined && interval < SHORTEST) return [problem('interval', 'must be at least 1s')];
  if (cron === undefined) return [];
  try {
    cronTimes(cron, tz);
    return [];
  } catch (cause) {
    return [problem(messageOf(cause).startsWith('names the time zone') ? 'tz' : 'cron', messageOf(cause))];
  }
}
