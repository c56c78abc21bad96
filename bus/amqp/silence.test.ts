import { EventEmitter } from 'node:events';
import type { ChannelModel } from 'amqplib';
import { ManualClock, SECOND } from '@nephometer/core';
import t from 'tap';
import { watchSilence } from './silence.ts';

const HEARTBEAT = 4;

function line() {
  const heartbeater = new EventEmitter();
  const stream = { bytesRead: 100 };
  const clock = new ManualClock();
  const began = clock.monotonic();
  let silentAfter: number | null = null;
  heartbeater.on('timeout', () => (silentAfter = (clock.monotonic() - began) / SECOND));
  const model = { connection: { heartbeat: HEARTBEAT, heartbeater, stream } } as unknown as ChannelModel;
  const stop = watchSilence(model, clock);
  return { stream, clock, stop, silentAfter: () => silentAfter };
}

t.test('a line on which nothing arrives is given up within two heartbeats', async (t) => {
  const { clock, silentAfter } = line();
  for (let n = 0; n < 40; n += 1) await clock.advance(SECOND / 2);
  const seconds = silentAfter() ?? 0;
  t.ok(seconds > 1.5 * HEARTBEAT && seconds <= 2 * HEARTBEAT, `${seconds} s`);
});

t.test('a heartbeat in each interval keeps it', async (t) => {
  const { clock, stream, silentAfter } = line();
  for (let n = 0; n < 20; n += 1) {
    await clock.advance(HEARTBEAT * SECOND);
    stream.bytesRead += 8;
  }
  t.equal(silentAfter(), null);
});

t.test('a line that was closed is not looked at any more', async (t) => {
  const { clock, stop, silentAfter } = line();
  stop();
  await clock.advance(20 * HEARTBEAT * SECOND);
  t.equal(silentAfter(), null);
});
