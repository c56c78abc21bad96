import { setTimeout as wait } from 'node:timers/promises';
import { EXIT_CODES } from '@nephometer/core';
import { ApiError } from '../client.ts';

export interface Retrying {
  readonly signal: AbortSignal;
  /** How long without any answer before it is given up. */
  readonly retryForMs: number;
  readonly onWait: (why: string, waitMs: number) => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Asks again, each time later, while the server is away. What it refuses is not asked again. */
export async function withRetries<T>(ask: () => Promise<T>, { signal, retryForMs, onWait }: Retrying): Promise<T> {
  const start = performance.now();
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      return await unlessStopped(ask(), signal);
    } catch (cause) {
      signal.throwIfAborted();
      const isAway = cause instanceof ApiError && cause.exitCode === EXIT_CODES.unavailable.code;
      if (!isAway || performance.now() - start + waitMs > retryForMs) throw cause;
      onWait(cause.message, waitMs);
      await wait(waitMs * (0.75 + Math.random() / 4), undefined, { signal });
    }
  }
}

/** Does not wait for an answer that nobody wants any more. */
async function unlessStopped<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([answer, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
