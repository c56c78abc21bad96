import { mkdir } from 'node:fs/promises';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { messageOf, SpoolFull } from '@nephometer/core';
import type {
  Lane,
  Logger,
  Micros,
  NewSpooledBatch,
  Spool,
  SpooledBatch,
  SpoolLoss,
  SpoolStats,
} from '@nephometer/core';
import { DiskReserve } from './disk-reserve.ts';
import { SpoolNote } from './spool-note.ts';
import { SpoolLock } from './spool-lock.ts';
import { SpoolLosses } from './spool-losses.ts';
import { entryFor, OVERHEAD_BYTES, spooledBatch, SpoolQueue } from './spool-queue.ts';
import type { Waiting } from './spool-queue.ts';
import { decodeBody, decodeEntry, encodeBody, encodeEntry, entryOf, SPOOL_OPTIONS } from './spool-record.ts';
import { repairSpool } from './spool-repair.ts';
import type { Salvaged } from './spool-repair.ts';
import type { SpoolEntry } from './spool-record.ts';
import { spoolFull } from './spool-memory.ts';
import type { SpoolLimits } from './spool-memory.ts';

export interface LmdbSpoolOptions extends SpoolLimits {
  readonly folder: string;
  readonly log: Logger;
}

const MIB = 2 ** 20;

/**
 * Opens, or makes, the spool in a folder. One process at a time. A damaged one is set aside, what is whole in it is
 * taken over, and what is not is told as a loss.
 */
export async function openLmdbSpool(options: LmdbSpoolOptions): Promise<Spool> {
  const { folder } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = new SpoolLock(folder);
  lock.take();
  try {
    return await openLocked(options, lock);
  } catch (cause) {
    lock.release();
    throw cause;
  }
}

async function openLocked(options: LmdbSpoolOptions, lock: SpoolLock): Promise<Spool> {
  const { folder, maxBytes, log } = options;
  const note = new SpoolNote(folder);
  const salvaged = await repairSpool(folder, note.read(), log);
  // The map is larger than the limit, since deleting copies pages.
  const root = open<Buffer, number>({ ...SPOOL_OPTIONS, path: folder, mapSize: 2 * maxBytes + 64 * MIB });
  const spool = new LmdbSpool(root, options, note, lock);
  spool.load();
  if (salvaged !== null) spool.takeOver(salvaged);
  return spool;
}

/**
 * Two tables by ordinal: `entries` (what a batch is, with a checksum) and `bodies` (its bytes, with theirs). A body
 * that rotted is known by its entry, so the loss is told to the sample. When the broker confirmed what is kept in
 * memory only: after a restart a batch without receipt is sent once more, and the ledger knows it.
 */
class LmdbSpool implements Spool {
  readonly #root: RootDatabase<Buffer, number>;
  readonly #entries: Database<Buffer, number>;
  readonly #bodies: Database<Buffer, number>;
  readonly #options: LmdbSpoolOptions;
  readonly #reserve: DiskReserve;
  readonly #note: SpoolNote;
  readonly #lock: SpoolLock;
  readonly #queue = new SpoolQueue();
  readonly #losses: SpoolLosses;
  #lastOrdinal = 0;
  #closed = false;

  constructor(root: RootDatabase<Buffer, number>, options: LmdbSpoolOptions, note: SpoolNote, lock: SpoolLock) {
    this.#lock = lock;
    this.#root = root;
    this.#note = note;
    this.#options = options;
    this.#entries = root.openDB<Buffer, number>({ name: 'entries', encoding: 'binary' });
    this.#bodies = root.openDB<Buffer, number>({ name: 'bodies', encoding: 'binary' });
    this.#reserve = new DiskReserve(options.folder);
    this.#losses = new SpoolLosses(options.folder);
  }

  /** Reads the entries; one that is broken is rebuilt from its body, or counted as lost. */
  load(): void {
    this.#reserve.fill();
    // Never a number twice: freed records lie about in the file, and a repair must tell them from those that wait.
    this.#lastOrdinal = this.#note.read().last;
    const broken: number[] = [];
    for (const { key, value } of this.#entries.getRange()) {
      const entry = decodeEntry(value) ?? this.#rebuilt(key);
      this.#lastOrdinal = Math.max(this.#lastOrdinal, key);
      if (entry === null) broken.push(key);
      else this.#queue.add({ ...entry, ordinal: key });
    }
    for (const ordinal of broken) this.#lose([{ ordinal, samples: 0, from: null, to: null }], 'spool-corrupt');
    if (broken.length > 0) this.#remove(broken);
  }

  /** Takes over what was saved of a damaged spool. */
  takeOver({ bodies, lost, lastOrdinal }: Salvaged): void {
    const taken: SpoolEntry[] = [];
    for (const [ordinal, body] of bodies) {
      const entry = entryOf(ordinal, body);
      if (entry === null) continue;
      this.#put(entry, body);
      taken.push(entry);
    }
    for (const entry of taken) this.#queue.add(entry);
    this.#lastOrdinal = Math.max(this.#lastOrdinal, lastOrdinal);
    if (lost.length > 0) this.#lose(lost, 'spool-corrupt');
  }

