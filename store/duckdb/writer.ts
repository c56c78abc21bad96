import type { DuckDBConnection } from '@duckdb/node-api';
import { readMessage, StoreRefused } from '@nephometer/core';
import type {
  BatchRecord,
  Entry,
  FoldRow,
  Micros,
  NewEntry,
  RecordedAtClock,
  RecordOutcome,
  Sample,
} from '@nephometer/core';
import { appendRows } from './append.ts';
import type { Engine } from './engine.ts';
import { keyOf, KnownKeys } from './keys.ts';
import { assertStorable, planRecording } from './plan.ts';
import type { Plan, StoredVersion } from './plan.ts';
import { reopen, resolve } from './resolutions.ts';
import { seriesKey, SeriesTable } from './series.ts';
import { markVoided } from './voids.ts';
import { among, bigintAt, int, numberAt, optionalNumberAt, textAt } from './sql.ts';

interface Waiting {
  readonly batches: readonly BatchRecord[];
  readonly resolve: (outcomes: RecordOutcome[]) => void;
  readonly reject: (cause: unknown) => void;
}

/** The most samples that share a transaction, when several calls wait. */
const MOST_SAMPLES = 50_000;

/**
 * The only one who writes: one transaction after the other. Calls that came while one was written share the next.
 * Within a transaction: what is known of these ids, series, samples, and the ledger rows last.
 */
export class Writer {
  readonly #engine: Engine;
  readonly #stamps: RecordedAtClock;
  readonly #series = new SeriesTable();
  readonly #waiting: Waiting[] = [];
  #tail: Promise<unknown> = Promise.resolve();
  #messages = new KnownKeys(0);
  #digests = new KnownKeys(0);
  #lastBatch = 0;
  #isStale = true;
  #pending: { readonly from: Micros; readonly done: Promise<unknown> } | null = null;
  /** The newest batch that readers may see. */
  committedBatch = 0;
  /** `recorded_at` of the newest resolution that readers may see. */
  committedResolution: Micros = 0;
  /** The same of voids. */
  committedVoid: Micros = 0;
  horizons: ReadonlyMap<string, Micros> = new Map();

  constructor(engine: Engine, stamps: RecordedAtClock) {
    this.#engine = engine;
    this.#stamps = stamps;
  }

  async load(): Promise<void> {
    await this.#enqueue(() => this.#engine.transaction((connection) => this.#refresh(connection)));
  }

