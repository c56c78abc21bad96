import t from 'tap';
import {
  BATCH_KEY,
  BusRefused,
  BusUnavailable,
  busNames,
  HOUR,
  ManualClock,
  MessageTooLarge,
  SECOND,
} from '@nephometer/core';
import type { BatchHeader, Bus, DroppedSamples, Micros, OutgoingMessage, Spool } from '@nephometer/core';
import { Publisher } from './publish.ts';
import { openMemorySpool } from './spool-memory.ts';
import { batch, recordingLogger } from './test-kit.ts';
import type { LogLine } from './test-kit.ts';

interface Rig {
  readonly publisher: Publisher;
  readonly spool: Spool;
  readonly clock: ManualClock;
  readonly sent: number[];
  /** Those that went beside a backlog. */
  readonly fresh: number[];
  readonly results: string[];
  readonly dropped: DroppedSamples[];
  readonly lines: LogLine[];
  readonly pass: (span: Micros) => Promise<void>;
  /** Seals a batch so long ago, and offers it. */
  readonly seal: (seq: number, age?: Micros) => Promise<void>;
}

/** A publisher on a bus that does what `answer` says for each message. */
async function rig(answer: (seq: number) => Promise<void>, backlog = 0): Promise<Rig> {
  const spool = await openMemorySpool({ maxBytes: 2 ** 26, whenFull: 'refuse-new' });
  for (let seq = 1; seq <= backlog; seq += 1) await spool.append(batch(seq));
  const clock = new ManualClock();
  const { log, lines } = recordingLogger();
  const sent: number[] = [];
  const fresh: number[] = [];
  const results: string[] = [];
  const dropped: DroppedSamples[] = [];
  const publish = async ({ body, routingKey }: OutgoingMessage): Promise<void> => {
    const { [BATCH_KEY]: header } = JSON.parse(Buffer.from(body).toString()) as { [BATCH_KEY]: BatchHeader };
    const { seq } = header;
    await answer(seq);
    sent.push(seq);
    if (routingKey === 'metering.sample') fresh.push(seq);
    else if (routingKey !== 'metering.sample.backlog') throw new TypeError(`It went to ${routingKey}.`);
  };
  const publisher = new Publisher({
    bus: { publish, status: () => ({ state: 'connected', detail: null, unconfirmed: 0 }) } as Partial<Bus> as Bus,
    names: busNames('nephometer'),
    spool,
    clock,
    log,
    resendAfter: 600 * SECOND,
    onPublished: (result) => void results.push(result),
    onDropped: (one) => void dropped.push(one),
    onFatal: () => undefined,
  });
  t.teardown(async () => {
    const drained = publisher.drain(clock.monotonic());
    await clock.advance(60 * SECOND);
    await drained;
  });
  const pass = async (span: Micros): Promise<void> => {
    for (let rest = span; rest >= 0; rest -= SECOND / 4) {
      for (let turn = 0; turn < 5; turn += 1) await clock.advance(0);
      await clock.advance(SECOND / 4);
    }
  };
  const seal = async (seq: number, age: Micros = 0): Promise<void> => {
    const one = { ...batch(seq), created: clock.now() - age };
    await spool.append(one);
    publisher.offer(one);
  };
  return { publisher, spool, clock, sent, fresh, results, dropped, lines, pass, seal };
}

t.test('a backlog goes out oldest first, each batch once', async (t) => {
  const { publisher, sent, pass } = await rig(() => Promise.resolve(), 300);
  publisher.start();
  await pass(2 * SECOND);
  t.same(
    sent,
    Array.from({ length: 300 }, (_, n) => n + 1),
  );
});

t.test('a batch just sealed does not wait for the backlog', async (t) => {
  const waiting: (() => void)[] = [];
  const slow = (seq: number): Promise<void> =>
    seq > 300 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve));
  const { publisher, spool, sent, pass } = await rig(slow, 300);
  publisher.start();
  await pass(SECOND);
  t.equal(waiting.length, 64, 'the backlog is bounded');
  const fresh = batch(301);
  await spool.append(fresh);
  publisher.offer(fresh);
  await pass(SECOND);
  t.same(sent, [301]);
  for (let round = 0; round < 6; round += 1) {
    for (const done of waiting.splice(0)) done();
    await pass(SECOND);
  }
  t.equal(sent.length, 301);
  t.equal(new Set(sent).size, 301);
});

