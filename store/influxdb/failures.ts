import { messageOf, StoreUnavailable } from '@nephometer/core';
import { WriteRejected } from './client.ts';

/** Answers that mean: this content, not this moment. */
const PERMANENT = new Set([400, 413, 422]);

/** The server is there and answers that it did not do it: unlike a lost answer, nothing is unknown. */
export class NotNow extends StoreUnavailable {}

/** What an answer other than the right one to a write means. */
export function writeFailure(where: string, status: number, body: string): Error {
  return PERMANENT.has(status) ? new WriteRejected(status, body) : answerFailure(where, status, body);
}

export function answerFailure(where: string, status: number, body: string): StoreUnavailable {
  const text = body.trim().slice(0, 500);
  if (status === 401 || status === 403) {
    return new StoreUnavailable(
      `InfluxDB at ${where} refuses these credentials (${status}: ${text}). Check the user in store.url and the password or ` +
        'token in store.secret_file, and that they may read and write this database.',
    );
  }
  if (status === 404) {
    return new StoreUnavailable(
      `InfluxDB at ${where} does not know this database or path (404: ${text}). Check store.url.`,
    );
  }
  return new NotNow(`InfluxDB at ${where} answered ${status}: ${text}`);
}

export function connectionFailure(where: string, timeoutMs: number, cause: unknown): StoreUnavailable {
  const text = messageOf(cause);
  const isTimeout = /timed out|aborted|timeout/i.test(text);
  return new StoreUnavailable(
    isTimeout
      ? `InfluxDB at ${where} did not answer within ${timeoutMs} ms (store.timeout).`
      : `InfluxDB at ${where} cannot be reached: ${text}`,
  );
}
