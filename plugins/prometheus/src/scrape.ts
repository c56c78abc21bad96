import { boundedText, secretIn } from '@nephometer/core/plugin';
import type { Target } from './config.ts';

const ACCEPT = 'application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8,*/*;q=0.1';

/** Fetches one exposition. @throws Error that says what the target answered */
export async function scrape(target: Target, maxSize: number, signal: AbortSignal): Promise<string> {
  const headers = { accept: ACCEPT, ...(await authorization(target)) };
  // A redirect would let an exporter send us, and the token, anywhere; the operator names the address that answers.
  const response = await fetch(target.url, { headers, signal, redirect: 'manual' });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`${target.url} answered ${response.status} ${response.statusText}`.trimEnd());
  }
  return boundedText(response, target.url, maxSize);
}

async function authorization(target: Target): Promise<Record<string, string>> {
  if (target.bearer_token_file !== undefined) {
    return { authorization: `Bearer ${await secretIn(target.bearer_token_file)}` };
  }
  if (target.username === undefined) return {};
  const password = target.password_file === undefined ? '' : await secretIn(target.password_file);
  return { authorization: `Basic ${Buffer.from(`${target.username}:${password}`).toString('base64')}` };
}
