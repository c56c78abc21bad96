/**
 * Names of units as FOCUS writes them (UnitFormat): data sizes as they are, times and counts as capitalised words, the
 * plural where a unit stands alone, `GiB-Hours` for what is held over time, `GiB/Second` for a rate.
 */
const WORDS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  h: ['Hour', 'Hours'],
  min: ['Minute', 'Minutes'],
  s: ['Second', 'Seconds'],
  ms: ['Millisecond', 'Milliseconds'],
  us: ['Microsecond', 'Microseconds'],
  // Shorter than any unit of time that FOCUS names: a definition with a conversion gives hours or seconds.
  ns: ['Nanosecond', 'Nanoseconds'],
  d: ['Day', 'Days'],
  '%': ['Percent', 'Percent'],
  vcpu: ['vCPU', 'vCPUs'],
  ip: ['IP Address', 'IP Addresses'],
  resource: ['Resource', 'Resources'],
};

const DATA_SIZE = /^([KMGTPE]i?)?[Bb]$/;
const SMALL_K = /^k(?=[Bb]$)/;

export function focusUnit(unit: string | null): string {
  if (unit === null) return 'Units';
  const [above = '', below] = unit.split('/');
  if (below !== undefined) return `${simple(above, 1)}/${simple(below, 0)}`;
  const factors = above.split('.');
  const last = factors.length - 1;
  return factors.map((factor, i) => simple(factor, i === last ? 1 : 0)).join('-');
}

function simple(unit: string, form: 0 | 1): string {
  const word = WORDS[unit];
  if (word !== undefined) return word[form];
  const size = unit.replace(SMALL_K, 'K');
  if (DATA_SIZE.test(size)) return size;
  if (!/^[a-z]+$/i.test(unit)) return unit;
  const one = unit.charAt(0).toUpperCase() + unit.slice(1);
  return form === 0 || one.endsWith('s') ? one : `${one}s`;
}
