import { cutWindows, DAY, decimal, divide, FIGURE_DIGITS, multiply, parseDecimal, toText } from '@nephometer/core';
import type { Micros, UsageKind, UsageLine, UsageQuery } from '@nephometer/core';
import { badRequest } from '../../errors.ts';

export const PROJECTIONS = ['none', 'linear'] as const;

/** To when the line that is not over yet is projected, and by which policy. */
export interface Projection {
  readonly policy: 'linear';
  readonly to: Micros;
}

/** What a line would come to at the end of its time; `ProjectedAnswer`. */
export interface Projected {
  readonly to: Micros;
  readonly quantity: string;
  readonly lower: string | null;
  readonly upper: null;
}

/** Longer than any window. */
const AHEAD: Micros = 63 * DAY;

/** The end of the window that the question's period ends in; without windows of the month. */
export function windowEnd({ to, tz, window, anchor }: UsageQuery): Micros {
  const asked = { from: to - 1, to: to + (window === 'minute' || window === 'hour' ? DAY : AHEAD), tz };
  const [open] = cutWindows({ ...asked, window: window === 'none' ? 'month' : window, ...(anchor && { anchor }) });
  return open?.to ?? to;
}

/** @throws HttpError 400 when it does not come after the period */
export function assertAhead(projection: Projection, { to }: UsageQuery): Projection {
  if (projection.to >= to) return projection;
  throw badRequest('project_to: lies before the end of the period; a later moment would be right.');
}

const GROWING: readonly UsageKind[] = ['duration', 'integral', 'increase', 'sum', 'count'];

/**
 * `linear`: goes on at the mean rate of the line's time so far, gaps and all; from `estimated` where an estimate was asked for. What
 * was used so far is the least that it comes to; nothing bounds what is to come. Null where the line is over, and for what does not grow
 * with time.
 */
export function projected(line: UsageLine, query: UsageQuery, { to }: Projection): Projected | null {
  const base = line.estimated ?? line.unrounded ?? line.quantity;
  if (line.to !== query.to || to <= line.to || base === null || !GROWING.includes(query.kind)) return null;
  const whole = multiply(parseDecimal(base), decimal(to - line.from));
  const quantity = toText(divide(whole, decimal(line.to - line.from), FIGURE_DIGITS));
  const isRising = query.floor !== null && query.floor.coefficient >= 0n;
  return { to, quantity, lower: isRising ? line.lower : null, upper: null };
}
