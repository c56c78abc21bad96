import { closeSync, existsSync, fsyncSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { exportSchemas } from '@nephometer/api';
import type { ExportPartitionAnswer, ExportPlanAnswer } from '@nephometer/api';
import { EXIT_CODES } from '@nephometer/core';
import { ApiError } from '../client.ts';

const NAME = 'export.progress.ndjson';

/** What an export that was begun has come to. */
export interface Begun {
  readonly plan: ExportPlanAnswer;
  readonly done: ReadonlyMap<string, ExportPartitionAnswer>;
}

/**
 * The progress of an export in its folder: the plan in the first line, then a line for each partition whose files are all
 * there. A line that a crash has cut is not counted. Gone when the manifest is written.
 */
export class Journal {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, NAME);
  }

  /** Null where nothing was begun. @throws ApiError when it was changed */
  read(): Begun | null {
    if (!existsSync(this.#file)) return null;
    const text = readFileSync(this.#file, 'utf8');
    const end = text.lastIndexOf('\n') + 1;
    // What a crash has cut is taken off, so that the next line starts a line.
    if (end < text.length) truncateSync(this.#file, Buffer.byteLength(text.slice(0, end)));
    const [head, ...lines] = text.slice(0, end).split('\n').slice(0, -1);
    return head === undefined ? null : this.#parsed(head, lines);
  }

  #parsed(head: string, lines: readonly string[]): Begun {
    try {
      const plan = exportSchemas.ExportPlanAnswer.parse(JSON.parse(head));
      const done = lines.map((line) => exportSchemas.ExportPartitionAnswer.parse(JSON.parse(line)));
      return { plan, done: new Map(done.map((partition) => [partition.name, partition])) };
    } catch {
      const remedy = 'Remove it and what is beside it, and begin anew.';
      throw new ApiError(`${this.#file} is damaged. ${remedy}`, EXIT_CODES.data.code);
    }
  }

  begin(plan: ExportPlanAnswer): void {
    this.#write('w', plan);
  }

  add(partition: ExportPartitionAnswer): void {
    this.#write('a', partition);
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }

  #write(flag: 'w' | 'a', value: unknown): void {
    const handle = openSync(this.#file, flag);
    try {
      writeSync(handle, `${JSON.stringify(value)}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }
}
