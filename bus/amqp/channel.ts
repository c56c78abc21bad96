import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { messageOf, type Clock, type Logger } from '@nephometer/core';
import { deferred, within } from './wait.ts';

const CLOSE_LIMIT = 2_000_000;

/** A failure as amqplib reports it: `code` is AMQP's reply code. */
export interface AmqpError extends Error {
  readonly code?: number | string;
}

/** A channel whose end is a promise. Nothing is thrown out of its events. */
export interface Watched<T extends Channel> {
  readonly channel: T;
  /** Resolves when the channel is gone for whatever reason, also with its connection. */
  readonly ended: Promise<AmqpError>;
}

export async function openChannel(model: ChannelModel, log: Logger): Promise<Watched<Channel>> {
  return watch(await model.createChannel(), log);
}

export async function openConfirmChannel(model: ChannelModel, log: Logger): Promise<Watched<ConfirmChannel>> {
  return watch(await model.createConfirmChannel(), log);
}

function watch<T extends Channel>(channel: T, log: Logger): Watched<T> {
  const ended = deferred<AmqpError>();
  let last: AmqpError = new Error('The channel was closed.');
  channel.on('error', (cause) => {
    last = cause;
  });
  channel.on('close', () => ended.resolve(last));
  channel.on('handler-error', (cause, event) => {
    log.error({ event, cause: messageOf(cause) }, 'A handler of a channel event failed.');
  });
  return { channel, ended: ended.promise };
}

/** Closes without ever failing or hanging. What was written before, acknowledgements too, arrives before the close. */
export async function closeChannel(clock: Clock, channel: Channel): Promise<void> {
  try {
    await within(clock, CLOSE_LIMIT, channel.close(), () => new Error('The broker does not answer.'));
  } catch {
    // Closed already, or the broker is gone: the channel is no more in either case.
  }
}

/** Closes a connection without ever failing or hanging, its socket included. */
export async function hangUp(clock: Clock, model: ChannelModel): Promise<void> {
  try {
    await within(clock, CLOSE_LIMIT, model.close(), () => new Error('The broker does not answer.'));
  } catch {
    // As above.
  }
  // amqplib only ends its side: a peer that is gone or does not read (an alarm) would keep the socket for ever.
  const { stream } = model.connection as unknown as { stream: { destroy(): void } };
  const timer = setTimeout(() => stream.destroy(), 500);
  timer.unref();
}
