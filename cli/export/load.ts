import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportSchemas, isManifestWhole, manifestPieces } from '@nephometer/api';
import type { ExportManifestAnswer, ExportPartitionAnswer, ExportPlanAnswer } from '@nephometer/api';
import { EXIT_CODES, messageOf } from '@nephometer/core';
import { ApiError } from '../client.ts';
import type { ApiClient } from '../client.ts';
import { isWhole, removeCut, syncFolder, writeWhole } from './files.ts';
import type { Part } from './files.ts';
import { Journal } from './journal.ts';
import { withRetries } from './retry.ts';
import type { Retrying } from './retry.ts';

export const MANIFEST = 'manifest.json';
const CHECKSUMS = 'SHA256SUMS';

/** What happens while an export is loaded. */
export interface LoadWatch {
  started(plan: ExportPlanAnswer, isResumed: boolean): void;
  received(bytes: number): void;
  /** A file that was there, with other bytes than it should have. */
  damaged(file: string): void;
  /** @param isKept its files were there already */
  finished(partition: ExportPartitionAnswer, isKept: boolean): void;
}

export interface Loading extends Retrying {
  readonly client: ApiClient;
  readonly folder: string;
  readonly watch: LoadWatch;
}

/**
 * Loads an export into a folder, or goes on with the one that was begun there: each partition's files, then SHA256SUMS,
 * and last the manifest. Finished files are checked and those that are damaged are loaded again.
 * @throws ApiError when the folder holds another export, or the server stays away
 */
export async function loadExport(
  request: Readonly<Record<string, unknown>>,
  loading: Loading,
): Promise<ExportManifestAnswer> {
  const { client, folder, watch } = loading;
  mkdirSync(folder, { recursive: true });
  const journal = new Journal(folder);
  const finished = readManifest(folder);
  const begun = finished ?? journal.read();
  if (begun === null) assertEmpty(folder);
  await removeCut(folder);
  const pinned = begun === null ? {} : { as_of: request['as_of'] ?? begun.plan.as_of };
  const body = JSON.stringify({ ...request, ...pinned });
  const plan = await withRetries(() => client.post<ExportPlanAnswer>('/v1/exports', body), loading);
  if (begun !== null && begun.plan.id !== plan.id) throw otherExport(folder, begun.plan, plan);
  if (begun === null) journal.begin(plan);
  watch.started(plan, begun !== null);
  const partitions: ExportPartitionAnswer[] = [];
  for (const { name } of plan.partitions) {
    const known = begun?.done.get(name);
    const partition =
      known ??
      (await withRetries(
        () => client.get<ExportPartitionAnswer>(`/v1/exports/${plan.id}/partitions/${name}`),
        loading,
      ));
    let isKept = known !== undefined;
    for (const part of partition.parts) isKept = (await loadPart(plan, part, known !== undefined, loading)) && isKept;
    if (known === undefined) journal.add(partition);
    partitions.push(partition);
    watch.finished(partition, isKept);
  }
  return writeManifest(folder, plan, partitions, journal);
}

/** @returns whether the file was there already */
async function loadPart(plan: ExportPlanAnswer, part: Part, isExpected: boolean, loading: Loading): Promise<boolean> {
  const { client, folder, watch, signal } = loading;
  signal.throwIfAborted();
  if (await isWhole(folder, part)) return true;
  if (isExpected) watch.damaged(part.file);
  const path = `/v1/exports/${plan.id}/parts/${part.file}`;
  await withRetries(async () => {
    const bytes = counted(client.bytes(path), watch);
    const found = await writeWhole(folder, part.file, bytes, (sha256) => sha256 === part.sha256);
    if (found === part.sha256) return;
    const detail = `has SHA-256 ${found} where ${part.sha256} would be right`;
    throw new ApiError(`What came for ${part.file} ${detail}.`, EXIT_CODES.unavailable.code);
  }, loading);
  return false;
}

async function* counted(chunks: AsyncIterable<Uint8Array>, watch: LoadWatch): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    watch.received(chunk.length);
    yield chunk;
  }
}

async function writeManifest(
  folder: string,
  plan: ExportPlanAnswer,
  partitions: readonly ExportPartitionAnswer[],
  journal: Journal,
): Promise<ExportManifestAnswer> {
  const sums = partitions.flatMap(({ parts }) => parts.map(({ file, sha256 }) => `${sha256}  ${file}\n`));
  await writeWhole(folder, CHECKSUMS, piecesOf(sums));
  const pieces: string[] = [];
  for await (const piece of manifestPieces(plan, partitions)) pieces.push(piece);
  await syncFolder(folder);
  await writeWhole(folder, MANIFEST, piecesOf(pieces));
  await syncFolder(folder);
  journal.remove();
  return exportSchemas.ExportManifestAnswer.parse(JSON.parse(pieces.join('')));
}

async function* piecesOf(pieces: readonly string[]): AsyncGenerator<string> {
  yield* pieces;
}

/** An export that was finished here. @throws ApiError when its manifest was changed */
function readManifest(folder: string): { plan: ExportPlanAnswer; done: Map<string, ExportPartitionAnswer> } | null {
  const file = join(folder, MANIFEST);
  if (!readdirSync(folder).includes(MANIFEST)) return null;
  const remedy = `Remove it to check the folder anew with --as-of, or load into another folder.`;
  let manifest: ExportManifestAnswer;
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    manifest = exportSchemas.ExportManifestAnswer.parse(parsed);
    if (!isManifestWhole(parsed as ExportManifestAnswer)) throw new Error('its digest does not fit');
  } catch (cause) {
    throw new ApiError(`${file} is damaged: ${messageOf(cause)}. ${remedy}`, EXIT_CODES.data.code);
  }
  const { rows: _rows, bytes: _bytes, totals: _totals, completeness: _all, digest: _digest, ...head } = manifest;
  const done = new Map(manifest.partitions.map((partition) => [partition.name, partition]));
  return { plan: { ...head, partitions: head.partitions.map(({ name, from, to }) => ({ name, from, to })) }, done };
}

/** A folder with something else is not written into. */
function assertEmpty(folder: string): void {
  const found = readdirSync(folder).filter((name) => !name.startsWith('.') && name !== 'export.progress.ndjson');
  if (found.length === 0) return;
  const detail = `${folder} holds ${found.slice(0, 3).join(', ')} and no export that was begun`;
  throw new ApiError(`${detail}; an empty or a new folder would be right.`, EXIT_CODES.data.code);
}

function otherExport(folder: string, then: ExportPlanAnswer, now: ExportPlanAnswer): ApiError {
  const [was, is] = [spelled(then), spelled(now)];
  const names = [...new Set([...was.keys(), ...is.keys()])].filter((name) => was.get(name) !== is.get(name));
  const changes = names.map(
    (name) => `${name}: ${was.get(name) ?? 'not given'} there, ${is.get(name) ?? 'not given'} now`,
  );
  const detail = changes.length === 0 ? 'the server has other definitions or another version now' : changes.join('; ');
  return new ApiError(
    `${folder} holds another export (${detail}). Ask the same again, or load into another folder.`,
    EXIT_CODES.data.code,
  );
}

function spelled({ question, as_of: asOf }: ExportPlanAnswer): Map<string, string> {
  const asked = Object.entries({ ...question.asked, as_of: asOf });
  return new Map(asked.map(([name, value]) => [name, JSON.stringify(value)]));
}
