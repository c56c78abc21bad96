import { existsSync } from 'node:fs';
import { chmod, mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { MeteringError, messageOf, StoreLocked, StoreRefused, StoreUnavailable } from '@nephometer/core';
import { migrate } from './schema.ts';

export type Row = readonly DuckDBValue[];

/** The file lock keeps other processes out but not this one: a second opening would damage the file. */
const openFiles = new Set<string>();

/** Tenants' data; a mode that somebody gave the file since is left as it is. */
const PRIVATE = 0o600;
const MOST_IDLE_READERS = 4;

/**
 * One database file, opened: a connection that writes and others that read, each question on its own. When the engine
 * has given itself up (it does after a failed write to disk), the file is opened anew at the next use.
 */
export class Engine {
  readonly path: string;
  #instance: DuckDBInstance | null;
  #writer: DuckDBConnection;
  #readers: DuckDBConnection[] = [];
  readonly #reading = new Set<Promise<Row[]>>();
  #isBroken = false;
  #isClosed = false;
  #closing: Promise<void> | null = null;
  #reopening: Promise<void> | null = null;

  private constructor(path: string, instance: DuckDBInstance, writer: DuckDBConnection) {
    this.path = path;
    this.#instance = instance;
    this.#writer = writer;
  }

  /** @throws StoreLocked, StoreRefused, StoreUnavailable */
  static async open(path: string): Promise<Engine> {
    const file = await fileAt(path);
    if (openFiles.has(file)) throw new StoreLocked(lockedMessage(file, 'this process itself'));
    openFiles.add(file);
    try {
      const { instance, writer } = await openFile(file);
      return new Engine(file, instance, writer);
    } catch (cause) {
      openFiles.delete(file);
      throw openingError(cause, file);
    }
  }

  /** Runs a question on a connection of its own. @throws StoreUnavailable */
  read(sql: string, values: string[] = []): Promise<Row[]> {
    const reading: Promise<Row[]> = this.#read(sql, values).finally(() => this.#reading.delete(reading));
    this.#reading.add(reading);
    return reading;
  }

  async #read(sql: string, values: string[]): Promise<Row[]> {
    await this.#ready();
    try {
      const reader = this.#readers.pop() ?? (await this.#connect());
      const rows = (await reader.runAndReadAll(sql, values)).getRows();
      if (this.#readers.length < MOST_IDLE_READERS && !this.#isClosed) this.#readers.push(reader);
      else reader.closeSync();
      return rows;
    } catch (cause) {
      throw this.failed(cause);
    }
  }

  /**
   * Runs what `write` does in one transaction; nothing is written when it throws.
   * @throws StoreRefused for what no later attempt can write either, StoreUnavailable for all else
   */
  async transaction<T>(write: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    await this.#ready();
    try {
      await this.#writer.run('BEGIN');
      const result = await write(this.#writer);
      await this.#writer.run('COMMIT');
      return result;
    } catch (cause) {
      // When the commit itself failed there is no transaction left, and the rollback has nothing to do.
      await this.#writer.run('ROLLBACK').catch(() => undefined);
      throw refusedWrite(cause) ?? this.failed(cause);
    }
  }

  /** Writes what the log holds into the file and frees the space of removed samples. */
  async checkpoint(): Promise<void> {
    await this.#ready();
    // Refused while a reader still looks at removed rows: the space is freed by a later one.
    await this.#writer.run('CHECKPOINT').catch((cause: unknown) => void this.failed(cause));
  }

  /** Waits for questions under way: the engine takes the process down when it is closed beneath one. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#reading);
    this.#release();
    openFiles.delete(this.path);
  }

  /** The port's error for what the engine threw; notes when the engine cannot go on. */
  failed(cause: unknown): MeteringError {
    if (cause instanceof MeteringError) return cause;
    const message = messageOf(cause);
    if (/FATAL Error|has been invalidated|INTERNAL Error/.test(message)) this.#isBroken = true;
    return new StoreUnavailable(`The store ${this.path} failed: ${firstLine(message)}`, { cause });
  }

  async #connect(): Promise<DuckDBConnection> {
    if (this.#instance === null) throw closedError(this.path);
    return this.#instance.connect();
  }

  async #ready(): Promise<void> {
    if (this.#isClosed) throw closedError(this.path);
    if (!this.#isBroken) return;
    this.#reopening ??= this.#reopen().finally(() => (this.#reopening = null));
    await this.#reopening;
  }

  async #reopen(): Promise<void> {
    this.#release();
    try {
      const { instance, writer } = await openFile(this.path);
      this.#instance = instance;
      this.#writer = writer;
      this.#isBroken = false;
    } catch (cause) {
      throw new StoreUnavailable(`The store ${this.path} cannot be opened again: ${firstLine(messageOf(cause))}`);
    }
  }

  #release(): void {
    for (const connection of [...this.#readers, this.#writer]) connection.closeSync();
    this.#readers = [];
    this.#instance?.closeSync();
    this.#instance = null;
  }
}

const REFUSED = /^(Conversion|Constraint|Out of Range|Invalid Input|Mismatch Type) Error/;

/** The error of a write that fails for what was to be written, so that it fails again; null for any other. */
function refusedWrite(cause: unknown): StoreRefused | null {
  const isOurs = cause instanceof TypeError || cause instanceof RangeError;
  if (!isOurs && !REFUSED.test(messageOf(cause))) return null;
  return new StoreRefused(`The store cannot write it: ${firstLine(messageOf(cause))}`, { cause });
}

async function openFile(file: string): Promise<{ instance: DuckDBInstance; writer: DuckDBConnection }> {
  const isNew = !existsSync(file);
  const instance = await DuckDBInstance.create(file, OPTIONS);
  if (isNew) await chmod(file, PRIVATE);
  try {
    const writer = await instance.connect();
    await migrate(writer, file);
    return { instance, writer };
  } catch (cause) {
    instance.closeSync();
    throw cause;
  }
}

/** The parent folder is made; links are followed, so that one file has one name. */
async function fileAt(path: string): Promise<string> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await realpath(path).catch(async () => join(await realpath(dirname(path)), basename(path)));
  } catch (cause) {
    throw new StoreUnavailable(`The folder of the store ${path} cannot be made: ${messageOf(cause)}`, { cause });
  }
}

const OPTIONS = {
  // Extensions are never fetched: the store works without a network and runs nothing that it was not built with.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  // The engine's own default is most of the machine's memory; beyond this it works on disk, beside the file.
  memory_limit: '1GB',
  // The oldest file format that has zstd; used for new files.
  storage_compatibility_version: 'v1.2.0',
};

function openingError(cause: unknown, path: string): MeteringError {
  if (cause instanceof MeteringError) return cause;
  const message = messageOf(cause);
  if (/could not set lock/i.test(message)) {
    return new StoreLocked(lockedMessage(path, /held in (.+?\(PID \d+\))/.exec(message)?.[1] ?? 'another process'));
  }
  if (/not a valid|is a directory|checksum|corrupt|serializ|newer version|incompatible/i.test(message)) {
    return new StoreRefused(
      `${path} is not a store that can be read: ${firstLine(message)} Name another file, or restore this one from a backup.`,
      { cause },
    );
  }
  return new StoreUnavailable(`The store ${path} cannot be opened: ${firstLine(message)}`, { cause });
}

function lockedMessage(path: string, holder: string): string {
  return (
    `The store ${path} is in use by ${holder}. One process at a time can use it: stop that one, give this one a ` +
    'data_dir of its own, or ask the running one through its API.'
  );
}

function closedError(path: string): StoreUnavailable {
  return new StoreUnavailable(`The store ${path} is closed; open it again.`);
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).trim();
}