t.test('what is fresh does not queue behind what waits for receipts, nor behind what the spool had kept', async (t) => {
  const { publisher, spool, sent, fresh, pass, seal } = await rig(() => Promise.resolve(), 3);
  publisher.start();
  await pass(SECOND);
  t.same(sent, [1, 2, 3]);
  t.same(fresh, [], 'they were sealed long ago');
  let seq = 3;
  const next = async (): Promise<void> => {
    await seal(++seq);
    await pass(SECOND);
  };
  while (seq < 20) await next();
  const usual = fresh.length;
  t.same(fresh, sent.slice(3, 3 + usual), 'the first of them');
  t.equal(usual, 5, 'those of the five seconds without a receipt, one every 1.25 s');
  t.equal(sent.length, 20, 'the others went as well');
  await spool.release(fresh.slice(1).map((n) => batch(n).digest));
  await next();
  t.equal(fresh.length, usual, 'the oldest is still waited for');
  await spool.release([batch(fresh[0] ?? 0).digest]);
  await next();
  t.same(fresh.slice(usual), [seq], 'the collectors are there again');
});

t.test(
  'a backlog that hears of no receipts is followed by a batch now and then, to learn whether it is lost',
  async (t) => {
    const { publisher, spool, sent, fresh, pass, seal } = await rig(() => Promise.resolve(), 2);
    publisher.start();
    await pass(SECOND);
    for (let seq = 3; seq <= 63; seq += 1) {
      await seal(seq);
      await pass(SECOND);
      await spool.release(fresh.map((n) => batch(n).digest));
      await pass(30 * SECOND);
    }
    const followed = sent.filter((seq) => seq > 2 && !fresh.includes(seq));
    t.ok(followed.length >= 2 && followed.length <= 4, `${followed.length} in half an hour, resend_after is 10 min`);
    t.ok(sent.filter((seq) => seq <= 2).length === 2, 'what may wait still is not sent twice');
    await spool.release(followed.slice(0, 1).map((seq) => batch(seq).digest));
    await pass(30 * SECOND);
    t.same(sent.slice(-2), [1, 2], 'what went before it is sent again');
  },
);

t.test('a clock that is set back makes nothing fresh that is not', async (t) => {
  const { publisher, spool, clock, sent, fresh, pass, seal } = await rig(() => Promise.resolve());
  publisher.start();
  let seq = 0;
  const next = async (): Promise<void> => {
    await seal(++seq);
    await pass(SECOND);
  };
  await next();
  await next();
  const early = { ...batch(1000), created: clock.now() };
  clock.jump(-HOUR);
  await spool.append(early);
  publisher.offer(early);
  await pass(SECOND);
  t.notOk(fresh.includes(1000), 'sealed an hour ahead of now');
  while (seq < 30) await next();
  t.ok(sent.length === 31 && fresh.length <= 5, `${fresh.length} of ${sent.length} while nobody receipts any`);
});

t.test('what is older than ten seconds is backlog', async (t) => {
  const { publisher, sent, fresh, pass, seal } = await rig(() => Promise.resolve());
  publisher.start();
  await pass(SECOND);
  for (const [seq, age] of [
    [1, 9],
    [2, 11],
  ] as const) {
    await seal(seq, age * SECOND);
    await pass(SECOND / 4);
  }
  t.same([sent, fresh], [[1, 2], [1]]);
});

t.test('a fresh batch that was lost beside a long backlog is found out after resend_after', async (t) => {
  const { publisher, spool, sent, fresh, pass, seal } = await rig(() => Promise.resolve());
  publisher.start();
  for (let seq = 1; seq <= 14; seq += 1) {
    await seal(seq);
    await pass(SECOND);
    // The first is lost, and nothing comes out of the backlog.
    await spool.release(fresh.filter((n) => n !== 1).map((n) => batch(n).digest));
    await pass(60 * SECOND);
  }
  t.same(fresh.slice(0, 2), [1, 11], 'one goes the short way, to learn whether the other is lost');
  t.equal(sent.filter((seq) => seq === 1).length, 2, 'it is, and was sent again');
  t.same(fresh.slice(-2), [13, 14], 'so the collectors are not behind');
});

