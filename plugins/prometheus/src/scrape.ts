import { readFile } from 'node:fs/promises';
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

/** Read at each scrape, so that a rotated secret is taken up without a restart. */
async function secretIn(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trimEnd();
}

async function boundedText(response: Response, url: string, maxSize: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxSize) throw new Error(`${url} answers more than max_size, ${maxSize} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}
