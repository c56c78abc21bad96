/**
 * Numbers as Ceilometer's Python turns them into text before signing. See `test/fixtures/ceilometer` for the vectors.
 *
 *     literal                      text                     py2-2015.1 outside arrays
 *     1, -7, 18446744073709551616  as spelled (-0 is 0)     the same
 *     1.0, 1.10, 1e3               1.0, 1.1, 1000.0         the same
 *     0.30000000000000004          0.30000000000000004      0.3
 *     1e15                         1000000000000000.0       1e+15
 *     1e16, 1e-5                   1e+16, 1e-05             the same
 *     NaN, Infinity, 1e400         nan, inf, inf            the same
 */

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** No point and no exponent: Python reads an int of any size. */
export function isIntegerLiteral(literal: string): boolean {
  const first = literal.charCodeAt(0) === MINUS ? 1 : 0;
  for (let i = first; i < literal.length; i++) {
    const code = literal.charCodeAt(i);
    if (code < ZERO || code > NINE) return false;
  }
  return literal.length > first;
}

/** The text of a number literal, newest algorithm (and inside arrays the older ones too). */
export function numberText(literal: string): string {
  return isIntegerLiteral(literal) ? integerText(literal) : pythonFloat(Number(literal));
}

/** The text of a number literal as Python 2 printed it: floats with 12 significant digits. */
export function numberText12(literal: string): string {
  return isIntegerLiteral(literal) ? integerText(literal) : pythonFloat12(Number(literal));
}

function integerText(literal: string): string {
  return literal === '-0' ? '0' : literal;
}

/** A double in Python's shortest form that reads back the same: `1.0`, `0.0001`, `1e-05`, `1e+16`, `-0.0`, `nan`, `inf`. */
export function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (size < 1e16 && size >= 1e-4) return Number.isInteger(value) ? `${value}.0` : String(value);
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (!Number.isFinite(value)) return notFinite(value);
  return twoDigitExponent(value.toExponential());
}

/** A double as Python 2's `str` printed it: `%.12g`, with `.0` where it would look like an int, exponent from 1e11 up. */
function pythonFloat12(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return pythonFloat(value);
  const [mantissa = '', power = ''] = roundedTo12(value).split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 11) return twoDigitExponent(`${mantissa}e${power}`);
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  return `${sign}${digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')}.${digits.slice(exponent + 1) || '0'}`;
}

/**
 * `d.ddde+x`, at most 12 digits, without zeros at the end. JavaScript rounds a tie away from zero, Python to the even digit:
 * 12345678901.25 is `...1.2`. For integers below 1e15 it then forgot to take the zeros off: 2252845595505.0 is
 * `2.25284559550e+12`.
 */
function roundedTo12(value: number): string {
  // oxlint-disable-next-line oxc/number-arg-out-of-range -- up to 100 digits since ES2018, and a tie shows only in all of them
  const tie = /^(-?\d\.\d{10}[02468])50*(e.*)$/.exec(value.toExponential(60));
  if (tie !== null && Number.isInteger(value) && Math.abs(value) < 1e15) return `${tie[1]}${tie[2]}`;
  const rounded = tie === null ? value.toExponential(11) : `${tie[1]}${tie[2]}`;
  return rounded.replace(/\.?0+e/, 'e');
}

function twoDigitExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function notFinite(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  return value > 0 ? 'inf' : '-inf';
}
