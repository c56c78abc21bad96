import t from 'tap';
import {
  DAY,
  formatDuration,
  formatInstant,
  formatTimestamp,
  HOUR,
  MINUTE,
  parseDuration,
  parseTimestamp,
  SECOND,
} from './time.ts';

const AT = Date.UTC(2016, 3, 13, 9, 51, 24) * 1000;

void t.test('every form of timestamp that Ceilometer ever sent names its instant', async (t) => {
  const forms: [string, number][] = [
    ['2016-04-13T09:51:24.512345', AT + 512_345],
    ['2016-04-13T09:51:24.512345+00:00', AT + 512_345],
    ['2016-04-13T09:51:24Z', AT],
    ['2016-04-13 09:51:24.512345', AT + 512_345],
    ['2016-04-13 09:51:24', AT],
    ['2016-04-13T11:51:24+02:00', AT],
    ['2016-04-13T04:21:24-0530', AT],
    ['2016-04-14T09:50:24+23:59', AT],
    ['2016-04-13T09:51:24.5', AT + 500_000],
    ['2016-04-13T09:51:24.000001Z', AT + 1],
    ['2016-04-13T09:51:24.123456789', AT + 123_456],
    ['2016-04-13T09:51:24.999999999', AT + 999_999],
  ];
  for (const [text, at] of forms) t.equal(parseTimestamp(text), at, text);
});

void t.test('the calendar agrees with the engine on every day from 1685 to 2254', async (t) => {
  let wrong = 0;
  const last = Date.UTC(2254, 11, 31);
  for (let ms = Date.UTC(1685, 0, 1); ms <= last; ms += 86_400_000) {
    const text = new Date(ms).toISOString().slice(0, 19);
    if (parseTimestamp(text) !== ms * 1000 || formatTimestamp(ms * 1000) !== text) wrong++;
  }
  t.equal(wrong, 0);
});

void t.test('days and times that do not exist are refused', async (t) => {
  const right: [string, RegExp][] = [
    ['2015-02-29T00:00:00', /calendar/],
    ['1900-02-29T00:00:00', /calendar/],
    ['2016-04-31T00:00:00', /calendar/],
    ['2016-13-01T00:00:00', /calendar/],
    ['2016-00-01T00:00:00', /calendar/],
    ['2016-01-00T00:00:00', /calendar/],
    ['2016-01-01T24:00:00', /00:00:00 to 23:59:59/],
    ['2016-01-01T00:60:00', /00:00:00 to 23:59:59/],
    ['2016-12-31T23:59:60', /00:00:00 to 23:59:59/],
    ['2016-01-01T00:00:00+24:00', /offset/],
    ['2016-01-01T00:00:00+00:60', /offset/],
    ['9999-12-31T23:59:59', /year from 1685 to 2254/],
    ['0001-01-01T00:00:00', /year from 1685 to 2254/],
  ];
  for (const [text, message] of right) {
    t.throws(() => parseTimestamp(text), { name: 'RangeError', message }, text);
    t.throws(() => parseTimestamp(text), { message: new RegExp(text.slice(0, 19)) }, 'names what was found');
  }
  t.equal(parseTimestamp('2016-02-29T00:00:00') - parseTimestamp('2016-02-28T00:00:00'), DAY);
});

void t.test('other text is refused', async (t) => {
  const texts = [
    '',
    'now',
    '2016-04-13',
    '2016-04-13T09:51',
    '2016-4-13T09:51:24',
    '2016-04-13T09:51:24.',
    '1460541084',
  ];
  for (const text of [
    ...texts,
    '2016-04-13T09:51:24.1234567890',
    ' 2016-04-13T09:51:24',
    '2016-04-13T09:51:24Z\n',
    '2016-04-13T09:51:24+02',
  ]) {
    t.throws(() => parseTimestamp(text), { name: 'RangeError', message: /a timestamp like/ }, JSON.stringify(text));
  }
});

void t.test('an instant is written as Ceilometer writes it, microseconds left out when zero', async (t) => {
  t.equal(formatTimestamp(AT + 512_345), '2016-04-13T09:51:24.512345');
  t.equal(formatTimestamp(AT + 40), '2016-04-13T09:51:24.000040');
  t.equal(formatTimestamp(AT), '2016-04-13T09:51:24');
  t.equal(formatInstant(AT + 1), '2016-04-13T09:51:24.000001Z');
  t.equal(formatInstant(-1), '1969-12-31T23:59:59.999999Z', 'before 1970 too');
  for (const at of [0.5, NaN, Infinity, 2 ** 53]) t.throws(() => formatTimestamp(at), { name: 'RangeError' });
});

void t.test('what is written is read back to the microsecond, at the edges too', async (t) => {
  for (const at of [0, -1, 1, AT + 999_999, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    t.equal(parseTimestamp(formatTimestamp(at)), at);
    t.equal(parseTimestamp(formatInstant(at)), at);
  }
});

void t.test('a duration is read as people write it', async (t) => {
  const durations: [string, number][] = [
    ['20m', 20 * MINUTE],
    ['90s', 90 * SECOND],
    ['500ms', 500_000],
    ['250us', 250],
    ['1h30m', 90 * MINUTE],
    ['2d', 2 * DAY],
    ['1d2h3m4s5ms6us', DAY + 2 * HOUR + 3 * MINUTE + 4_005_006],
    ['1.5h', 90 * MINUTE],
    ['0.1s', 100_000],
    ['0s', 0],
    ['5m1ms', 5 * MINUTE + 1000],
    ['PT20M', 20 * MINUTE],
    ['P1DT2H', 26 * HOUR],
    ['PT0.5S', 500_000],
    ['P2D', 2 * DAY],
  ];
  for (const [text, span] of durations) t.equal(parseDuration(text), span, text);
});

void t.test('a bare number lacks its unit, and the message says so', async (t) => {
  t.throws(() => parseDuration('60'), {
    name: 'RangeError',
    message: 'Found the duration "60"; a number with its unit, for example 60s or 60m, would be right.',
  });
});

void t.test('what is no duration is refused', async (t) => {
  const texts = [
    '',
    'P',
    'PT',
    'P1DT',
    '1x',
    'm',
    '30m1h',
    '1m1m',
    '-5m',
    '5 m',
    '5M',
    'P1M',
    'P1Y',
    '1e3s',
    '.5s',
    '5.s',
    'ten minutes',
  ];
  for (const text of texts) {
    t.throws(() => parseDuration(text), { name: 'RangeError', message: /a duration like 20m/ }, JSON.stringify(text));
  }
  t.throws(() => parseDuration('200000d'), { name: 'RangeError', message: /at most/ });
});

void t.test('a duration is written short, and read back the same', async (t) => {
  const texts = ['0s', '20m', '1m30s', '500ms', '250us', '1h30m', '2d', '1d2h3m4s5ms6us'];
  for (const text of texts) t.equal(formatDuration(parseDuration(text)), text);
  t.equal(formatDuration(-90 * MINUTE), '-1h30m');
});
