import t from 'tap';
import { formatInstant, HOUR, MINUTE } from '../../time.ts';
import { cutWindows, parseAnchor, resolveInstant } from './windows.ts';
import type { WindowQuery } from './windows.ts';
import { toLocal } from './zone.ts';

function cut(from: string, to: string, window: WindowQuery['window'], tz: string, anchor?: string) {
  return cutWindows({
    from: resolveInstant(from, tz),
    to: resolveInstant(to, tz),
    window,
    tz,
    ...(anchor === undefined ? {} : { anchor: parseAnchor(anchor) }),
  });
}

const hours = (windows: readonly { from: number; to: number }[]) => windows.map(({ from, to }) => (to - from) / HOUR);
const local = (windows: readonly { from: number }[], tz: string) =>
  windows.map(({ from }) => formatInstant(toLocal(from, tz)).slice(0, 16));

void t.test('months are those of the zone: a Berlin March has 743 hours, an October 745', async (t) => {
  const year = cut('2026-01-01', '2027-01-01', 'month', 'Europe/Berlin');
  t.same(hours(year), [744, 672, 743, 720, 744, 720, 744, 744, 720, 745, 720, 744]);
  t.equal(formatInstant(year[3]?.from ?? 0), '2026-03-31T22:00:00Z');
});

void t.test('a day of a clock change has 23 or 25 hours, and its hours are each an hour', async (t) => {
  t.same(hours(cut('2026-03-28', '2026-03-31', 'day', 'Europe/Berlin')), [24, 23, 24]);
  t.same(hours(cut('2026-10-24', '2026-10-27', 'day', 'Europe/Berlin')), [24, 25, 24]);
  t.same(hours(cut('2026-10-25', '2026-10-26', 'hour', 'Europe/Berlin')), Array(25).fill(1));
});

void t.test('Lord Howe changes by half an hour, Kathmandu stands a quarter off', async (t) => {
  t.same(hours(cut('2026-04-05', '2026-04-06', 'day', 'Australia/Lord_Howe')), [24.5]);
  t.same(hours(cut('2026-10-04', '2026-10-05', 'day', 'Australia/Lord_Howe')), [23.5]);
  const back = hours(cut('2026-04-05', '2026-04-06', 'hour', 'Australia/Lord_Howe'));
  t.same(back.slice(0, 4), [1, 1.5, 1, 1], 'the hour that is repeated by half is longer by half');
  const forward = hours(cut('2026-10-04', '2026-10-05', 'hour', 'Australia/Lord_Howe'));
  t.same(forward.slice(0, 4), [1, 1, 0.5, 1]);
  const [first, second] = cut('2026-05-01', '2026-05-02', 'hour', 'Asia/Kathmandu');
  t.equal(formatInstant(first?.from ?? 0), '2026-04-30T18:15:00Z');
  t.equal((second?.from ?? 0) - (first?.from ?? 0), HOUR);
});

void t.test('a midnight that does not come is the first instant after it', async (t) => {
  // Santiago puts its clock forward at midnight of Sunday, 6 September 2026.
  const days = cut('2026-09-05', '2026-09-08', 'day', 'America/Santiago');
  t.same(hours(days), [24, 23, 24]);
  t.same(local(days, 'America/Santiago'), ['2026-09-05T00:00', '2026-09-06T01:00', '2026-09-07T00:00']);
});

void t.test('a midnight that comes twice is the first of the two', async (t) => {
  // Havana puts its clock back from 01:00 to 00:00.
  t.same(hours(cut('2025-11-01', '2025-11-04', 'day', 'America/Havana')), [24, 25, 24]);
});

void t.test('a day that a zone leaves out has no window', async (t) => {
  // Samoa went from 29 to 31 December 2011.
  const days = cut('2011-12-28', '2012-01-02', 'day', 'Pacific/Apia');
  t.same(local(days, 'Pacific/Apia'), ['2011-12-28T00:00', '2011-12-29T00:00', '2011-12-31T00:00', '2012-01-01T00:00']);
});

void t.test('billing months start on the 31st, or on the last day there is', async (t) => {
  const tz = 'Europe/Berlin';
  const months = cut('2026-01-31', '2026-07-31', 'billing-month', tz, '31');
  t.same(
    local(months, tz).map((text) => text.slice(5, 10)),
    ['01-31', '02-28', '03-31', '04-30', '05-31', '06-30'],
  );
  t.same(local(cut('2028-01-31', '2028-04-01', 'billing-month', tz, '2028-01-31'), tz)[1], '2028-02-29T00:00');
  const noon = cut('2026-02-10T12:00', '2026-04-10T12:00', 'billing-month', tz, '10T12:00');
  t.same(hours(noon), [28 * 24, 31 * 24 - 1]);
});

