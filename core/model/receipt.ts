import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { fromPlain } from '../json.ts';
import { canonicalText } from '../signing/canonical.ts';

/** The collector's signed word to an agent that these batches are in the ledger. Only then they leave the spool. */
export const Receipt = z.strictObject({
  version: z.literal(1),
  agent_id: z.string(),
  /** Digests of the batch headers that are in the ledger. */
  recorded: z.array(z.string()),
  /** Digests of batches refused for good, with the reason: sending them again does not help. */
  refused: z.array(z.strictObject({ digest: z.string(), reason: z.string() })),
  /** When the receipt was written, microseconds. */
  issued: z.int(),
  key_id: z.string(),
  hmac: z.string(),
});
export type Receipt = z.infer<typeof Receipt>;

const DOMAIN = 'nephometer receipt 1\n';

function mac(receipt: Omit<Receipt, 'hmac'>, secret: Uint8Array): Buffer {
  return createHmac('sha256', secret)
    .update(DOMAIN + canonicalText(fromPlain(receipt)))
    .digest();
}

export function signReceipt(receipt: Omit<Receipt, 'hmac'>, secret: Uint8Array): Receipt {
  return { ...receipt, hmac: mac(receipt, secret).toString('hex') };
}

export function verifyReceipt(receipt: Receipt, secret: Uint8Array): boolean {
  const { hmac, ...rest } = receipt;
  const given = Buffer.from(hmac, 'hex');
  const computed = mac(rest, secret);
  return given.length === computed.length && timingSafeEqual(given, computed);
}
