import { z } from 'zod';
import { REFUSAL_REASONS } from './refusal.ts';
import type { RefusalReason } from './refusal.ts';

/** A refused message, as the entry of kind `quarantine` holds it (JSON body). */
export const QuarantinedMessage = z.strictObject({
  reason: z.enum(Object.keys(REFUSAL_REASONS) as [RefusalReason, ...RefusalReason[]]),
  /** What was found and what would be right. */
  detail: z.string(),
  /** `bus`, `http`, `notification`. */
  transport: z.string(),
  /** Exchange and routing key, or who posted. */
  sender: z.string(),
  agent_id: z.string().nullable(),
  message_id: z.string().nullable(),
  /** Slots or times of the samples in it, microseconds, where they could be read: their interval is a gap. */
  from: z.int().nullable(),
  to: z.int().nullable(),
  samples: z.int().nonnegative(),
  /** Of an entry that stands for many messages that were not kept one by one: how many, at least. Else absent. */
  messages: z.int().positive().optional(),
  /** When it was received, microseconds. */
  received: z.int(),
  /** Size of the original, and the original (its beginning, where it was larger than is kept; '' once let go), base64. */
  size: z.int().nonnegative(),
  bytes: z.string(),
  /** `refused`, then perhaps `replayed`. The newest entry of an id counts. */
  state: z.enum(['refused', 'replayed']),
});
export type QuarantinedMessage = z.infer<typeof QuarantinedMessage>;

/** The body of an entry without the bytes of its message; null when it has none, or is no quarantined message. */
export function withoutBytes(body: string): string | null {
  let read;
  try {
    read = QuarantinedMessage.safeParse(JSON.parse(body));
  } catch {
    return null;
  }
  return read.success && read.data.bytes !== '' ? JSON.stringify({ ...read.data, bytes: '' }) : null;
}
