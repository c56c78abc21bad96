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

/** So many looks at least must find nothing: when this process stood still, one passes before it reads what arrived. */
const FEWEST_LOOKS = 3;

/**
 * Gives up a line on which nothing arrived for two heartbeats; returns how to stop looking. amqplib by itself counts
 * whole intervals without a byte, and so knows of two only when the third is due.
 */
export function watchSilence(model: ChannelModel, clock: Clock): () => void {
  const inner = model.connection as unknown as Inner;
  const { heartbeat, heartbeater, stream } = inner;
  if (heartbeater === null) return () => undefined;
  const step = (heartbeat * SECOND) / LOOKS;
  let timer: Timer;
  let read = -1;
  let quiet = 0;
  let since = clock.monotonic();
  const look = (): void => {
    if (stream.bytesRead !== read) [read, quiet, since] = [stream.bytesRead, 0, clock.monotonic()];
    else quiet += 1;
    // The last byte may have come up to a step before the look that found it.
    const isSilent = quiet >= FEWEST_LOOKS && clock.monotonic() - since >= (2 * LOOKS - 1) * step;
    if (isSilent) heartbeater.emit('timeout');
    else arm();
  };
  const arm = (): void => {
    timer = clock.after(step, look);
  };
  arm();
  return () => timer.cancel();
}
