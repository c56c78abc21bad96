import { sha256, StoreUnavailable, withoutBytes } from '@nephometer/core';
import type { Entry, EntryKind, EntryQuery, Micros, NewEntry } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { bucketKey, indexPoint, lookUp, readJson } from './key-index.ts';
import type { Found } from './key-index.ts';
import { lineOf, Places, stringField, textFields } from './line.ts';
import { ALL_TIME, literal, pages, select, selectEach, tagEquals } from './query.ts';
import type { Row } from './query.ts';
import { chunkText, decodeText, isWhole, joinChunks } from './text.ts';
import type { WriterSession } from './writer.ts';
import { writeLines } from './write-lines.ts';

/** The row of `entry_id` for one entry: what makes it visible. */
type EntryRow = readonly [key: string, writer: string, place: number, bodyDigest: string, recordedAt: Micros];

const keyOf = (kind: EntryKind, id: string): string => `${kind} ${id}`;
const PAGE = 500;
/** Of a body, each below 64 KiB. */
const PIECES_AT_A_TIME = 32;

/**
 * The entries are written first; their rows in the index of ids make them count. Of equal ones the earliest counts.
 * @returns one for each, in order
 */
export async function appendEntries(
  client: InfluxClient,
  session: WriterSession,
  entries: readonly NewEntry[],
): Promise<Entry[]> {
  const { writer } = session;
  const keys = entries.map(({ kind, id }) => keyOf(kind, id));
  const digests = entries.map(({ body }) => sha256(body));
  const found = await lookUp<EntryRow>(client, 'entry_id', keys);
  const lines: string[] = [];
  const rows = new Map<string, EntryRow>();
  const places = new Map<string, Places>();
  for (const [i, entry] of entries.entries()) {
    const [key = '', bodyDigest = ''] = [keys[i], digests[i]];
    const there = found.get(key);
    if (earliest(there, bodyDigest) !== null || rows.has(key + bodyDigest)) continue;
    const recordedAt = session.stamp();
    lines.push(entryLine(entry, writer, bodyDigest, recordedAt));
    const bucket = bucketKey(key);
    const free = places.get(bucket) ?? new Places(there?.placesOf(writer));
    places.set(bucket, free);
    rows.set(key + bodyDigest, [key, writer, free.take(), bodyDigest, recordedAt]);
  }
  if (lines.length > 0) {
    await writeLines(client, lines);
    await session.confirm();
    const index = [...rows.values()].map((row) => lineOf(indexPoint('entry_id', row)));
    await writeLines(client, index);
  }
  const now = lines.length === 0 ? found : await lookUp<EntryRow>(client, 'entry_id', keys);
  return entries.map(({ kind, id, body }, i) => {
    const [key = '', bodyDigest = ''] = [keys[i], digests[i]];
    const row = earliest(now.get(key), bodyDigest) ?? rows.get(key + bodyDigest);
    if (row == null) throw new StoreUnavailable(`The entry ${key} was not appended.`);
    return { kind, id, body, recordedAt: row[4] };
  });
}

function entryLine({ kind, id, body }: NewEntry, writer: string, bodyDigest: string, at: Micros): string {
  const row = stringField(JSON.stringify([id, bodyDigest]));
  const fields = { row, ...textFields('body', body) };
  return lineOf({ measurement: 'entry', tags: { kind, writer }, fields, at, place: 0 });
}

function earliest(found: Found<EntryRow> | undefined, bodyDigest: string): EntryRow | null {
  let first: EntryRow | null = null;
  for (const row of found?.rows ?? []) {
    if (row[3] !== bodyDigest) continue;
    if (first === null || row[4] < first[4] || (row[4] === first[4] && row[1] < first[1])) first = row;
  }
  return first;
}

export async function readEntries(client: InfluxClient, query: EntryQuery): Promise<Entry[]> {
  const { kind, id, ids, limit = Infinity, headsOnly = false } = query;
  if (id !== undefined || ids !== undefined) {
    const wanted = id === undefined ? new Set(ids) : [id].filter((one) => ids?.includes(one) ?? true);
    const found = await entriesById(client, query, [...wanted]);
    return [...found.values()].flat().sort(newestFirst).slice(0, limit);
  }
  const entries: Entry[] = [];
  const question = {
    fields: headsOnly ? 'row, writer' : 'row, writer, body',
    measurement: 'entry',
    where: [tagEquals('kind', kind)],
    span: { from: (query.after ?? ALL_TIME.from) + 1, to: (query.before ?? ALL_TIME.to) - 1 },
    order: 'newest',
    // Some may not count: later copies, and those without their row.
    limit: Math.min(PAGE, limit + 8),
  } as const;
  for await (const rows of pages(client, question)) {
    entries.push(...(await countingEntries(client, kind, rows, headsOnly)));
    if (entries.length >= limit) break;
  }
  return entries.slice(0, limit);
}

