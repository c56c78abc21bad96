import { SECOND, StoreRefused, StoreUnavailable } from '@nephometer/core';
import type { BatchRecord, Clock, Micros, RecordOutcome } from '@nephometer/core';
import { KnownVersions } from './classify.ts';
import type { Classified } from './classify.ts';
import { WriteRejected } from './client.ts';
import type { InfluxClient } from './client.ts';
import { markLines } from './conflict-marks.ts';
import { bucketKey, lookUp } from './key-index.ts';
import type { Found } from './key-index.ts';
import { ledgerLogPoint, ledgerPoint, winner } from './ledger.ts';
import type { Ledger, LedgerValues } from './ledger.ts';
import { lineOf, Places } from './line.ts';
import { lookAgain, lookBefore } from './look.ts';
import type { OddIds } from './odd-ids.ts';
import { noticeLines, sampleLines } from './sample-lines.ts';
import { findRefused, writeLines } from './write-lines.ts';
import type { WriterSession } from './writer.ts';

/** Half the commit horizon: a row that is not written so long after its `recorded_at` is given up and stamped anew. */
const LONGEST_COMMIT: Micros = 15 * SECOND;

export interface RecordContext {
  readonly client: InfluxClient;
  readonly ledger: Ledger;
  readonly odd: OddIds;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/**
 * Records batches in this order, so that a crash anywhere leaves nothing visible that is not whole:
 * 1. look what the ledger has, which ticks of agents are there already, and what the index of message_ids has of the ids
 *    that can be there (see origin.ts);
 * 2. write the ticks and the odd ids, then samples and their entries in that index;
 * 3. look for other writers' entries that came meanwhile (each writes its own before it looks, so one of two sees both);
 * 4. write marks of conflicts; 5. write the ledger's log, then its rows.
 * @throws StoreRefused naming the batches that InfluxDB refuses; all others are recorded then
 */
export async function recordBatches(
  context: RecordContext,
  session: WriterSession,
  batches: readonly BatchRecord[],
): Promise<RecordOutcome[]> {
  const distinct = new Map(batches.map((batch) => [batch.digest, batch]));
  const outcomes = new Map<string, RecordOutcome>();
  const found = await lookUp<LedgerValues>(context.client, 'ledger', distinct.keys());
  const fresh = [...distinct.values()].filter((batch) => {
    const row = winner(found.get(batch.digest) ?? nothing);
    if (row !== null) outcomes.set(batch.digest, duplicateOf(batch.digest, row.recordedAt));
    return row === null;
  });
  const refused = await recordFresh(context, session, fresh, found, outcomes);
  if (refused.size > 0) throw refusal(refused);
  const seen = new Set<string>();
  return batches.map(({ digest }) => {
    const outcome = outcomes.get(digest);
    if (outcome === undefined) throw new StoreUnavailable(`The batch ${digest} was not recorded.`);
    if (!seen.has(digest)) return seen.add(digest) && outcome;
    return duplicateOf(digest, outcome.recordedAt);
  });
}

async function recordFresh(
  context: RecordContext,
  session: WriterSession,
  fresh: readonly BatchRecord[],
  found: ReadonlyMap<string, Found<LedgerValues>>,
  outcomes: Map<string, RecordOutcome>,
): Promise<Map<string, StoreRefused>> {
  if (fresh.length === 0) return new Map();
  const { client, ledger, odd } = context;
  const isOwn = (digest: string): boolean => fresh.some((batch) => batch.digest === digest);
  session.spots.trim();
  const looked = await lookBefore(client, odd, session.spots, fresh);
  const known = await KnownVersions.read(client, ledger, looked.messages, isOwn);
  const classified = fresh.map((batch) => known.classify(batch));
  const [notices, lines] = [noticeLines(looked, session), sampleLines(looked, classified, session)];
  session.assertFresh();
  await writeLines(client, notices);
  session.assertFresh();
  const refused = await writeSamples(client, fresh, lines);
  if (refused.size > 0) {
    // What counted as stored before may have been in a refused batch: sort the others out again.
    const others = fresh.filter(({ digest }) => !refused.has(digest));
    return new Map([...refused, ...(await recordFresh(context, session, others, found, outcomes))]);
  }
  const othersWrote = await session.confirm();
  const marks = classified.flatMap((one) => one.marks);
  if (othersWrote) {
    const now = await lookAgain(client, odd, looked.arrived);
    const versions = await KnownVersions.read(client, ledger, now, isOwn);
    marks.push(...classified.flatMap((one) => versions.marksAgainst(one)));
  }
  if (marks.length > 0) await writeLines(client, await markLines(client, marks, session.writer));
  await commit(context, session, classified, found, outcomes);
  if (othersWrote) await correctOutcomes(client, session.writer, fresh, outcomes);
  return new Map();
}

/** Writes everything, or else each batch by itself to find which are refused. */
async function writeSamples(
  client: InfluxClient,
  batches: readonly BatchRecord[],
  lines: readonly (readonly string[])[],
): Promise<Map<string, StoreRefused>> {
  const refused = new Map<string, StoreRefused>();
  try {
    await writeLines(client, lines.flat());
  } catch (cause) {
    if (!(cause instanceof WriteRejected)) throw cause;
    for (const [i, { digest }] of batches.entries()) {
      const problem = await findRefused(client, lines[i] ?? []);
      if (problem !== null) refused.set(digest, problem);
    }
  }
  return refused;
}

/** The log first: it counts only with the row, so a crash between the two shows nothing. */
async function commit(
  { client, clock, timeoutMs }: RecordContext,
  session: WriterSession,
  classified: readonly Classified[],
  found: ReadonlyMap<string, Found<LedgerValues>>,
  outcomes: Map<string, RecordOutcome>,
): Promise<void> {
  const { writer, spots } = session;
  const newest = Number.isFinite(spots.newest) ? spots.newest : null;
  const started = clock.monotonic();
  const places = new Map<string, Places>();
  const log: string[] = [];
  const rows: string[] = [];
  for (const { batch, kept, duplicates, conflicts } of classified) {
    const recordedAt = session.stamp();
    const taken = (): number[] => found.get(batch.digest)?.placesOf(writer) ?? [];
    const bucket = bucketKey(batch.digest);
    const free = places.get(bucket) ?? new Places(taken());
    places.set(bucket, free);
    const place = free.take();
    const counts = { samples: kept.length, duplicates: duplicates.length };
    const { digest, header, keyId, transport } = batch;
    const extent = extentOf(kept);
    const agent = { agentId: header?.agent_id ?? null, epoch: header?.epoch ?? null, seq: header?.seq ?? null };
    log.push(lineOf(ledgerLogPoint(recordedAt, [digest, writer, newest])));
    rows.push(lineOf(ledgerPoint(batch, { writer, recordedAt, ...agent, keyId, transport, ...counts, extent }, place)));
    outcomes.set(digest, { digest, outcome: 'recorded', recordedAt, duplicates, conflicts });
  }
  const left = (): number => Math.min(timeoutMs, Math.floor((started + LONGEST_COMMIT - clock.monotonic()) / 1000));
  try {
    await writeLines(client, log, Math.max(1, left()));
    if (left() <= 0) throw new StoreUnavailable('The ledger rows could not be written in time; nothing was recorded.');
    await writeLines(client, rows, left());
  } catch (cause) {
    if (!(cause instanceof WriteRejected)) throw cause;
    throw new StoreRefused(`The ledger row is refused: ${cause.message}`);
  }
}

function extentOf(kept: Classified['kept']): readonly [Micros, Micros] | null {
  let [first, last] = [Infinity, -Infinity];
  for (const { sample } of kept) [first, last] = [Math.min(first, sample.timestamp), Math.max(last, sample.timestamp)];
  return kept.length === 0 ? null : [first, last];
}

/** Another collector may have recorded the same batch at the same time, and earlier. */
async function correctOutcomes(
  client: InfluxClient,
  writer: string,
  fresh: readonly BatchRecord[],
  outcomes: Map<string, RecordOutcome>,
): Promise<void> {
  for (const [digest, found] of await lookUp<LedgerValues>(
    client,
    'ledger',
    fresh.map((batch) => batch.digest),
  )) {
    const row = winner(found);
    if (row !== null && row.writer !== writer) outcomes.set(digest, duplicateOf(digest, row.recordedAt));
  }
}

function duplicateOf(digest: string, recordedAt: Micros): RecordOutcome {
  return { digest, outcome: 'duplicate', recordedAt, duplicates: [], conflicts: [] };
}

function refusal(refused: ReadonlyMap<string, StoreRefused>): StoreRefused {
  const each = [...refused].map(([digest, problem]) => `batch ${digest}: ${problem.message}`);
  return new StoreRefused(`InfluxDB refuses ${refused.size} batch(es); the others are recorded. ${each.join('; ')}`);
}

const nothing: Found<never> = { rows: [], placesOf: () => [] };
