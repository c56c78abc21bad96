import type { Clock, Micros } from '@nephometer/core';

export class DeadlineExceeded extends Error {
  constructor() {
    super('timeout');
  }
}

export interface DeadlineHooks {
  /** Called when the call has really returned, which may be long after it was given up. */
  readonly settled: () => void;
}

/**
 * Calls with a signal that aborts when the time is over, and then waits no longer: a call that ignores the signal is
 * left alone.
 * @throws DeadlineExceeded, and what the call throws
 */
export async function callWithDeadline<T>(
  clock: Clock,
  timeout: Micros,
  call: (signal: AbortSignal) => Promise<T>,
  hooks: DeadlineHooks,
): Promise<T> {
  const abort = new AbortController();
  let expire: (() => void) | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    expire = () => reject(new DeadlineExceeded());
  });
  const timer = clock.after(timeout, () => {
    abort.abort(new DeadlineExceeded());
    expire?.();
  });
  const running = start(call, abort.signal).finally(() => {
    timer.cancel();
    hooks.settled();
  });
  // What an abandoned call throws later concerns nobody any more.
  running.catch(() => undefined);
  return Promise.race([running, expired]);
}

async function start<T>(call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return call(signal);
}

/** Whether something happens within a time. */
export async function waitUntil(clock: Clock, within: Micros, done: Promise<unknown>): Promise<boolean> {
  let expire: () => void = () => undefined;
  const expired = new Promise<false>((resolve) => {
    expire = () => resolve(false);
  });
  const timer = clock.after(within, expire);
  const happened = done.then(
    () => true,
    () => true,
  );
  return Promise.race([happened, expired]).finally(() => timer.cancel());
}

/** Waits, or until the signal aborts. */
export async function sleep(clock: Clock, span: Micros, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = clock.after(span, resolve);
    signal.addEventListener(
      'abort',
      () => {
        timer.cancel();
        resolve();
      },
      { once: true },
    );
  });
}
