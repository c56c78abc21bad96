import type { Micros } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { readJson } from './key-index.ts';
import { lineOf, Places, stringField } from './line.ts';
import { select, selectEach } from './query.ts';
import type { Span } from './query.ts';
import type { Ledger } from './ledger.ts';
import { resolutionsOf } from './resolutions.ts';

/**
 * Two versions of a message_id that say different things. One mark stands at the timestamp of each, so that a read of any
 * span finds the marks that concern it. A mark counts once both batches are in the ledger.
 */
export interface ConflictMark {
  readonly messageId: string;
  readonly digests: readonly [string, string];
  readonly at: Micros;
}

type MarkRow = readonly [messageId: string, writer: string, place: number, digestA: string, digestB: string];

/** Lines of the marks that are not there yet. */
export async function markLines(
  client: InfluxClient,
  marks: readonly ConflictMark[],
  writer: string,
): Promise<string[]> {
  const byTime = new Map<Micros, ConflictMark[]>();
  for (const mark of marks) byTime.set(mark.at, [...(byTime.get(mark.at) ?? []), mark]);
  const times = [...byTime.keys()];
  const questions = times.map((at) => ({ fields: 'row', measurement: 'conflict', span: { from: at, to: at } }));
  const answers = await selectEach(client, questions);
  return times.flatMap((at, i) => {
    const known = (answers[i] ?? []).map(({ values }) => readJson<MarkRow>(values[0]));
    const places = new Places(known.filter(([, by]) => by === writer).map(([, , place]) => place));
    const seen = new Set(known.map(([id, , , a, b]) => JSON.stringify([id, a, b])));
    return (byTime.get(at) ?? []).flatMap(({ messageId, digests }) => {
      const key = JSON.stringify([messageId, ...digests]);
      if (seen.has(key)) return [];
      seen.add(key);
      const place = places.take();
      const row: MarkRow = [messageId, writer, place, ...digests];
      const fields = { row: stringField(JSON.stringify(row)) };
      return lineOf({ measurement: 'conflict', tags: { writer }, fields, at, place });
    });
  });
}

/** What is decided, and what is not, of the message_ids with a mark in a span. */
export interface Conflicts {
  /** In conflict, and no decision settles all versions. */
  readonly open: ReadonlySet<string>;
  /** Decided: digest of the batch whose version counts; null: none. */
  readonly kept: ReadonlyMap<string, string | null>;
}

/** As of a moment. */
export async function conflictsWithin(
  client: InfluxClient,
  ledger: Ledger,
  span: Span,
  asOf: Micros = Infinity,
): Promise<Conflicts> {
  const rows = await select(client, { fields: 'row', measurement: 'conflict', span });
  const marks = rows.map(({ values }) => readJson<MarkRow>(values[0]));
  const recorded = await ledger.rowsOf(marks.flatMap(([, , , a, b]) => [a, b]));
  /** When the newest version known came. */
  const since = new Map<string, Micros>();
  for (const [id, , , a, b] of marks) {
    const at = Math.max(recorded.get(a)?.recordedAt ?? Infinity, recorded.get(b)?.recordedAt ?? Infinity);
    if (at <= asOf && at !== Infinity) since.set(id, Math.max(at, since.get(id) ?? -Infinity));
  }
  const resolutions = await resolutionsOf(client, [...since.keys()], asOf);
  const open = new Set<string>();
  const kept = new Map<string, string | null>();
  for (const [id, at] of since) {
    const resolved = resolutions.get(id);
    if (resolved === undefined || resolved.recordedAt < at) open.add(id);
    else kept.set(id, resolved.keep);
  }
  return { open, kept };
}
