import { lengthDelimited, polledSampleId, sha256 } from '@nephometer/core';
import type { BatchRecord } from '@nephometer/core';

/**
 * Where the message_ids of a batch come from. An id that follows from the batch's own agent, epoch, polling source and slot
 * can stand in another batch in two ways only: that one has samples of the same tick, or its ids do not follow from it.
 */
export interface Origin {
  /** A key for each tick from which ids follow: a digest of agent, epoch, polling source and slot. */
  readonly ticks: readonly string[];
  /** Of each sample: whether its id follows from its tick. */
  readonly follows: readonly boolean[];
}

export function originOf({ header, samples }: BatchRecord): Origin {
  const ticks = new Set<string>();
  const follows = samples.map(() => false);
  if (header === null) return { ticks: [], follows };
  const { agent_id: agentId, epoch, runs } = header;
  let first = 0;
  for (const { source, slot, samples: count } of runs) {
    const end = Math.min(first + count, samples.length);
    for (let i = first; slot !== null && i < end; i++) {
      const sample = samples[i];
      if (sample === undefined) continue;
      const { meter, resourceId, messageId } = sample;
      if (messageId !== polledSampleId({ agentId, epoch, source, meter, resourceId, slot })) continue;
      follows[i] = true;
      ticks.add(sha256(lengthDelimited([agentId, epoch, source, String(slot)])));
    }
    first = end;
  }
  return { ticks: [...ticks], follows };
}

/** Ids as `polledSampleId` spells them; no other can be equal to one. */
const POLLED_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Ids of a batch that might follow from another one. */
export function oddIdsOf({ samples }: BatchRecord, { follows }: Origin): string[] {
  return samples.flatMap(({ messageId }, i) => (follows[i] !== true && POLLED_ID.test(messageId) ? [messageId] : []));
}
