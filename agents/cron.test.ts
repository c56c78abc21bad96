import t from 'tap';
import { HOUR, parseTimestamp } from '@nephometer/core';
import { cronTimes } from './cron.ts';

const at = (text: string): number => parseTimestamp(text);

t.test('the next time is after the given one, in UTC unless a zone is named', async (t) => {
  const every5 = cronTimes('*/5 * * * *');
  t.equal(every5.next(at('2026-03-01T00:00:00'), at('2026-03-01T01:00:00')), at('2026-03-01T00:05:00'));
  t.equal(every5.next(at('2026-03-01T00:04:59.9'), at('2026-03-01T01:00:00')), at('2026-03-01T00:05:00'));
  t.equal(every5.next(at('2026-03-01T00:00:01'), at('2026-03-01T00:03:00')), null);
  const noon = cronTimes('0 12 * * *', 'Europe/Berlin');
  const from = at('2026-07-01T09:30:00');
  t.equal(noon.next(from, from + HOUR), at('2026-07-01T10:00:00'));
});

t.test('a field of seconds is allowed', async (t) => {
  const times = cronTimes('15,45 * * * * *');
  const start = at('2026-03-01T00:00:00');
  t.equal(times.next(start, start + HOUR), at('2026-03-01T00:00:15'));
  t.equal(times.next(at('2026-03-01T00:00:15'), start + HOUR), at('2026-03-01T00:00:45'));
  t.equal(times.next(at('2026-03-01T00:00:50'), start + HOUR), at('2026-03-01T00:01:15'));
});

t.test('what is wrong is said', async (t) => {
  t.throws(() => cronTimes('61 * * * *'), /is not a cron expression/);
  t.throws(() => cronTimes('* * * * *', 'Mars/Olympus'), /time zone "Mars\/Olympus"/);
});
