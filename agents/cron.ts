import { createTask, parse, validateDetailed } from 'node-cron';
import { HOUR, MINUTE, SECOND } from '@nephometer/core';
import type { Micros } from '@nephometer/core';

/** The times that a cron expression names, in UTC or a named zone. */
export interface CronTimes {
  /** The first time after `after` and not after `until`; null when there is none. Whole seconds. */
  next(after: Micros, until: Micros): Micros | null;
}

/** How far `next` is asked to look at once, so that a yearly expression does not cost a year of matching. */
export const CRON_LOOKAHEAD: Micros = HOUR;

/** @throws RangeError that says what is wrong with the expression or the zone */
export function cronTimes(expression: string, zone = 'UTC'): CronTimes {
  const checked = validateDetailed(expression);
  if (!checked.valid) {
    const why = checked.errors.map(({ message }) => message).join('; ');
    throw new RangeError(`is not a cron expression: ${why}. Write for example "*/5 * * * *".`);
  }
  checkZone(zone);
  const seconds = [...parse(expression).second].sort((a, b) => a - b);
  // Never started: only its matching is used, the clock is ours.
  const task = createTask(expression, () => undefined, { timezone: zone });
  return {
    next(after, until) {
      // Zones differ from UTC by whole minutes, so the seconds of a match are the same in every zone.
      for (let minute = Math.floor(after / MINUTE) * MINUTE; minute <= until; minute += MINUTE) {
        for (const second of seconds) {
          const at = minute + second * SECOND;
          if (at > until) return null;
          if (at > after && task.match(new Date(at / 1000))) return at;
          // What matches a minute at one of its seconds matches at all of them.
          if (at > after) break;
        }
      }
      return null;
    },
  };
}

function checkZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    throw new RangeError(`names the time zone "${zone}", which is not known; write for example "Europe/Berlin".`);
  }
}
