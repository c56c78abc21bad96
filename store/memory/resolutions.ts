import { keptDigest } from '@nephometer/core';
import type { Entry, Micros } from '@nephometer/core';
import type { Memory, Version } from './record.ts';

/** One decision about a message_id in conflict. */
export interface Resolved {
  readonly recordedAt: Micros;
  /** The version that counts; null: none. */
  readonly keep: Version | null;
}

export function resolve(memory: Memory, { id, body, recordedAt }: Entry): void {
  const digest = keptDigest(body);
  const versions = memory.versions.get(id) ?? [];
  const keep = versions.find(({ sample }) => sample.batchDigest === digest) ?? null;
  memory.resolutions.set(id, [...(memory.resolutions.get(id) ?? []), { recordedAt, keep }]);
}

/** `shown`, or `open` while a conflict waits for a decision, or `put aside` by one. */
export function standingOf(memory: Memory, version: Version, asOf: Micros): 'shown' | 'open' | 'put aside' {
  if (version.conflictSince === null || version.conflictSince > asOf) return 'shown';
  const { messageId } = version.sample;
  const newest = memory.resolutions.get(messageId)?.findLast(({ recordedAt }) => recordedAt <= asOf);
  if (newest === undefined) return 'open';
  const known = (memory.versions.get(messageId) ?? []).filter(({ sample }) => sample.recordedAt <= asOf);
  if (known.some(({ sample }) => sample.recordedAt > newest.recordedAt)) return 'open';
  return newest.keep === version ? 'shown' : 'put aside';
}
