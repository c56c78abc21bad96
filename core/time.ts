/** An instant or a span in microseconds, UTC, since 1970-01-01T00:00:00Z. A safe integer, so between 1684 and 2255. */
export type Micros = number;

export const SECOND: Micros = 1_000_000;
export const MINUTE: Micros = 60 * SECOND;
export const HOUR: Micros = 60 * MINUTE;
export const DAY: Micros = 24 * HOUR;

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?$/;

/**
 * The instant that a timestamp names, in any form met on Ceilometer's wire: `T` or a space between date and time, up to
 * nine digits of fraction (cut after the sixth), `Z`, `+02:00`, `+0200`, or no zone at all, which means UTC.
 * @throws RangeError that says what was found and what would be right
 */
export function parseTimestamp(text: string): Micros {
  const parts = TIMESTAMP.exec(text);
  if (parts === null)
    throw wrongTimestamp(text, 'a timestamp like 2016-04-13T09:51:24.512345 or 2016-04-13T09:51:24+02:00');
  const [, year, month, day, hour, minute, second, fraction, sign, zoneHour, zoneMinute] = parts;
  if (!isDate(Number(year), Number(month), Number(day))) throw wrongTimestamp(text, 'a date that the calendar has');
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    throw wrongTimestamp(text, 'a time from 00:00:00 to 23:59:59');
  }
  let at = dayNumber(Number(year), Number(month), Number(day)) * DAY;
  at += Number(hour) * HOUR + Number(minute) * MINUTE + Number(second) * SECOND;
  if (fraction !== undefined) at += Number(fraction.slice(0, 6).padEnd(6, '0'));
  if (sign !== undefined) {
    if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) throw wrongTimestamp(text, 'an offset from -23:59 to +23:59');
    const offset = Number(zoneHour) * HOUR + Number(zoneMinute) * MINUTE;
    at += sign === '+' ? -offset : offset;
  }
  if (!Number.isSafeInteger(at)) throw wrongTimestamp(text, 'a year from 1685 to 2254');
  return at;
}

/** Naive ISO as Ceilometer's polls write it, meaning UTC; microseconds are left out when zero: `2016-04-13T09:51:24`. */
export function formatTimestamp(at: Micros): string {
  if (!Number.isSafeInteger(at)) {
    throw new RangeError(`Found the instant ${at}; a safe integer of microseconds since 1970 would be right.`);
  }
  const seconds = Math.floor(at / SECOND);
  const micros = at - seconds * SECOND;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return micros === 0 ? text : `${text}.${String(micros).padStart(6, '0')}`;
}

/** As `formatTimestamp`, with the zone said: `2016-04-13T09:51:24.512345Z`. */
export function formatInstant(at: Micros): string {
  return `${formatTimestamp(at)}Z`;
}

function wrongTimestamp(text: string, right: string): RangeError {
  return new RangeError(`Found the timestamp ${JSON.stringify(text.slice(0, 60))}; ${right} would be right.`);
}

function isDate(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since 1970-01-01, proleptic Gregorian. Years start in March here, so that the leap day is a year's last. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
}

/** From the largest; also the order in which a duration names them. */
const UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', 1000],
  ['us', 1],
] as const;

const NUMBER = '(\\d+(?:\\.\\d+)?)';
const SHORT = new RegExp(`^${UNITS.map(([unit]) => `(?:${NUMBER}${unit}(?![a-z]))?`).join('')}$`);
const ISO = new RegExp(`^P(?:${NUMBER}D)?(?:T(?=\\d)(?:${NUMBER}H)?(?:${NUMBER}M)?(?:${NUMBER}S)?)?$`);

/**
 * A span as people write it in a configuration: `20m`, `90s`, `500ms`, `1h30m`, `1.5h`, `2d`, or ISO 8601 (`PT20M`, `P1DT2H`).
 * Rounded to microseconds.
 * @throws RangeError that says what was found and what would be right; a bare number lacks its unit
 */
export function parseDuration(text: string): Micros {
  if (/^\d+(\.\d+)?$/.test(text)) {
    throw wrongDuration(text, `a number with its unit, for example ${text}s or ${text}m,`);
  }
  const counts = (SHORT.exec(text) ?? ISO.exec(text))?.slice(1);
  if (counts === undefined || counts.every((count) => count === undefined)) {
    throw wrongDuration(text, 'a duration like 20m, 90s, 500ms, 1h30m, 2d or PT20M');
  }
  const span = UNITS.reduce((sum, [, size], i) => sum + Math.round(Number(counts[i] ?? 0) * size), 0);
  if (!Number.isSafeInteger(span)) throw wrongDuration(text, 'at most 104249d');
  return span;
}

/** The shortest text that `parseDuration` reads back: `1h30m`, `500ms`, `0s`; a leading `-` when the span is negative. */
export function formatDuration(micros: Micros): string {
  if (micros < 0) return `-${formatDuration(-micros)}`;
  let rest = Math.round(micros);
  let text = '';
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}

function wrongDuration(text: string, right: string): RangeError {
  return new RangeError(`Found the duration ${JSON.stringify(text.slice(0, 60))}; ${right} would be right.`);
}