/** Of each id its entries, newest first. */
export async function entriesById(
  client: InfluxClient,
  { kind, before = Infinity, after = -Infinity, limit, headsOnly = false }: Omit<EntryQuery, 'id' | 'ids'>,
  ids: readonly string[],
): Promise<Map<string, Entry[]>> {
  const found = await lookUp<EntryRow>(
    client,
    'entry_id',
    ids.map((id) => keyOf(kind, id)),
  );
  const wanted = ids.flatMap((id) => {
    const one = found.get(keyOf(kind, id));
    return (one?.rows ?? [])
      .filter((row) => row[4] < before && row[4] > after && isSame(earliest(one, row[3]), row))
      .sort((a, b) => b[4] - a[4])
      .slice(0, limit)
      .map((row) => ({ id, row }));
  });
  const entries = new Map<string, Entry[]>(ids.map((id) => [id, []]));
  const there = headsOnly ? wanted.map(headOf(kind)) : await entriesOfRows(client, kind, wanted);
  for (const { id, entry } of there) entries.get(id)?.push(entry);
  return entries;
}

const headOf =
  (kind: EntryKind) =>
  ({ id, row: [, , , , recordedAt] }: { id: string; row: EntryRow }) => ({
    id,
    entry: { kind, id, body: '', recordedAt },
  });

const newestFirst = (a: Entry, b: Entry): number => b.recordedAt - a.recordedAt;

async function entriesOfRows(client: InfluxClient, kind: EntryKind, wanted: readonly { id: string; row: EntryRow }[]) {
  const questions = wanted.map(({ row: [, writer, , , recordedAt] }) => {
    const where = [tagEquals('kind', kind), tagEquals('writer', writer)];
    return { fields: 'row, writer, body', measurement: 'entry', where, span: { from: recordedAt, to: recordedAt } };
  });
  const answers = await selectEach(client, questions);
  const entries: { id: string; entry: Entry }[] = [];
  for (const [i, { id, row }] of wanted.entries()) {
    const point = answers[i]?.find(({ values }) => idsOf(values[0])[1] === row[3]);
    if (point === undefined) continue;
    entries.push({ id, entry: { kind, id, body: await bodyOf(client, kind, point), recordedAt: row[4] } });
  }
  return entries;
}

/** Leaves out entries whose row is missing, and later copies. */
async function countingEntries(
  client: InfluxClient,
  kind: EntryKind,
  rows: readonly Row[],
  headsOnly: boolean,
): Promise<Entry[]> {
  const ids = rows.map(({ values }) => idsOf(values[0]));
  const found = await lookUp<EntryRow>(
    client,
    'entry_id',
    ids.map(([id]) => keyOf(kind, id)),
  );
  const entries: Entry[] = [];
  for (const [i, row] of rows.entries()) {
    const [id, bodyDigest] = ids[i] ?? ['', ''];
    const first = earliest(found.get(keyOf(kind, id)), bodyDigest);
    if (first === null || first[4] !== row.at || first[1] !== row.values[1]) continue;
    const body = headsOnly ? '' : await bodyOf(client, kind, row);
    entries.push({ kind, id, body, recordedAt: row.at });
  }
  return entries;
}

async function bodyOf(client: InfluxClient, kind: EntryKind, { at, values }: Row): Promise<string> {
  const [, writer, first] = values;
  if (first === null || first === undefined)
    throw new StoreUnavailable(`InfluxDB holds an entry without a body at ${at}.`);
  if (isWhole(first)) return decodeText(first.slice(1));
  const where = [tagEquals('kind', kind), `"writer" = ${literal(writer ?? '')}`];
  const pieces = [first];
  for (;;) {
    const names = Array.from({ length: PIECES_AT_A_TIME }, (_, i) => `body${pieces.length + i}`);
    const [row] = await select(client, {
      fields: names.join(', '),
      measurement: 'entry',
      where,
      span: { from: at, to: at },
    });
    const more = row?.values ?? [];
    const end = more.indexOf(null);
    pieces.push(...more.slice(0, end === -1 ? names.length : end).filter((piece) => piece !== null));
    if (end !== -1 || more.length === 0) return joinChunks(pieces);
  }
}

/** Bodies are up to many MiB each. */
const SHED_PAGE = 50;

/**
 * Writes quarantined messages again, at their own place and without their bytes; pieces of the body that are no longer
 * needed become empty. Their digest in the index stays that of the body as it was appended.
 */
export async function shedEntries(client: InfluxClient, before: Micros): Promise<number> {
  const question = {
    fields: 'row, writer, body',
    measurement: 'entry',
    where: [tagEquals('kind', 'quarantine')],
    span: { from: ALL_TIME.from, to: before - 1 },
    order: 'oldest',
    limit: SHED_PAGE,
  } as const;
  let shed = 0;
  for await (const rows of pages(client, question)) {
    for (const row of rows) {
      const old = await bodyOf(client, 'quarantine', row);
      const body = withoutBytes(old);
      if (body === null) continue;
      await writeLines(client, [shedLine(row, old, body)]);
      shed += 1;
    }
  }
  return shed;
}

function shedLine({ at, values }: Row, old: string, body: string): string {
  const [row, writer] = values;
  const rest = chunkText(old).flatMap((_piece, i) => (i === 0 ? [] : [[`body${i}`, '""'] as const]));
  const fields = { row: stringField(decodeText(row ?? '')), ...Object.fromEntries(rest), ...textFields('body', body) };
  return lineOf({ measurement: 'entry', tags: { kind: 'quarantine', writer: writer ?? '' }, fields, at, place: 0 });
}

function idsOf(text: string | null | undefined): readonly [id: string, bodyDigest: string] {
  return readJson(text);
}

function isSame(a: EntryRow | null, b: EntryRow): boolean {
  return a !== null && a[1] === b[1] && a[4] === b[4];
}
