import { compareText } from '@nephometer/core';
import type { BatchRecord, LedgerQuery, LedgerRow, Micros, Transport } from '@nephometer/core';
import type { InfluxClient } from './client.ts';
import { indexPoint, lookUp, readJson, whereIs } from './key-index.ts';
import type { Found, IndexRow } from './key-index.ts';
import { stringField, textFields } from './line.ts';
import type { Place, Point } from './line.ts';
import { ALL_TIME, pages, selectEach } from './query.ts';
import { decodeText, isWhole, joinChunks } from './text.ts';

/** A ledger row without the header's text. */
export interface Recorded extends Omit<LedgerRow, 'headerText'> {
  /** Whose samples of this batch count. */
  readonly writer: string;
  /** Times of the first and the last sample; null when it has none. Undefined: written before this was kept. */
  readonly extent: readonly [first: Micros, last: Micros] | null | undefined;
}

export type LedgerValues = readonly [
  digest: string,
  writer: string,
  place: Place,
  recordedAt: Micros,
  agentId: string | null,
  epoch: string | null,
  seq: number | null,
  keyId: string | null,
  transport: Transport,
  samples: number,
  duplicates: number,
  first?: Micros | null,
  last?: Micros | null,
];

/** Nothing can become the earlier row of a batch once this has passed: twice the commit horizon. */
const SETTLED_AFTER: Micros = 60_000_000;
const CACHED_ROWS = 100_000;

export class Ledger {
  readonly #client: InfluxClient;
  readonly #now: () => Micros;
  readonly #settled = new Map<string, Recorded>();

  constructor(client: InfluxClient, now: () => Micros) {
    this.#client = client;
    this.#now = now;
  }

