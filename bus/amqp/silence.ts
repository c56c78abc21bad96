import type { ChannelModel } from 'amqplib';
import { SECOND, type Clock, type Timer } from '@nephometer/core';

/** Looks at the line in the time of one heartbeat. */
const LOOKS = 4;

/** What amqplib keeps of a connection. `heartbeat` is what was agreed, in seconds, 0 for none. */
interface Inner {
  readonly heartbeat: number;
  readonly heartbeater: { emit(event: 'timeout'): boolean } | null;
  readonly stream: { readonly bytesRead: number };
}

/**
 * Gives up a line on which nothing arrived for two heartbeats; returns how to stop looking. amqplib by itself counts
 * whole intervals without a byte, and so knows of two only when the third is due.
 *
 * Looks are counted, not time: when this process stood still, one look passes before it reads what arrived meanwhile.
 */
export function watchSilence(model: ChannelModel, clock: Clock): () => void {
  const inner = model.connection as unknown as Inner;
  if (inner.heartbeater === null) return () => undefined;
  let timer: Timer;
  let read = -1;
  let quiet = 0;
  const look = (): void => {
    quiet = inner.stream.bytesRead === read ? quiet + 1 : 0;
    read = inner.stream.bytesRead;
    // The first look that finds nothing new comes up to one look after the last byte.
    if (quiet >= 2 * LOOKS - 1) inner.heartbeater?.emit('timeout');
    else arm();
  };
  const arm = (): void => {
    timer = clock.after((inner.heartbeat * SECOND) / LOOKS, look);
  };
  arm();
  return () => timer.cancel();
}
