import { BehindRetention, usageSampleOf, voidOf, voidsSample } from '@nephometer/core';
import type { Entry, SampleFilter, SampleQuery, Store, StoredSample, UsageVoid } from '@nephometer/core';

/** So many are looked at: a void of more is not held up by counting them. */
const MOST_LOOKED_AT = 10_000;

export interface VoidCount {
  readonly samples: number;
  /** Whether there may be more than were counted. */
  readonly more: boolean;
}

/** How many samples were shown until a void took them out. @throws StoreUnavailable */
export async function countVoided(store: Store, entry: Entry): Promise<VoidCount> {
  const made = voidOf(entry);
  if (made === null) return { samples: 0, more: false };
  let [samples, seen] = [0, 0];
  const query = { ...filterOf(made), asOf: entry.recordedAt - 1, limit: MOST_LOOKED_AT + 1 };
  for await (const sample of shown(store, query, made)) {
    seen += 1;
    if (seen > MOST_LOOKED_AT) return { samples, more: true };
    if (voidsSample(made, usageSampleOf(sample))) samples += 1;
  }
  return { samples, more: false };
}

/** Beside the agent, which no question about samples can name. */
function filterOf({ meter, resourceId, source, projectId, messageId, to }: UsageVoid): SampleFilter {
  return {
    ...(meter === undefined ? {} : { meter }),
    ...(resourceId === undefined ? {} : { resourceId }),
    ...(source === undefined ? {} : { source }),
    ...(projectId === undefined ? {} : { projectIds: [projectId] }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(to === undefined ? {} : { to: { at: to, inclusive: false } }),
  };
}

/** A void may begin behind what retention has kept. */
async function* shown(store: Store, query: SampleQuery, { from }: UsageVoid): AsyncGenerator<StoredSample> {
  try {
    yield* store.samples(from === undefined ? query : { ...query, from: { at: from, inclusive: true } });
  } catch (cause) {
    if (!(cause instanceof BehindRetention)) throw cause;
    yield* store.samples(query);
  }
}
