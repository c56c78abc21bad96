import type { BatchRecord, ReceivedSample } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { lookUp } from './key-index.ts';
import type { Found, IndexRow } from './key-index.ts';
import type { OddIds } from './odd-ids.ts';
import { originOf } from './origin.ts';
import type { Origin } from './origin.ts';
import type { PointSample } from './sample-point.ts';
import { samplesAt } from './sample-rows.ts';
import type { MessageRow, Spot } from './sample-rows.ts';
import type { Spots } from './spots.ts';
import { tagText } from './text.ts';

/** The row of `tick`: which batch has samples of it. */
export type TickRow = readonly [key: string, writer: string, place: number, digest: string];

/** A batch, where its ids come from, and whether any batch that is in the store, or on its way, has samples of its ticks. */
export interface Arrived {
  readonly batch: BatchRecord;
  readonly origin: Origin;
  readonly isTickNew: boolean;
}

/** What the store has that concerns some batches. What cannot be there is not asked for, and absent here. */
export interface Looked {
  readonly arrived: readonly Arrived[];
  readonly ticks: ReadonlyMap<string, Found<TickRow>>;
  readonly messages: ReadonlyMap<string, Found<MessageRow>>;
  /** By `spotKey`. */
  readonly stored: ReadonlyMap<string, readonly PointSample[]>;
}

/** Looks before anything is written. */
export async function lookBefore(
  client: InfluxClient,
  odd: OddIds,
  spots: Spots,
  batches: readonly BatchRecord[],
): Promise<Looked> {
  const origins = batches.map(originOf);
  const [ticks, isWhole] = await Promise.all([ticksOf(client, origins), odd.follow()]);
  const arrived = batches.map((batch, i): Arrived => {
    const origin = origins[i] ?? { ticks: [], follows: [] };
    return { batch, origin, isTickNew: origin.ticks.every((key) => ticks.get(key)?.rows.length === 0) };
  });
  const mustAsk = (id: string): boolean => !isWhole || odd.maybe(id);
  const [messages, stored] = await Promise.all([
    lookUp<MessageRow>(client, 'message', idsToAsk(arrived, mustAsk)),
    samplesAt(client, spotsToAsk(arrived, spots)),
  ]);
  return { arrived, ticks, messages, stored };
}

/** The ids of which another writer may have written something since `lookBefore`, and what is known of them now. */
export async function lookAgain(
  client: InfluxClient,
  odd: OddIds,
  before: readonly Arrived[],
): Promise<ReadonlyMap<string, Found<MessageRow>>> {
  const own = new Set(before.map(({ batch }) => batch.digest));
  const origins = before.map(({ origin }) => origin);
  const [ticks, isWhole] = await Promise.all([ticksOf(client, origins), odd.follow()]);
  const isForeign = ([, , , digest]: TickRow): boolean => !own.has(digest);
  const now = before.map((one) => {
    return { ...one, isTickNew: !one.origin.ticks.some((key) => ticks.get(key)?.rows.some(isForeign)) };
  });
  return lookUp<MessageRow>(
    client,
    'message',
    idsToAsk(now, (id) => !isWhole || odd.maybe(id)),
  );
}

function ticksOf(client: InfluxClient, origins: readonly Origin[]): Promise<Map<string, Found<TickRow>>> {
  return lookUp<TickRow & IndexRow>(
    client,
    'tick',
    origins.flatMap(({ ticks }) => ticks),
  );
}

/** An id that follows from a tick which no other batch has can only be among the odd ones. */
function* idsToAsk(arrived: readonly Arrived[], mayBeOdd: (id: string) => boolean): Generator<string> {
  for (const { batch, origin, isTickNew } of arrived) {
    for (const [i, { messageId }] of batch.samples.entries()) {
      if (!isTickNew || origin.follows[i] !== true || mayBeOdd(messageId)) yield messageId;
    }
  }
}

/** Of a batch with a new tick nothing was written before, so only its places must be free. */
function* spotsToAsk(arrived: readonly Arrived[], spots: Spots): Generator<Spot> {
  for (const { batch, origin, isTickNew } of arrived) {
    for (const [i, sample] of batch.samples.entries()) {
      if (!isTickNew || origin.follows[i] !== true || !spots.isKnown(sample.timestamp)) yield spotOf(sample);
    }
  }
}

export function spotOf({ resourceId, timestamp }: ReceivedSample): Spot {
  return { resource: tagText(resourceId), at: timestamp };
}
