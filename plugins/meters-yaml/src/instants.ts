const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?(?:Z|([+-])(\d\d):?(\d\d))?$/;

/** Microseconds since 1970, UTC, of a timestamp as services write it; without a zone it is UTC. Null when it is none. */
export function instantOf(text: string): bigint | null {
  const parts = INSTANT.exec(text);
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour, zoneMinute] = parts;
  const utc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const offset = (Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)) * 60_000 * (sign === '-' ? -1 : 1);
  return BigInt(utc - offset) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

/** The seconds between two instants, whichever is first, as a decimal literal: `6.985999`, `60.0`. */
export function secondsBetween(a: bigint, b: bigint): string {
  const span = a > b ? a - b : b - a;
  const fraction = String(span % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${span / 1_000_000n}.${fraction === '' ? '0' : fraction}`;
}