void t.test('a period that starts within a window cuts it short, on both sides', async (t) => {
  const windows = cut('2026-03-03T10:20', '2026-03-05T01:00', 'day', 'UTC');
  t.same(hours(windows), [13 + 40 / 60, 24, 1]);
  t.same(hours(cut('2026-02-25', '2026-03-12', 'week', 'UTC')), [120, 168, 72], 'weeks start on Monday');
  t.equal(cut('2026-03-01', '2026-03-01T01:00', 'minute', 'UTC').length, 60);
  t.equal(cut('2026-03-01', '2026-03-02', 'none', 'UTC').length, 1);
});

void t.test('whatever the zone, windows follow each other without hole or overlap', async (t) => {
  const zones = [
    'Europe/Berlin',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Africa/Casablanca',
    'UTC',
  ];
  for (const tz of zones) {
    for (const window of ['hour', 'day', 'week', 'month', 'billing-month'] as const) {
      const [from, to] = [resolveInstant('2028-01-01', tz), resolveInstant('2029-01-01', tz)];
      const windows = cutWindows({ from, to, window, tz, anchor: { day: 31, time: 0 } });
      t.equal(windows[0]?.from, from);
      t.equal(windows.at(-1)?.to, to);
      t.ok(
        windows.every((one, i) => one.to === (windows[i + 1]?.from ?? to) && one.to > one.from),
        `${tz} ${window}`,
      );
    }
    const year = cut('2028-01-01', '2029-01-01', 'day', tz);
    t.equal(year.length, 366, `${tz}: 2028 is a leap year`);
  }
});

void t.test('February 2028 has 696 hours, 2027 and 2100 have 672', async (t) => {
  for (const tz of ['UTC', 'Europe/Berlin', 'Asia/Kathmandu']) {
    t.same(hours(cut('2028-02-01', '2028-03-01', 'month', tz)), [696], tz);
    t.same(hours(cut('2027-02-01', '2027-03-01', 'month', tz)), [672], tz);
    t.same(hours(cut('2100-02-01', '2100-03-01', 'month', tz)), [672], tz);
  }
});

void t.test('billing months tile the year, whatever the day they start on and the zone', async (t) => {
  const zones = ['UTC', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Kathmandu', 'Pacific/Chatham', 'Australia/Lord_Howe'];
  for (const tz of zones) {
    for (let day = 1; day <= 31; day++) {
      const two = String(day).padStart(2, '0');
      const windows = cut(`2027-01-${two}`, `2029-01-${two}`, 'billing-month', tz, String(day));
      const starts = Array.from({ length: 24 }, (_, i) => {
        const longest = new Date(Date.UTC(2027, i + 1, 0)).getUTCDate();
        return new Date(Date.UTC(2027, i, Math.min(day, longest))).toISOString().slice(0, 16);
      });
      t.same(local(windows, tz), starts, `${tz}: the ${day}.`);
      const ends = [...windows.slice(1).map(({ from }) => from), resolveInstant(`2029-01-${two}`, tz)];
      t.same(
        windows.map(({ to }) => to),
        ends,
        `${tz}: the ${day}., without hole or overlap`,
      );
    }
  }
});

void t.test('what is wrong is said', async (t) => {
  t.throws(() => cut('2026-01-01', '2026-01-02', 'day', 'Europe/Atlantis'), /Found the zone "Europe\/Atlantis"/);
  t.throws(() => cut('2026-01-02', '2026-01-01', 'day', 'UTC'), /an end after its start/);
  t.throws(() => resolveInstant('2026-02-30', 'UTC'), /Found the date "2026-02-30"/);
  t.throws(() => parseAnchor('32'), /Found the anchor "32"; a day from 1 to 31/);
  t.throws(() => parseAnchor('31T25:00'), /Found the anchor "31T25:00"/);
  t.throws(() => cut('2026-01-01', '2027-01-01', 'minute', 'UTC'), /more than 100000 windows/);
  t.equal(resolveInstant('2026-03-01', 'Europe/Berlin'), resolveInstant('2026-02-28T23:00:00Z', 'UTC'));
  t.equal(resolveInstant('2026-03-01T00:00:00+02:00', 'UTC') % MINUTE, 0);
});
