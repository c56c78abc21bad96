import { z } from 'zod';

/**
 * What an operator decided about a message_id in conflict, as the entry of kind `resolution` holds it (JSON body); the
 * entry's id is the message_id. It settles the versions recorded before it; the newest one counts.
 */
export const Resolution = z.strictObject({
  /** Digest of the batch whose version counts; null: none does. */
  keep: z.string().nullable(),
  by: z.string(),
  why: z.string(),
  /** When it was asked for, microseconds: makes the same decision, taken again, another entry. */
  at: z.int(),
});
export type Resolution = z.infer<typeof Resolution>;

/** The digest that an entry's body keeps; null when none. A body that is not a resolution keeps none. */
export function keptDigest(body: string): string | null {
  try {
    return Resolution.parse(JSON.parse(body)).keep;
  } catch {
    return null;
  }
}
