import t from 'tap';
import { isIntegerLiteral, numberText, numberText12, pythonFloat } from './number-literal.ts';

/** literal, text of Python 3, text of Python 2's `str` (12 significant digits). Checked against CPython 3.11 and 2.7. */
const CASES = `
  1                        1                        1
  -0                       0                        0
  18446744073709551616     18446744073709551616     18446744073709551616
  1.0                      1.0                      1.0
  1.10                     1.1                      1.1
  -0.0                     -0.0                     -0.0
  0e0                      0.0                      0.0
  1e3                      1000.0                   1000.0
  1E+05                    100000.0                 100000.0
  0.30000000000000004      0.30000000000000004      0.3
  -0.3333333333333333      -0.3333333333333333      -0.333333333333
  0.0001                   0.0001                   0.0001
  0.00012345678901234      0.00012345678901234      0.000123456789012
  0.00001                  1e-05                    1e-05
  1.5e-7                   1.5e-07                  1.5e-07
  99999999999.0            99999999999.0            99999999999.0
  100000000000.0           100000000000.0           1e+11
  123456789012.5           123456789012.5           1.23456789012e+11
  123456789013.5           123456789013.5           1.23456789014e+11
  12345678901.25           12345678901.25           12345678901.2
  12345678901.75           12345678901.75           12345678901.8
  2252845595505.0          2252845595505.0          2.25284559550e+12
  2252845595505000.0       2252845595505000.0       2.2528455955e+15
  12345678900.25           12345678900.25           12345678900.2
  999999999999.5           999999999999.5           1e+12
  9999999999999998.0       9999999999999998.0       1e+16
  1e15                     1000000000000000.0       1e+15
  1e16                     1e+16                    1e+16
  12345678901234567.0      1.2345678901234568e+16   1.23456789012e+16
  1e21                     1e+21                    1e+21
  1e100                    1e+100                   1e+100
  5e-324                   5e-324                   4.94065645841e-324
  1.7976931348623157e308   1.7976931348623157e+308  1.79769313486e+308
  1e400                    inf                      inf
  -1e400                   -inf                     -inf
  1e-400                   0.0                      0.0
  NaN                      nan                      nan
  Infinity                 inf                      inf
  -Infinity                -inf                     -inf
`;

void t.test('a number literal signs as the text that Python printed', async (t) => {
  for (const line of CASES.trim().split('\n')) {
    const [literal = '', python3, python2] = line.trim().split(/\s+/);
    t.equal(numberText(literal), python3, `${literal} under Python 3`);
    t.equal(numberText12(literal), python2, `${literal} under Python 2`);
  }
});

void t.test('a literal without point and exponent is an integer', async (t) => {
  t.same(['1', '-7', '1.0', '1e3', '1E3', 'NaN', '-Infinity'].map(isIntegerLiteral), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

void t.test('the shortest form of a double reads back as the same double', async (t) => {
  for (const value of [0.1, 1 / 3, 1e15, 1e16, 123456789.123, 2 ** 60, 1e-5, 5e-324, -273.15]) {
    t.equal(Number(pythonFloat(value)), value);
  }
});