  /** Waits for a transaction that may still add rows as of that moment. */
  async settled(asOf: Micros): Promise<void> {
    if (this.#pending !== null && this.#pending.from <= asOf) await this.#pending.done.catch(() => undefined);
  }

  record(batches: readonly BatchRecord[]): Promise<RecordOutcome[]> {
    for (const batch of batches) assertStorable(batch);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batches, resolve, reject });
      void this.#enqueue(() => this.#recordWaiting());
    });
  }

  appendEntry(entry: NewEntry): Promise<Entry> {
    return this.#enqueue(() => this.#announcing((stamp) => this.#appendEntry(entry, stamp)));
  }

  async #appendEntry({ kind, id, body }: NewEntry, stamp: () => Micros): Promise<Entry> {
    const appended = await this.#inTransaction(async (connection) => {
      const same = 'FROM entry WHERE kind = $1 AND id = $2 AND body = $3';
      const [known] = (await connection.runAndReadAll(`SELECT recorded_at ${same}`, [kind, id, body])).getRows();
      if (known !== undefined) return { kind, id, body, recordedAt: numberAt(known, 0) };
      const entry = { kind, id, body, recordedAt: stamp() };
      await connection.run(`INSERT INTO entry VALUES ($1, $2, $3, ${int(entry.recordedAt)})`, [kind, id, body]);
      if (kind === 'resolution') await resolve(connection, entry);
      if (kind === 'void') await markVoided(connection, entry);
      return entry;
    });
    if (kind === 'resolution') this.committedResolution = Math.max(this.committedResolution, appended.recordedAt);
    if (kind === 'void') this.committedVoid = Math.max(this.committedVoid, appended.recordedAt);
    return appended;
  }

  /** In a transaction of its own; nothing that this writer remembers is changed by it. */
  async appendFolds(rows: readonly FoldRow[]): Promise<void> {
    if (rows.length === 0) return;
    const values = rows.map(({ meter, day, series, resourceId, asOf, head, body }) => [
      meter,
      BigInt(day),
      series,
      resourceId,
      BigInt(asOf),
      head,
      body,
    ]);
    await this.#write((connection) => appendRows(connection, 'fold', values));
  }

  /** Runs a change of another kind in its turn; what this writer remembers is loaded anew afterwards. */
  async change<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.#write(async (connection) => {
      const result = await work(connection);
      this.#isStale = true;
      return result;
    });
  }

  /** Resolves when everything that was asked before is written. */
  async idle(): Promise<void> {
    await this.#tail;
  }

  async #recordWaiting(): Promise<void> {
    const calls: Waiting[] = [];
    let samples = 0;
    while (calls.length === 0 || samples < MOST_SAMPLES) {
      const call = this.#waiting.shift();
      if (call === undefined) break;
      calls.push(call);
      samples += call.batches.reduce((sum, batch) => sum + batch.samples.length, 0);
    }
    if (calls.length === 0) return;
    try {
      const outcomes = await this.#recordAll(calls.flatMap((call) => call.batches));
      for (const call of calls) call.resolve(outcomes.splice(0, call.batches.length));
    } catch (cause) {
      if (calls.length === 1 || !(cause instanceof StoreRefused)) for (const call of calls) call.reject(cause);
      else for (const call of calls) await this.#recordCall(call);
    }
  }

  /** By itself, when what it shared a transaction with was refused: that is not its fault. */
  async #recordCall(call: Waiting): Promise<void> {
    try {
      call.resolve(await this.#recordAll(call.batches));
    } catch (cause) {
      call.reject(cause);
    }
  }

  async #recordAll(batches: readonly BatchRecord[]): Promise<RecordOutcome[]> {
    if (batches.length === 0) return [];
    return this.#announcing((nextRecordedAt) =>
      this.#inTransaction(async (connection) => {
        const digests = await this.#knownDigests(connection, batches);
        const versions = await this.#knownVersions(connection, batches, digests);
        const known = { digests, versions, horizons: this.horizons };
        const plan = planRecording(batches, known, { nextId: () => ++this.#lastBatch, nextRecordedAt });
        await this.#append(connection, plan);
        await reopen(connection, plan);
        return plan.outcomes;
      }),
    );
  }

  /** Readers as of a moment wait for what was stamped before it and is not committed yet. */
  async #announcing<T>(work: (stamp: () => Micros) => Promise<T>): Promise<T> {
    let finish: () => void = () => undefined;
    const done = new Promise<void>((settle) => (finish = settle));
    const stamp = (): Micros => {
      const at = this.#stamps.next();
      this.#pending ??= { from: at, done };
      return at;
    };
    try {
      return await work(stamp);
    } finally {
      this.#pending = null;
      finish();
    }
  }

  async #append(connection: DuckDBConnection, plan: Plan): Promise<void> {
    const ids = await this.#series.resolve(connection, plan.samples);
    const rows = plan.samples.map(({ sample, batchId, batchIndex, key, isLate, conflictSince }) => {
      this.#messages.add(key);
      const { timestamp, messageId, slot, volume, text } = sample;
      return [
        ids.get(seriesKey(sample)) ?? 0,
        BigInt(timestamp),
        BigInt(batchId),
        batchIndex,
        key,
        messageId,
        slot === null ? null : BigInt(slot),
        volume.coefficient,
        volume.scale,
        isLate,
        conflictSince === null ? null : BigInt(conflictSince),
        text,
        null,
      ];
    });
    await appendRows(connection, 'sample', rows);
    for (const since of new Set(plan.conflicts.values())) {
      const rowIds = [...plan.conflicts].filter(([, batch]) => batch === since).map(([rowId]) => rowId);
      await connection.run(`UPDATE sample SET conflict_since = ${int(since)} WHERE ${among('rowid', rowIds)}`);
    }
    await appendRows(
      connection,
      'batch',
      plan.batches.map(({ id, batch, outcome }) => {
        const { digest, header, headerText, keyId, transport } = batch;
        const digestKey = keyOf(digest);
        this.#digests.add(digestKey);
        const duplicates = outcome.duplicates.length;
        return [
          BigInt(id),
          digestKey,
          digest,
          BigInt(outcome.recordedAt),
          header?.agent_id ?? null,
          header?.epoch ?? null,
          header === null ? null : BigInt(header.seq),
          keyId,
          transport,
          batch.samples.length - duplicates,
          duplicates,
          headerText,
        ];
      }),
    );
  }

  async #knownDigests(connection: DuckDBConnection, batches: readonly BatchRecord[]): Promise<Map<string, Micros>> {
    const keys = [...new Set(batches.map(({ digest }) => keyOf(digest)))].filter((key) => this.#digests.mayHave(key));
    if (keys.length === 0) return new Map();
    const found = await connection.runAndReadAll(
      `SELECT digest, recorded_at FROM batch WHERE ${among('digest_key', keys)}`,
    );
    return new Map(found.getRows().map((row) => [textAt(row, 0), numberAt(row, 1)]));
  }

  async #knownVersions(
    connection: DuckDBConnection,
    batches: readonly BatchRecord[],
    digests: ReadonlyMap<string, Micros>,
  ): Promise<Map<string, StoredVersion[]>> {
    const fresh = batches.filter(({ digest }) => !digests.has(digest)).flatMap(({ samples }) => samples);
    const keys = [...new Set(fresh.map(({ messageId }) => keyOf(messageId)))];
    const candidates = keys.filter((key) => this.#messages.mayHave(key));
    const versions = new Map<string, StoredVersion[]>();
    if (candidates.length === 0) return versions;
    const found = await connection.runAndReadAll(
      `SELECT rowid, conflict_since, text FROM sample WHERE ${among('message_key', candidates)}`,
    );
    for (const row of found.getRows()) {
      const sample: Sample = readMessage(textAt(row, 2)).sample;
      const version = { rowId: bigintAt(row, 0), conflictSince: optionalNumberAt(row, 1), sample };
      versions.set(sample.messageId, [...(versions.get(sample.messageId) ?? []), version]);
    }
    return versions;
  }

  #write<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.#enqueue(() => this.#inTransaction(work));
  }

  /** A transaction of which nothing is remembered unless it is committed. */
  async #inTransaction<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    try {
      const result = await this.#engine.transaction(async (connection) => {
        if (this.#isStale || this.#messages.isFull || this.#digests.isFull) await this.#refresh(connection);
        return work(connection);
      });
      this.committedBatch = this.#lastBatch;
      return result;
    } catch (cause) {
      this.#isStale = true;
      throw cause;
    }
  }

  /** Reads what the writer must remember from the tables. */
  async #refresh(connection: DuckDBConnection): Promise<void> {
    const one = async (sql: string) => (await connection.runAndReadAll(sql)).getRows()[0] ?? [];
    this.#lastBatch = numberAt(await one('SELECT coalesce(max(id), 0) FROM batch'), 0);
    this.#messages = await loadKeys(connection, 'sample', 'message_key');
    this.#digests = await loadKeys(connection, 'batch', 'digest_key');
    await this.#series.reload(connection);
    const horizons = (await connection.runAndReadAll('SELECT meter, keep_from FROM horizon')).getRows();
    this.horizons = new Map(horizons.map((row) => [textAt(row, 0), numberAt(row, 1)]));
    this.committedBatch = this.#lastBatch;
    this.committedResolution = numberAt(await one('SELECT coalesce(max(recorded_at), 0) FROM resolution'), 0);
    this.committedVoid = numberAt(await one("SELECT coalesce(max(recorded_at), 0) FROM entry WHERE kind = 'void'"), 0);
    this.#isStale = false;
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

async function loadKeys(connection: DuckDBConnection, table: string, column: string): Promise<KnownKeys> {
  const count = numberAt((await connection.runAndReadAll(`SELECT count(*) FROM ${table}`)).getRows()[0] ?? [], 0);
  const keys = new KnownKeys(count);
  const result = await connection.stream(`SELECT ${column} FROM ${table}`);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const key of chunk.getColumnValues(0)) if (typeof key === 'bigint') keys.add(key);
  }
  return keys;
}
