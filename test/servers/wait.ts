import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks until the answer is true.
 * @param describe what did not happen, for the error; called at the end only, so it may quote a log
 * @throws Error once `timeoutMs` have passed, or what `ask` throws
 */
export async function until(
  ask: () => boolean | Promise<boolean>,
  { timeoutMs, describe, everyMs = 50 }: { timeoutMs: number; describe: () => string; everyMs?: number },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`${describe()} (waited ${timeoutMs / 1000} s)`);
    await sleep(everyMs);
  }
}

/** True when an AMQP 0-9-1 broker answers our protocol header on this port with a frame, so it is past its boot. */
export function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => settle(false));
    socket.once('connect', () => socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1')));
    socket.once('data', (data) => settle(data[0] === 1));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}

/** True when a GET of this URL is answered with a 2xx status. */
export async function answersHttp(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
