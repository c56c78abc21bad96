import t from 'tap';
import { HOUR, ManualClock, MINUTE, parseTimestamp, SECOND } from '@nephometer/core';
import type { Clock, Micros } from '@nephometer/core';
import { cronTimes } from './cron.ts';
import { CronTimer, IntervalTimer, spreadOf } from './scheduler.ts';

const at = (text: string): Micros => parseTimestamp(text);

interface Ticked {
  readonly slot: Micros;
  readonly steady: Micros;
  readonly newEpoch: boolean;
}

function recorder(clock: ManualClock): {
  ticks: Ticked[];
  missed: Micros[];
  events: { tick: (slot: Micros, newEpoch: boolean) => void; missed: (slot: Micros) => void };
} {
  const ticks: Ticked[] = [];
  const missed: Micros[] = [];
  return {
    ticks,
    missed,
    events: {
      tick: (slot, newEpoch) => void ticks.push({ slot, steady: clock.monotonic(), newEpoch }),
      missed: (slot) => void missed.push(slot),
    },
  };
}

const slotsOf = (ticks: readonly Ticked[]): Micros[] => ticks.map(({ slot }) => slot);

t.test('the first tick is at once, for the slot that it is; the next ones at their slots', async (t) => {
  const clock = new ManualClock(at('2026-03-01T00:00:07'));
  const { ticks, events } = recorder(clock);
  const timer = new IntervalTimer(clock, 10 * SECOND, SECOND / 2, events);
  timer.start();
  t.same(ticks, [{ slot: at('2026-03-01T00:00:00'), steady: 0, newEpoch: false }]);
  await clock.advance(24 * SECOND);
  t.same(slotsOf(ticks).slice(1), [at('2026-03-01T00:00:10'), at('2026-03-01T00:00:20'), at('2026-03-01T00:00:30')]);
  t.same(
    ticks.slice(1).map(({ steady }) => steady),
    [3.5 * SECOND, 13.5 * SECOND, 23.5 * SECOND],
    'at the slot and the own delay',
  );
  timer.stop();
  await clock.advance(MINUTE);
  t.equal(ticks.length, 4);
});

t.test('a clock set ahead an hour changes the labels and not the cadence', async (t) => {
  const clock = new ManualClock(at('2026-03-01T00:00:00'));
  const { ticks, missed, events } = recorder(clock);
  new IntervalTimer(clock, 10 * SECOND, 0, events).start();
  await clock.advance(20 * SECOND);
  clock.jump(HOUR);
  await clock.advance(20 * SECOND);
  t.same(
    ticks.map(({ steady }) => steady),
    [0, 10, 20, 30, 40].map((second) => second * SECOND),
  );
  t.same(slotsOf(ticks).slice(3), [at('2026-03-01T01:00:30'), at('2026-03-01T01:00:40')]);
  t.notOk(ticks.some(({ newEpoch }) => newEpoch));
  t.same(missed, []);
});

t.test('a clock set back an hour begins a new epoch, so that no epoch has a slot twice', async (t) => {
  const clock = new ManualClock(at('2026-03-01T02:00:00'));
  const { ticks, events } = recorder(clock);
  new IntervalTimer(clock, 10 * SECOND, 0, events).start();
  await clock.advance(20 * SECOND);
  clock.jump(-HOUR);
  await clock.advance(20 * SECOND);
  t.same(
    ticks.map(({ steady }) => steady),
    [0, 10, 20, 30, 40].map((second) => second * SECOND),
  );
  t.same(slotsOf(ticks).slice(3), [at('2026-03-01T01:00:30'), at('2026-03-01T01:00:40')]);
  t.same(
    ticks.map(({ newEpoch }) => newEpoch),
    [false, false, false, true, false],
  );
});

t.test('a second of slew leans the cadence by at most a tenth and doubles nothing', async (t) => {
  for (const slew of [SECOND, -SECOND, 3 * SECOND, -3 * SECOND]) {
    const clock = new ManualClock(at('2026-03-01T00:00:00'));
    const { ticks, missed, events } = recorder(clock);
    new IntervalTimer(clock, 10 * SECOND, 0, events).start();
    await clock.advance(20 * SECOND);
    clock.jump(slew);
    await clock.advance(100 * SECOND);
    const slots = slotsOf(ticks);
    t.same(
      slots,
      slots.map((_slot, index) => at('2026-03-01T00:00:00') + index * 10 * SECOND),
    );
    const gaps = ticks.slice(1).map(({ steady }, index) => steady - (ticks[index]?.steady ?? 0));
    t.ok(gaps.every((gap) => gap >= 9 * SECOND && gap <= 11 * SECOND));
    t.equal(gaps.at(-1), 10 * SECOND, 'aligned again');
    t.same(missed, []);
  }
});

