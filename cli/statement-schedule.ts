import { setImmediate as pause } from 'node:timers/promises';
import { closeScheduled, scheduledPeriod } from '@nephometer/api';
import type { ApiOptions } from '@nephometer/api';
import { ConfigError, DAY, formatInstant, messageOf, MINUTE, SECOND } from '@nephometer/core';
import type { Clock, LoadedConfig, Micros, Service, StatementSchedule, Timer } from '@nephometer/core';
import { cronTimes } from 'nephometer-agent';
import type { CronTimes } from 'nephometer-agent';

/** A moment is settled, on every store, when it lies this far back. */
const SETTLED_AFTER: Micros = MINUTE;
const LOOK_EVERY: Micros = 20 * SECOND;
/** A server that was away for longer has missed what fell due. */
const LOOK_BACK: Micros = 40 * DAY;
const LOOK_AHEAD: Micros = 70 * DAY;

interface Rule {
  readonly schedule: StatementSchedule;
  readonly times: CronTimes;
  /** The moment that fell due last, and up to when it was tried; null: none is open. */
  open: { readonly tick: Micros; tried: Micros } | null;
  /** When the next one falls due; null: not within the time that is looked at. */
  next: Micros | null;
}

export type ExpectedClose = (projectId: string, from: Micros, to: Micros) => Micros | null;

/** Closes periods when their schedules say so, and what fell due while no server ran. */
export class StatementSchedules implements Service {
  readonly name = 'statements';
  readonly #rules: readonly Rule[];
  readonly #clock: Clock;
  #options: ApiOptions | null = null;
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  /** @throws ConfigError for a cron expression or zone that is none */
  constructor(loaded: Pick<LoadedConfig, 'config' | 'problemAt'>, clock: Clock) {
    this.#clock = clock;
    this.#rules = rulesOf(loaded);
  }

  /** The API whose statements they are. */
  serve(options: ApiOptions): void {
    this.#options = options;
  }

  readonly expectedClose: ExpectedClose = (projectId, from, to) => {
    const due = this.#rules.flatMap(({ schedule, open, next }) => {
      const { projects } = schedule;
      if (projects !== 'all' && !projects.includes(projectId)) return [];
      return [open?.tick ?? null, next]
        .filter((tick) => tick !== null)
        .filter((tick) => {
          const period = scheduledPeriod(schedule, tick);
          return period.from === from && period.to === to;
        });
    });
    return due.length === 0 ? null : Math.min(...due);
  };

  start(): Promise<void> {
    if (this.#rules.length > 0) this.#running = this.#begin();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async #begin(): Promise<void> {
    const now = this.#clock.now();
    for (const rule of this.#rules) {
      const tick = await lastTick(rule.times, now);
      rule.open = tick === null ? null : { tick, tried: -Infinity };
      rule.next = await nextTick(rule.times, now);
    }
    await this.#look();
  }

  async #look(): Promise<void> {
    for (const rule of this.#rules) if (!this.#isStopped) await this.#turn(rule);
    if (this.#isStopped) return;
    this.#timer = this.#clock.after(LOOK_EVERY, () => {
      this.#running = this.#look();
    });
  }

  async #turn(rule: Rule): Promise<void> {
    const settled = this.#clock.now() - SETTLED_AFTER;
    if (rule.next !== null && rule.next <= settled) {
      rule.open = { tick: rule.next, tried: -Infinity };
      rule.next = await nextTick(rule.times, rule.next);
    }
    const { open, schedule } = rule;
    if (open === null || open.tick > settled) return;
    const asOf = attemptAt(schedule, open.tick, settled);
    if (asOf <= open.tried) return;
    const outcome = await this.#close(schedule, open.tick, asOf);
    if (outcome !== 'failed') open.tried = asOf;
    if (outcome === 'done') rule.open = null;
  }

  /** `waiting`: projects are left that may be closed later. */
  async #close(schedule: StatementSchedule, tick: Micros, asOf: Micros): Promise<'done' | 'waiting' | 'failed'> {
    const options = this.#options;
    if (options === null) return 'failed';
    const isLast = schedule.below !== 'wait' || asOf - tick >= schedule.wait_at_most;
    const below = schedule.below === 'refuse' || !isLast ? 'refuse' : 'flag';
    try {
      const { statements, refused } = await closeScheduled(options, schedule, { tick, asOf, below });
      const created = statements.filter((one) => one.created).length;
      const about = { schedule: schedule.name, as_of: formatInstant(asOf), created, open: refused.length };
      options.log.info(about, 'A schedule has closed a period.');
      for (const { project_id: project, reason } of refused) {
        options.log.warn({ schedule: schedule.name, project, reason, again: !isLast }, 'A project stays open.');
      }
      return isLast || refused.length === 0 ? 'done' : 'waiting';
    } catch (cause) {
      options.log.error({ schedule: schedule.name, cause: messageOf(cause) }, 'A schedule failed; it is tried again.');
      return 'failed';
    }
  }
}

/** @throws ConfigError for a cron expression or zone that is none */
export function checkSchedules(loaded: Pick<LoadedConfig, 'config' | 'problemAt'>): void {
  rulesOf(loaded);
}

function rulesOf({ config, problemAt }: Pick<LoadedConfig, 'config' | 'problemAt'>): Rule[] {
  return config.statements.schedules.map((schedule, i) => {
    try {
      return { schedule, times: cronTimes(schedule.cron, schedule.tz), open: null, next: null };
    } catch (cause) {
      throw new ConfigError([problemAt(['statements', 'schedules', i, 'cron'], messageOf(cause))]);
    }
  });
}

/** The same on every server: the moment itself, then one every so long after it. What failed is tried again at the next. */
function attemptAt(
  { below, retry_every: every, wait_at_most: most }: StatementSchedule,
  tick: Micros,
  now: Micros,
): Micros {
  if (below !== 'wait') return tick;
  return tick + Math.min(Math.floor((now - tick) / every) * every, Math.ceil(most / every) * every);
}

/** The last one before a moment, looked for day by day, so that nothing else has to wait. */
async function lastTick(times: CronTimes, before: Micros): Promise<Micros | null> {
  for (let end = before; end > before - LOOK_BACK; end -= DAY) {
    let found: Micros | null = null;
    for (let at = times.next(end - DAY, end); at !== null; at = times.next(at, end)) found = at;
    if (found !== null) return found;
    await pause();
  }
  return null;
}

async function nextTick(times: CronTimes, after: Micros): Promise<Micros | null> {
  for (let start = after; start < after + LOOK_AHEAD; start += DAY) {
    const found = times.next(start, start + DAY);
    if (found !== null) return found;
    await pause();
  }
  return null;
}