t.test('after a failure what is new does not wait for the next look at the spool', async (t) => {
  let isAway = false;
  const { publisher, sent, pass, seal } = await rig(() =>
    isAway ? Promise.reject(new BusUnavailable('cut')) : Promise.resolve(),
  );
  publisher.start();
  await pass(SECOND);
  for (const seq of [1, 2]) {
    isAway = seq === 1;
    await seal(seq);
    await pass(SECOND / 2);
  }
  await pass(2 * SECOND);
  t.same(sent, [1, 2]);
});

t.test('what no queue takes stays, is counted, and is tried again with patience', async (t) => {
  let refuses = true;
  const { publisher, spool, sent, results, lines, pass } = await rig(
    () => (refuses ? Promise.reject(new BusRefused('no queue')) : Promise.resolve()),
    1,
  );
  publisher.start();
  await pass(30 * SECOND);
  t.equal(spool.stats().batches, 1);
  const tries = results.filter((result) => result === 'refused').length;
  t.ok(tries >= 4 && tries <= 20, `${tries} tries in 30 s`);
  t.equal(lines.filter(({ level }) => level === 'warn').length, 1, 'one line, not one a try');
  refuses = false;
  await pass(6 * SECOND);
  t.same(sent, [1]);
});

t.test('an unknown outcome is sent again within seconds', async (t) => {
  let failures = 3;
  const { publisher, sent, results, pass } = await rig(
    () => (failures-- > 0 ? Promise.reject(new BusUnavailable('cut')) : Promise.resolve()),
    1,
  );
  publisher.start();
  await pass(10 * SECOND);
  t.same(sent, [1]);
  t.same(results, ['unavailable', 'unavailable', 'unavailable', 'confirmed']);
});

t.test('a batch that the bus can never take is told as lost, and does not block the others', async (t) => {
  const { publisher, spool, sent, dropped, pass } = await rig(
    (seq) => (seq === 1 ? Promise.reject(new MessageTooLarge('too large')) : Promise.resolve()),
    3,
  );
  publisher.start();
  await pass(5 * SECOND);
  t.same(sent, [2, 3]);
  t.match(dropped, [{ reason: 'oversized', samples: 3 }]);
  t.equal(spool.stats().batches, 2);
});

t.test('a spool that cannot let go of such a batch does not end publishing, nor is the loss told twice', async (t) => {
  const { publisher, spool, sent, dropped, pass } = await rig(
    (seq) => (seq === 1 ? Promise.reject(new MessageTooLarge('too large')) : Promise.resolve()),
    2,
  );
  const release = spool.release.bind(spool);
  let isBroken = true;
  spool.release = (digests) => (isBroken ? Promise.reject(new Error('no space')) : release(digests));
  publisher.start();
  await pass(5 * SECOND);
  t.same(sent, [2]);
  t.same(dropped, []);
  isBroken = false;
  await pass(10 * SECOND);
  t.match(dropped, [{ reason: 'oversized' }]);
  t.equal(dropped.length, 1);
});

t.test('draining sends what is due, and ends in time when the broker does not answer', async (t) => {
  const quick = await rig(() => Promise.resolve(), 70);
  quick.publisher.start();
  const drained = quick.publisher.drain(quick.clock.monotonic() + 5 * SECOND);
  await quick.pass(SECOND);
  await drained;
  t.equal(quick.sent.length, 70);

  let stuck = true;
  const hanging = await rig(() => (stuck ? new Promise(() => undefined) : Promise.resolve()), 3);
  hanging.publisher.start();
  const given = hanging.publisher.drain(hanging.clock.monotonic() + 5 * SECOND).then(() => 'ended');
  await hanging.pass(6 * SECOND);
  stuck = false;
  t.equal(await Promise.race([given, Promise.resolve('still waits')]), 'ended');
});