  /** The row that counts of each batch that has one: of several writers' the one recorded first. */
  async rowsOf(digests: Iterable<string>): Promise<Map<string, Recorded>> {
    const rows = new Map<string, Recorded>();
    const unknown: string[] = [];
    for (const digest of new Set(digests)) {
      const settled = this.#settled.get(digest);
      if (settled === undefined) unknown.push(digest);
      else rows.set(digest, settled);
    }
    for (const [digest, found] of await lookUp<LedgerValues>(this.#client, 'ledger', unknown)) {
      const row = winner(found);
      if (row === null) continue;
      rows.set(digest, row);
      this.#keep(row);
    }
    return rows;
  }

  #keep(row: Recorded): void {
    if (row.recordedAt > this.#now() - SETTLED_AFTER) return;
    if (this.#settled.size >= CACHED_ROWS) this.#settled.clear();
    this.#settled.set(row.digest, row);
  }

  async *list(query: LedgerQuery): AsyncGenerator<LedgerRow> {
    let left = query.limit ?? Infinity;
    for await (const rows of this.#pages(query)) {
      const wanted = rows.filter((row) => matches(row, query)).slice(0, left);
      yield* await this.#withHeaders(wanted);
      left -= wanted.length;
      if (left <= 0) return;
    }
  }

  /** Rows in order of `recorded_at`, page by page, without their headers. */
  pages(query: LedgerQuery): AsyncGenerator<Recorded[]> {
    return this.#pages(query);
  }

  async *#pages(query: LedgerQuery): AsyncGenerator<Recorded[]> {
    if (query.digest !== undefined) {
      yield [...(await this.rowsOf([query.digest])).values()];
      return;
    }
    const span = { from: (query.after ?? ALL_TIME.from) + 1, to: query.upTo ?? ALL_TIME.to };
    const question = { fields: 'row', measurement: 'ledger_log', span, order: 'oldest', limit: 1000 } as const;
    for await (const page of pages(this.#client, question)) {
      const logged = page.map(({ at, values }) => ({ at, row: readJson<LogRow>(values[0]) }));
      const rows = await this.rowsOf(logged.map(({ row: [digest] }) => digest));
      yield logged
        .map(({ at, row: [digest, writer] }) => ({ at, writer, recorded: rows.get(digest) }))
        .filter(({ at, writer, recorded }) => recorded?.recordedAt === at && recorded.writer === writer)
        .flatMap(({ recorded }) => recorded ?? [])
        .sort((a, b) => a.recordedAt - b.recordedAt || compareText(a.digest, b.digest));
    }
  }

  async #withHeaders(rows: readonly Recorded[]): Promise<LedgerRow[]> {
    const questions = rows.map(({ digest }) => ({ fields: 'row, header', measurement: 'ledger', ...whereIs(digest) }));
    const answers = await selectEach(this.#client, questions);
    const full: LedgerRow[] = [];
    for (const [i, { writer, extent: _extent, ...row }] of rows.entries()) {
      const mine = answers[i]?.find(({ values }) =>
        isRow(readJson<IndexRow>(values[0]), row.digest, writer, row.recordedAt),
      );
      full.push({ ...row, headerText: await this.#headerText(row.digest, mine?.values[1] ?? null) });
    }
    return full;
  }

  async #headerText(digest: string, first: string | null): Promise<string | null> {
    if (first === null) return null;
    if (isWhole(first)) return decodeText(first.slice(1));
    // Every row of a batch has the same header; the first point that has all its pieces will do.
    for (let pieces = [first], i = 1; ; i++) {
      const [rows] = await selectEach(this.#client, [
        { fields: `header, header${i}`, measurement: 'ledger', ...whereIs(digest) },
      ]);
      const next = rows?.find(({ values }) => values[0] === first)?.values[1] ?? null;
      if (next === null) return joinChunks(pieces);
      pieces = [...pieces, next];
    }
  }
}

function isRow(row: IndexRow, digest: string, writer: string, recordedAt: Micros): boolean {
  return row[0] === digest && row[1] === writer && row[3] === recordedAt;
}

function matches(row: Recorded, { digest, agentId, epoch, after, upTo }: LedgerQuery): boolean {
  return (
    row.digest === (digest ?? row.digest) &&
    row.agentId === (agentId ?? row.agentId) &&
    row.epoch === (epoch ?? row.epoch) &&
    row.recordedAt > (after ?? -Infinity) &&
    row.recordedAt <= (upTo ?? Infinity)
  );
}

export function winner({ rows }: Found<LedgerValues>): Recorded | null {
  let first: Recorded | null = null;
  for (const values of rows) {
    const row = recordedOf(values);
    if (first === null || isBefore(row, first)) first = row;
  }
  return first;
}

function isBefore(a: Recorded, b: Recorded): boolean {
  return a.recordedAt < b.recordedAt || (a.recordedAt === b.recordedAt && compareText(a.writer, b.writer) < 0);
}

function recordedOf(values: LedgerValues): Recorded {
  const [digest, writer, , recordedAt, agentId, epoch, seq, keyId, transport, samples, duplicates, first, last] =
    values;
  const extent = first == null || last == null ? (first === undefined ? undefined : null) : ([first, last] as const);
  return { digest, writer, recordedAt, agentId, epoch, seq, keyId, transport, samples, duplicates, extent };
}

/** The row itself: what makes the batch visible. */
export function ledgerPoint(batch: BatchRecord, row: Omit<Recorded, 'digest'>, place: Place): Point {
  const { writer, recordedAt, agentId, epoch, seq, keyId, transport, samples, duplicates, extent } = row;
  const counts = [transport, samples, duplicates, extent?.[0] ?? null, extent?.[1] ?? null] as const;
  const point = indexPoint('ledger', [
    batch.digest, writer, place, recordedAt, agentId, epoch, seq, keyId, ...counts,
  ]); // prettier-ignore
  const header = batch.headerText === null ? {} : textFields('header', batch.headerText);
  return { ...point, fields: { ...point.fields, ...header } };
}

/** The row of the ledger's log; `newest`: time of the newest sample that was placed under the writer's name by then. */
export type LogRow = readonly [digest: string, writer: string, newest: Micros | null];

/** Finds rows by `recorded_at`; counts only when the row itself is there. */
export function ledgerLogPoint(recordedAt: Micros, [digest, writer, newest]: LogRow): Point {
  const row = JSON.stringify([digest, writer, newest]);
  return { measurement: 'ledger_log', tags: { writer }, fields: { row: stringField(row) }, at: recordedAt, place: 0 };
}
