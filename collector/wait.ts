import type { Clock, Micros } from '@nephometer/core';

/** Resolves after `delay` of the steady clock, or at once when (or because) `signal` is aborted. */
export function pause(clock: Clock, delay: Micros, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const end = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.after(delay, end);
    signal?.addEventListener('abort', end);
  });
}

/** Resolves when `work` is done or failed, at the latest after `longest`. */
export async function atMost(clock: Clock, longest: Micros, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const finished = work.then(
    () => done.abort(),
    () => done.abort(),
  );
  await Promise.race([finished, pause(clock, longest, done.signal)]);
}
