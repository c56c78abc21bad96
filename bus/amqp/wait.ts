import type { Clock, Micros } from '@nephometer/core';

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (cause: Error) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (cause: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits sees the rejection; nobody waiting is no reason to end the process.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** The promise's outcome, or the error when it takes longer than `limit`. */
export async function within<T>(clock: Clock, limit: Micros, promise: Promise<T>, late: () => Error): Promise<T> {
  const timeout = deferred<never>();
  const timer = clock.after(limit, () => timeout.reject(late()));
  try {
    return await Promise.race([promise, timeout.promise]);
  } finally {
    timer.cancel();
  }
}

/** Waits for `span`, or less when the signal is aborted. Never rejects. */
export async function sleep(clock: Clock, span: Micros, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const wake = deferred<void>();
  const timer = clock.after(span, () => wake.resolve());
  const stop = (): void => wake.resolve();
  signal.addEventListener('abort', stop, { once: true });
  await wake.promise;
  timer.cancel();
  signal.removeEventListener('abort', stop);
}

/** Resolves to `null` when the signal is aborted first, else as the promise does. */
export async function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | null> {
  const stopped = deferred<null>();
  const stop = (): void => stopped.resolve(null);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