t.test('what passed while the process slept is told as missed, and the latest slot runs', async (t) => {
  const clock = new ManualClock(at('2026-03-01T00:00:00'));
  const { ticks, missed, events } = recorder(clock);
  // A timer that fires late: the event loop was blocked for 35 seconds.
  let late = 0;
  const sleepy = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (delay: Micros, call: () => void) => clock.after(delay + late, call),
  };
  new IntervalTimer(sleepy, 10 * SECOND, 0, events).start();
  late = 35 * SECOND;
  await clock.advance(10 * SECOND);
  late = 0;
  await clock.advance(60 * SECOND);
  const zero = at('2026-03-01T00:00:00');
  t.same(missed.map((slot) => (slot - zero) / SECOND).slice(0, 3), [20, 30, 40]);
  const all = [...slotsOf(ticks), ...missed].sort((a, b) => a - b);
  t.same(
    all,
    all.map((_slot, index) => zero + index * 10 * SECOND),
    'every slot once',
  );
});

t.test('the spread is the same for an agent at every start, and different for others', async (t) => {
  t.equal(spreadOf('agent-1', 60 * SECOND, undefined), spreadOf('agent-1', 60 * SECOND, undefined));
  const delays = Array.from({ length: 1000 }, (_, n) => spreadOf(`agent-${n}`, 60 * SECOND, undefined));
  t.ok(delays.every((delay) => delay >= 0 && delay < 5 * SECOND));
  t.ok(Math.max(...delays) > 4.9 * SECOND && Math.min(...delays) < 0.1 * SECOND);
  t.ok(Array.from({ length: 99 }, (_, n) => spreadOf(`a${n}`, 10 * SECOND, undefined)).every((d) => d < SECOND));
  t.equal(spreadOf('agent-1', 60 * SECOND, 0), 0);
});

t.test('a cron source ticks at the times of its expression', async (t) => {
  const clock = new ManualClock(at('2026-03-01T00:03:00'));
  const { ticks, events } = recorder(clock);
  const timer = new CronTimer(clock, cronTimes('*/5 * * * *'), 0, events);
  timer.start();
  await clock.advance(13 * MINUTE);
  t.same(slotsOf(ticks), [at('2026-03-01T00:05:00'), at('2026-03-01T00:10:00'), at('2026-03-01T00:15:00')]);
  t.same(
    ticks.map(({ steady }) => steady),
    [2, 7, 12].map((minute) => minute * MINUTE),
  );
  timer.stop();
});

t.test('a cron source whose clock is set back waits for its last slot to pass; ahead, it ticks once', async (t) => {
  const clock = new ManualClock(at('2026-03-01T12:00:00'));
  const { ticks, events } = recorder(clock);
  new CronTimer(clock, cronTimes('*/10 * * * *'), 0, events).start();
  await clock.advance(10 * MINUTE);
  clock.jump(-HOUR);
  await clock.advance(65 * MINUTE);
  t.same(slotsOf(ticks), [at('2026-03-01T12:10:00')]);
  await clock.advance(10 * MINUTE);
  t.same(slotsOf(ticks).slice(1), [at('2026-03-01T12:20:00')]);
  clock.jump(HOUR);
  await clock.advance(2 * MINUTE);
  t.same(slotsOf(ticks).slice(2), [at('2026-03-01T13:20:00')]);
});

t.test('a timer that fires a little early neither repeats a slot nor begins an epoch', async (t) => {
  const hand = new ManualClock(at('2026-03-01T00:00:00'));
  const { ticks, missed, events } = recorder(hand);
  const early: Clock = {
    now: () => hand.now(),
    monotonic: () => hand.monotonic(),
    after: (delay, call) => hand.after(delay - 300, call),
  };
  new IntervalTimer(early, 10 * SECOND, 0, events).start();
  await hand.advance(35 * SECOND);
  const slots = slotsOf(ticks);
  t.equal(new Set(slots).size, slots.length, 'no slot twice');
  t.notOk(ticks.some(({ newEpoch }) => newEpoch));
  t.same(missed, []);
});
