import { z } from 'zod';
import type { Entry } from '../ports/store.ts';
import type { LostSpan } from './usage/types.ts';

/** Whose reading a version was, and of when: microseconds, as `conflictSpan` has them. */
const SetAside = z.strictObject({
  agent_id: z.string().nullable(),
  source: z.string().nullable(),
  meter: z.string().nullable(),
  resource_id: z.string().nullable(),
  from: z.int(),
  to: z.int(),
  recorded_at: z.int(),
});

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
  /** Where no version is kept, the versions: their interval stays a gap. */
  set_aside: z.array(SetAside).prefault([]),
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

/** A version that is set aside, as a resolution that keeps none writes it down. */
export function setAside(span: LostSpan): Resolution['set_aside'][number] {
  const { agentId: agent_id, source, meter, resourceId: resource_id, from, to, recordedAt: recorded_at } = span;
  return { agent_id, source, meter, resource_id, from, to, recorded_at };
}

/** The gaps that resolutions leave: the newest of each message_id counts. @param entries newest first */
export function unkeptSpans(entries: readonly Entry[]): LostSpan[] {
  const newest = new Map<string, Entry>();
  for (const entry of entries) if (!newest.has(entry.id)) newest.set(entry.id, entry);
  return [...newest.values()].flatMap(({ body }) => {
    const read = Resolution.safeParse(JSON.parse(body));
    if (!read.success || read.data.keep !== null) return [];
    return read.data.set_aside.map(({ agent_id, source, meter, resource_id, from, to, recorded_at }) => {
      const whose = { agentId: agent_id, source, meter, resourceId: resource_id };
      return { reason: 'conflict' as const, ...whose, from, to, recordedAt: recorded_at };
    });
  });
}
