import { z } from 'zod';
import type { Entry } from '../ports/store.ts';
import type { UsageVoid } from './usage/types.ts';

/** Which samples a void is of: all that match everything named. Times are microseconds, half-open. */
export const VoidSelector = z
  .strictObject({
    message_id: z.string().min(1).optional(),
    agent_id: z.string().min(1).optional(),
    source: z.string().min(1).optional(),
    meter: z.string().min(1).optional(),
    resource_id: z.string().min(1).optional(),
    project_id: z.string().min(1).optional(),
    from: z.int().optional(),
    to: z.int().optional(),
  })
  .refine((selector) => Object.values(selector).some((value) => typeof value === 'string'), {
    error: 'names no sample; name at least one of message_id, agent_id, source, meter, resource_id, project_id',
  })
  .refine(({ from = -Infinity, to = Infinity }) => from < to, {
    path: ['to'],
    error: 'must come after from',
  });
export type VoidSelector = z.infer<typeof VoidSelector>;

/**
 * A correction, as the entry of kind `void` holds it (JSON body): from its `recorded_at` on, reads do not show samples
 * recorded before it that match the selector. Nothing is removed: as of an earlier moment they are there.
 */
export const VoidRecord = z.strictObject({
  selector: VoidSelector,
  /** Who decided it, and the name of the token that was used. */
  who: z.string(),
  by: z.string(),
  why: z.string(),
  /** When it was asked for, microseconds: makes the same void, made again, another entry. */
  at: z.int(),
});
export type VoidRecord = z.infer<typeof VoidRecord>;

/** What an entry of kind `void` says; null when it is none, and voids nothing. */
export function voidOf({ body, recordedAt }: Pick<Entry, 'body' | 'recordedAt'>): UsageVoid | null {
  try {
    const { selector } = VoidRecord.parse(JSON.parse(body));
    const { message_id: messageId, agent_id: agentId, source, meter, from, to } = selector;
    const { resource_id: resourceId, project_id: projectId } = selector;
    const named = { messageId, agentId, source, meter, resourceId, projectId, from, to };
    const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
    return { recordedAt, ...given };
  } catch {
    return null;
  }
}
