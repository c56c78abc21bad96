import { ManualClock, MINUTE, SECOND } from '@nephometer/core';
import type { Bus, Lane, Spool } from '@nephometer/core';
import t from 'tap';
import { ResendWatch } from './resend.ts';
import { openMemorySpool } from './spool-memory.ts';
import { batch } from './test-kit.ts';

async function rig() {
  const clock = new ManualClock();
  const spool = await openMemorySpool({ maxBytes: 2 ** 26, whenFull: 'refuse-new' });
  const broker = { connections: 1 };
  const status = () => ({ state: 'connected', detail: null, unconfirmed: 0, ...broker }) as const;
  const bus = { status } as Partial<Bus> as Bus;
  const watch = new ResendWatch({ bus, spool, clock, resendAfter: 10 * MINUTE });
  watch.before();
  /** Spools and confirms some. */
  const confirmIn = async (lane: Lane, ...seqs: readonly number[]): Promise<void> => {
    await clock.advance(SECOND);
    for (const seq of seqs) await spool.append(batch(seq));
    await spool.markConfirmed(digests(seqs), clock.monotonic(), lane);
    await clock.advance(SECOND);
  };
  const confirm = (...seqs: readonly number[]): Promise<void> => confirmIn('fresh', ...seqs);
  return { clock, spool, broker, confirm, confirmIn, due: () => dueOf(spool, watch.before()) };
}

const digests = (seqs: readonly number[]): string[] => seqs.map((seq) => batch(seq).digest);

async function dueOf(spool: Spool, before: Readonly<Record<Lane, number>>): Promise<number[]> {
  return (await spool.due(before, 100)).map(({ seq }) => seq);
}

t.test('while nobody records anything, what waits in the queue is not sent again', async (t) => {
  const { clock, confirm, due } = await rig();
  await confirm(1, 2, 3);
  await clock.advance(30 * MINUTE);
  t.same(await due(), []);
});

t.test('a batch that the collectors went past is sent again, not before its time', async (t) => {
  const { clock, spool, confirm, due } = await rig();
  await confirm(1, 2);
  await confirm(3);
  await spool.release(digests([1, 3]));
  await clock.advance(9 * MINUTE);
  t.same(await due(), []);
  await clock.advance(2 * MINUTE);
  t.same(await due(), [2]);
});

t.test('what was confirmed before the newest receipt only is sent again', async (t) => {
  const { clock, spool, confirm, due } = await rig();
  await confirm(1);
  await confirm(2);
  await confirm(3);
  await spool.release(digests([2]));
  await clock.advance(20 * MINUTE);
  t.same(await due(), [1], 'batch 3 may be in its queue still');
});

t.test('each lane has its own order: what overtook a backlog does not tell that it is lost', async (t) => {
  const { clock, spool, confirmIn, due } = await rig();
  await confirmIn('backlog', 1, 2);
  await confirmIn('fresh', 3, 4);
  await confirmIn('backlog', 5);
  await confirmIn('fresh', 6);
  await spool.release(digests([6]));
  await clock.advance(20 * MINUTE);
  t.same(await due(), [3, 4], 'of the fresh ones, those before it');
  await spool.release(digests([5]));
  await clock.advance(MINUTE);
  t.same(await due(), [1, 2, 3, 4]);
});

t.test('a fresh batch is lost when a backlog that was sent later is recorded', async (t) => {
  const { clock, spool, confirmIn, due } = await rig();
  await confirmIn('fresh', 1);
  await confirmIn('backlog', 2, 3);
  await spool.release(digests([3]));
  await clock.advance(20 * MINUTE);
  t.same(await due(), [1]);
});

t.test('what was confirmed on a connection that is no more is sent again', async (t) => {
  const { clock, broker, confirm, due } = await rig();
  await confirm(1);
  broker.connections += 1;
  t.same(await due(), []);
  await clock.advance(11 * MINUTE);
  t.same(await due(), [1]);
});

t.test('in the end it is sent again all the same', async (t) => {
  const { clock, confirm, due } = await rig();
  await confirm(1);
  await clock.advance(61 * MINUTE);
  t.same(await due(), [1]);
});
