import { DAY, formatInstant, parseTimestamp } from '../../time.ts';
import type { Micros } from '../../time.ts';
import { offsetSpans, parseLocal, toInstant, toLocal, UNIT_OF } from './zone.ts';
import type { LocalMicros } from './zone.ts';

export const WINDOWS = ['none', 'minute', 'hour', 'day', 'week', 'month', 'billing-month'] as const;
export type WindowKind = (typeof WINDOWS)[number];

/** Half-open. */
export interface Period {
  readonly from: Micros;
  readonly to: Micros;
}

export interface WindowQuery extends Period {
  readonly window: WindowKind;
  /** IANA name. */
  readonly tz: string;
  /** Of billing months: see `parseAnchor`. */
  readonly anchor?: BillingAnchor;
}

/** On which day of the month, at which time of the local day, billing months start. */
export interface BillingAnchor {
  /** 1 to 31; in a shorter month its last day. */
  readonly day: number;
  /** Since local midnight. */
  readonly time: Micros;
}

/** More windows than this are refused: a year of minutes is a mistake, not a question. */
export const MOST_WINDOWS = 100_000;

/**
 * [from, to) cut at the zone's calendar edges; the first and the last may be cut short. A window starts at the first instant
 * whose clock shows its start, and where the clock skips that, at the first instant after. An hour that comes twice is two
 * windows; a day that a zone leaves out is none; a half-hour change leaves one window longer or shorter.
 * @throws RangeError when `to` is not after `from`, or for a zone that is not known
 */
export function cutWindows(query: WindowQuery): Period[] {
  const { from, to, window } = query;
  if (!(from < to)) {
    const found = `${formatInstant(from)} to ${formatInstant(to)}`;
    throw new RangeError(`Found a period from ${found}; an end after its start would be right.`);
  }
  const edges = [from];
  const keep = (edge: Micros): void => {
    if (edge > (edges.at(-1) ?? from) && edge < to) edges.push(edge);
    assertFew(edges.length, 'windows');
  };
  if (window === 'minute' || window === 'hour') eachClockEdge(query, UNIT_OF[window], keep);
  else if (window !== 'none') eachCalendarEdge(query, keep);
  return edges.map((edge, i) => ({ from: edge, to: edges[i + 1] ?? to }));
}

/** @throws RangeError */
export function assertFew(count: number, what: string): void {
  if (count > MOST_WINDOWS) throw new RangeError(`Found more than ${MOST_WINDOWS} ${what}; ask for larger ones.`);
}

function eachClockEdge({ from, to, tz }: WindowQuery, unit: Micros, keep: (edge: Micros) => void): void {
  // Before the zone is asked, which costs more than the edges.
  assertFew((to - from) / unit, 'windows');
  for (const span of offsetSpans(from, to, tz)) {
    // The clock jumped over a full hour: the window starts with the first instant after.
    const skipped = Math.ceil((span.from + span.offsetBefore) / unit) * unit;
    if (skipped < span.from + span.offset) keep(span.from);
    const first = Math.ceil((span.from + span.offset) / unit) * unit - span.offset;
    for (let edge = first; edge < span.to; edge += unit) keep(edge);
  }
}

function eachCalendarEdge({ from, to, tz, window, anchor }: WindowQuery, keep: (edge: Micros) => void): void {
  const first = new Date(toLocal(from, tz) / 1000);
  const [year, month, day] = [first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate()];
  for (let i = -1; ; i++) {
    const edge = toInstant(localEdge(window, anchor ?? { day: 1, time: 0 }, year, month, day, i), tz);
    if (edge >= to) return;
    keep(edge);
  }
}

/** The start of the i-th window from the one that holds the date. */
function localEdge(
  window: WindowKind,
  anchor: BillingAnchor,
  year: number,
  month: number,
  day: number,
  i: number,
): LocalMicros {
  if (window === 'day') return Date.UTC(year, month, day + i) * 1000;
  if (window === 'week') return Date.UTC(year, month, day - sinceMonday(year, month, day) + 7 * i) * 1000;
  const start = window === 'month' ? { day: 1, time: 0 } : anchor;
  const longest = new Date(Date.UTC(year, month + i + 1, 0)).getUTCDate();
  return Date.UTC(year, month + i, Math.min(start.day, longest)) * 1000 + start.time;
}

function sinceMonday(year: number, month: number, day: number): number {
  return (new Date(Date.UTC(year, month, day)).getUTCDay() + 6) % 7;
}

/**
 * `31`, `31T06:30`, or the date (and time) of any start: `2026-01-31`, `2026-01-31T06:30`. Local.
 * @throws RangeError
 */
export function parseAnchor(text: string): BillingAnchor {
  const short = /^(\d{1,2})(T\d\d:\d\d)?$/.exec(text);
  const local = localStart(
    short === null ? text : `2000-01-${(short[1] ?? '').padStart(2, '0')}${short[2] ?? ''}`,
    text,
  );
  const midnight = Math.floor(local / DAY) * DAY;
  return { day: new Date(local / 1000).getUTCDate(), time: local - midnight };
}

function localStart(start: string, anchor: string): LocalMicros {
  try {
    return parseLocal(start);
  } catch {
    const found = JSON.stringify(anchor.slice(0, 60));
    throw new RangeError(
      `Found the anchor ${found}; a day from 1 to 31 with or without a time (31, 31T06:30), or the date of any start ` +
        '(2026-01-31), would be right.',
    );
  }
}

/**
 * An instant with its zone said (`...Z`, `...+02:00`), or a local date or time in `tz`. `2026-03-01` in Europe/Berlin is
 * 2026-02-28T23:00:00Z.
 * @throws RangeError
 */
export function resolveInstant(text: string, tz: string): Micros {
  return /(Z|[+-]\d\d:?\d\d)$/.test(text) && text.includes(':')
    ? parseTimestamp(text)
    : toInstant(parseLocal(text), tz);
}