  async append(batch: NewSpooledBatch): Promise<void> {
    if (this.#queue.find(batch.digest) !== undefined) return;
    const { maxBytes, whenFull } = this.#options;
    const size = batch.body.byteLength + OVERHEAD_BYTES;
    if (size > maxBytes || (whenFull === 'refuse-new' && this.#queue.bytes + size > maxBytes)) {
      throw spoolFull(this.#queue.bytes, maxBytes);
    }
    const victims = this.#queue.oldest(this.#queue.bytes + size - maxBytes);
    if (victims.length > 0) this.#forget(victims, 'spool-full');
    if (!this.#reserve.hasRoom(size)) await this.#makeRoomOnDisk(size);
    const ordinal = this.#lastOrdinal + 1;
    const entry = entryFor(batch, ordinal);
    this.#put(entry, batch.body);
    this.#lastOrdinal = ordinal;
    this.#queue.add(entry);
    this.#note.write(this.#queue.standing(this.#lastOrdinal));
  }

  async due(resendBefore: Readonly<Record<Lane, Micros>>, limit: number): Promise<readonly SpooledBatch[]> {
    return this.#queue.due(resendBefore, limit).flatMap((one) => this.#read(one) ?? []);
  }

  async markConfirmed(digests: readonly string[], at: Micros, lane: Lane): Promise<void> {
    for (const digest of digests) this.#queue.confirm(digest, at, lane);
  }

  awaited(lane: Lane): Micros | null {
    return this.#queue.awaited(lane);
  }

  async release(digests: readonly string[]): Promise<void> {
    const found = digests.flatMap((digest) => this.#queue.find(digest) ?? []);
    if (found.length === 0) return;
    this.#remove(found.map(({ ordinal }) => ordinal));
    for (const one of found) this.#queue.release(one);
    this.#note.write(this.#queue.standing(this.#lastOrdinal));
  }

  takeLosses(): readonly SpoolLoss[] {
    return this.#losses.take();
  }

  lossesTold(): void {
    this.#losses.told();
  }

  stats(): SpoolStats {
    return this.#queue.stats();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#root.close();
    this.#lock.release();
  }

  /** The disk is full, whoever filled it: old batches give their pages to new ones where the policy says so. */
  async #makeRoomOnDisk(size: number): Promise<void> {
    if (this.#options.whenFull === 'drop-oldest') {
      const victims = this.#queue.oldest(this.#reserve.missing(this.#queue.bytes, size));
      if (victims.length > 0) this.#forget(victims, 'spool-full');
    }
    if (this.#reserve.missing(this.#queue.bytes, size) > 0) throw diskFull(this.#options.folder);
  }

  /** The body with its checksum proved; a rotten one is counted as lost and removed. */
  #read(one: Waiting): SpooledBatch | null {
    const stored = this.#bodies.get(one.ordinal);
    const body = stored === undefined ? null : decodeBody(stored);
    if (body === null || body.ordinal !== one.ordinal) {
      this.#forget([one], 'spool-corrupt');
      return null;
    }
    return spooledBatch(one, body.body);
  }

  #rebuilt(ordinal: number): SpoolEntry | null {
    const stored = this.#bodies.get(ordinal);
    const body = stored === undefined ? null : decodeBody(stored);
    return body === null ? null : entryOf(ordinal, body.body);
  }

  #forget(victims: readonly Waiting[], reason: SpoolLoss['reason']): void {
    this.#remove(victims.map(({ ordinal }) => ordinal));
    for (const one of victims) this.#queue.remove(one);
    this.#lose(victims, reason);
  }

  #lose(lost: readonly Pick<Waiting, 'ordinal' | 'samples' | 'from' | 'to'>[], reason: SpoolLoss['reason']): void {
    this.#losses.add(lost.map(({ samples, from, to }) => ({ reason, samples, from, to })));
    const samples = lost.reduce((sum, one) => sum + one.samples, 0);
    const fields = { reason, batches: lost.length, samples, ordinals: lost.slice(0, 20).map(({ ordinal }) => ordinal) };
    this.#options.log.error(fields, 'The spool lost batches; the next cycle report tells it.');
  }

  #remove(ordinals: readonly number[]): void {
    this.#reserve.lend(() =>
      this.#root.transactionSync(() => {
        for (const ordinal of ordinals) {
          this.#entries.removeSync(ordinal);
          this.#bodies.removeSync(ordinal);
        }
      }),
    );
  }

  /** @throws SpoolFull when the disk refuses */
  #put(entry: SpoolEntry, body: Uint8Array): void {
    try {
      this.#root.transactionSync(() => {
        this.#entries.putSync(entry.ordinal, encodeEntry(entry));
        this.#bodies.putSync(entry.ordinal, encodeBody(entry.ordinal, body));
      });
    } catch (cause) {
      throw new SpoolFull(`The spool in ${this.#options.folder} cannot be written: ${messageOf(cause)}`);
    }
  }
}

function diskFull(folder: string): SpoolFull {
  return new SpoolFull(
    `The disk of the spool in ${folder} is full; free some of it. Batches that are spooled still go out.`,
  );
}
