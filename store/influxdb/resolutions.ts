import { keptDigest } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { entriesById } from './entries.ts';

/** What was decided last about a message_id in conflict, as of a moment. */
export interface Resolved {
  readonly recordedAt: Micros;
  /** Digest of the batch whose version counts; null: none. */
  readonly keep: string | null;
}

/** By message_id. Asked anew each time, for those in conflict alone: there are few, and no answer may be late. */
export async function resolutionsOf(
  client: InfluxClient,
  messageIds: readonly string[],
  asOf: Micros,
): Promise<Map<string, Resolved>> {
  const resolved = new Map<string, Resolved>();
  if (messageIds.length === 0) return resolved;
  const before = asOf === Infinity ? {} : { before: asOf + 1 };
  for (const [id, entries] of await entriesById(client, { kind: 'resolution', limit: 1, ...before }, messageIds)) {
    const [newest] = entries;
    if (newest !== undefined) resolved.set(id, { recordedAt: newest.recordedAt, keep: keptDigest(newest.body) });
  }
  return resolved;
}
