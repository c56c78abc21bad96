import { DAY, HOUR, MINUTE, SECOND } from '../../time.ts';
import type { Micros } from '../../time.ts';

/** Microseconds that a wall clock shows, counted as if it were UTC. */
export type LocalMicros = number;

/** Version of the zone rules that windows are cut by, for example `2025b`. */
export const TZDATA_VERSION: string = process.versions['tz'] ?? 'unknown';

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(tz: string): Intl.DateTimeFormat {
  let format = formats.get(tz);
  if (format !== undefined) return format;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: tz,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new RangeError(
      `Found the zone ${JSON.stringify(tz)}; an IANA name like Europe/Berlin or UTC would be right.`,
    );
  }
  formats.set(tz, format);
  return format;
}

/** What a clock in the zone is ahead of UTC at an instant. @throws RangeError for a zone that is not known */
export function offsetAt(at: Micros, tz: string): Micros {
  if (tz === 'UTC') return 0;
  const second = Math.floor(at / SECOND);
  const shown: Record<string, number> = {};
  for (const { type, value } of formatOf(tz).formatToParts(second * 1000)) shown[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, shown['second'] ?? 0) * 1000 - second * SECOND;
}

export function toLocal(at: Micros, tz: string): LocalMicros {
  return at + offsetAt(at, tz);
}

/** The first instant at which the clock shows that time; where it skips over it, the first instant after. */
export function toInstant(local: LocalMicros, tz: string): Micros {
  if (tz === 'UTC') return local;
  const offsets = [offsetAt(local - DAY, tz), offsetAt(local + DAY, tz)];
  const shown = offsets.map((offset) => local - offset).filter((at) => toLocal(at, tz) === local);
  if (shown.length > 0) return Math.min(...shown);
  let before = local - Math.max(...offsets) - HOUR;
  let after = local - Math.min(...offsets) + HOUR;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (toLocal(middle, tz) >= local) after = middle;
    else before = middle;
  }
  return after;
}

/** A stretch in which the offset does not change, and the offset before it. */
export interface OffsetSpan {
  readonly from: Micros;
  readonly to: Micros;
  readonly offset: Micros;
  readonly offsetBefore: Micros;
}

/** [from, to) cut where the zone's clock is put forward or back. */
export function offsetSpans(from: Micros, to: Micros, tz: string): OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let start = from;
  let offset = offsetAt(from, tz);
  let offsetBefore = offset;
  for (let at = from; at < to;) {
    const next = Math.min(at + 6 * HOUR, to);
    if (offsetAt(next, tz) !== offset && next < to + 1) {
      const turn = firstOther(at, next, offset, tz);
      if (turn >= to) break;
      spans.push({ from: start, to: turn, offset, offsetBefore });
      [start, offsetBefore, offset] = [turn, offset, offsetAt(turn, tz)];
      at = turn;
    } else at = next;
  }
  spans.push({ from: start, to, offset, offsetBefore });
  return spans;
}

/** The first instant in (same, other] with another offset; clocks change on whole seconds. */
function firstOther(same: Micros, other: Micros, offset: Micros, tz: string): Micros {
  let [before, after] = [Math.floor(same / SECOND), Math.ceil(other / SECOND)];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle * SECOND, tz) === offset) before = middle;
    else after = middle;
  }
  return after * SECOND;
}

const LOCAL = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/;

/**
 * A local date (`2026-03-01`, its midnight) or date and time (`2026-03-01T06:30`), as a wall clock's time.
 * @throws RangeError for what the calendar does not have
 */
export function parseLocal(text: string): LocalMicros {
  const parts = LOCAL.exec(text)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts ?? [];
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  const isRight = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  if (parts === undefined || !isRight || minute > 59 || second > 59) {
    throw new RangeError(
      `Found the date ${JSON.stringify(text.slice(0, 60))}; 2026-03-01 or 2026-03-01T06:30 would be right.`,
    );
  }
  return date.getTime() * 1000;
}

export const UNIT_OF = { minute: MINUTE, hour: HOUR } as const;
