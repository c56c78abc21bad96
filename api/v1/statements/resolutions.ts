import { formatInstant, LOOKAHEAD, LOOKBACK, Resolution } from '@nephometer/core';
import type { Entry, EvidenceRecord, Store, StoredSample } from '@nephometer/core';
import type { Ground } from './gather.ts';

/** What an operator decided of a message_id in conflict, with every version that there was. */
export interface Resolved {
  readonly entry: Entry;
  readonly resolution: Resolution;
  readonly versions: readonly StoredSample[];
}

/** Of what may bear on the ground, whoever's it is: the newest of each message_id, in order of recording. */
export async function resolutionsOf(store: Store, { from, asOf }: Ground): Promise<Resolved[]> {
  // What is of the period was not there to be resolved long before it.
  const entries = await store.entries({ kind: 'resolution', after: from - LOOKBACK, before: asOf + 1 });
  const newest = new Map<string, Entry>();
  for (const entry of entries) if (!newest.has(entry.id)) newest.set(entry.id, entry);
  const resolved: Resolved[] = [];
  for (const entry of [...newest.values()].toReversed()) {
    const read = Resolution.safeParse(JSON.parse(entry.body));
    if (!read.success) continue;
    const versions: StoredSample[] = [];
    const before = { messageId: entry.id, asOf: entry.recordedAt - 1 };
    for await (const version of store.conflicts(before)) versions.push(version);
    resolved.push({ entry, resolution: read.data, versions });
  }
  return resolved;
}

/** Whether a version is one of the project's, and of the time. */
export function isOfGround({ projectId, meter, timestamp }: StoredSample, ground: Ground): boolean {
  const { from, to, meters } = ground;
  const isThen = timestamp >= from - LOOKBACK && timestamp < to + LOOKAHEAD;
  return projectId === ground.projectId && isThen && meters.includes(meter);
}

/** What was decided, and the project's own versions that do not count for it. */
export function* resolutionRecords(resolved: readonly Resolved[], ground: Ground): Generator<EvidenceRecord> {
  for (const { entry, resolution, versions } of resolved) {
    const own = versions.filter((version) => isOfGround(version, ground));
    if (own.length === 0) continue;
    const { keep, by, why } = resolution;
    yield { kind: 'resolution', id: entry.id, recorded_at: formatInstant(entry.recordedAt), keep, by, why };
    for (const { batchDigest: batch, batchIndex: index, recordedAt, text } of own) {
      if (batch !== keep) yield { kind: 'version', batch, index, recorded_at: formatInstant(recordedAt), text };
    }
  }
}
