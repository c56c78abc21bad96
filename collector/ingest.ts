import type { IngestResult } from '@nephometer/core';
import { consumeBatch } from './consume.ts';
import type { ConsumeOptions } from './consume.ts';

/**
 * Takes one posted body the way that a delivery goes. The answer is the receipt: what is accepted is in the ledger.
 * @param sender who posted, for the quarantine
 * @throws Refusal when the body as a whole cannot be read (it is in quarantine then)
 * @throws StoreUnavailable when nothing is known to be recorded; post the same body again
 */
export async function ingestMessages(
  body: Uint8Array,
  sender: string,
  options: ConsumeOptions,
): Promise<readonly IngestResult[]> {
  const [consumed] = await consumeBatch([{ body, transport: 'http', sender, foreign: true }], options);
  if (consumed === undefined) return [];
  if (consumed.unreadable !== null) throw consumed.unreadable;
  return consumed.results;
}
