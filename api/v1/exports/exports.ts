import { identityOf } from '../../auth.ts';
import type { ApiContext, ApiOptions, Handler } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { sendJson, streamJson } from '../../respond.ts';
import { decodeCursor, encodeCursor, readParameters, rowLimit } from '../request.ts';
import { givenFields } from '../usage/ask.ts';
import { deskOf } from '../usage/desk.ts';
import { exportId, findExport, keepExport, newestExports, storedOf } from './book.ts';
import type { ListedExport } from './book.ts';
import { FORMAT_TYPES } from './encode.ts';
import { manifestPieces } from './manifest.ts';
import { spanOfFile } from './partition.ts';
import { headAnswer, headOf, planAnswer, planOf } from './plan.ts';
import type { ExportPlan } from './plan.ts';
import { ExportsQuery } from './schemas.ts';
import type { ExportPartitionAnswer } from './schemas.ts';
import { PartitionShelf } from './shelf.ts';

/** POST /v1/exports: pins the moment, and says which partitions there will be. The same question has the same id. */
export function createExport(options: ApiOptions): Handler {
  const desk = deskOf(options);
  return async (ctx) => {
    const given = await givenFields(ctx, options.config.api.max_body);
    const stored = await storedOf(desk, given, identityOf(ctx));
    const id = exportId(stored);
    const plan = await planOf(desk, id, stored);
    await keepExport(options.store, id, stored);
    ctx.status = 201;
    ctx.set('Location', `/v1/exports/${id}`);
    sendJson(ctx, JSON.stringify(await planAnswer(options.store, plan)));
  };
}

/** GET /v1/exports: newest first; readers see those that hold their own projects alone. */
export function listExports(options: ApiOptions): Handler {
  const { store, config } = options;
  return async (ctx) => {
    const asked = readParameters(ctx, ExportsQuery);
    const limit = rowLimit(asked.limit, config.api);
    const after = asked.cursor === undefined ? null : decodeCursor('cursor', asked.cursor);
    const found: ListedExport[] = [];
    for await (const one of newestExports(store, identityOf(ctx), after)) {
      found.push(one);
      if (found.length > limit) break;
    }
    const last = found.length > limit ? found[limit - 1] : undefined;
    const next = last === undefined ? null : encodeCursor([last.recordedAt, last.id]);
    sendJson(ctx, JSON.stringify({ exports: found.slice(0, limit).map(headAnswer), next }));
  };
}

/** GET /v1/exports/{id}: the same answer again. */
export function showExport(options: ApiOptions): Handler {
  return async (ctx) => sendJson(ctx, JSON.stringify(await planAnswer(options.store, await planIn(options, ctx))));
}

/** GET /v1/exports/{id}/partitions/{name}: the files of one partition, with their checksums and totals. */
export function showExportPartition(options: ApiOptions): Handler {
  const shelf = shelfOf(options);
  return async (ctx) => {
    const plan = await planIn(options, ctx);
    const { name = '' } = ctx.params;
    const span = plan.spans.find((one) => one.name === name);
    if (span === undefined) throw notFound(`The export has no partition ${name.slice(0, 60)}.`);
    sendJson(ctx, JSON.stringify(await shelf.answer(plan, span)));
  };
}

/** GET /v1/exports/{id}/parts/{file}: the bytes of one file. */
export function showExportPart(options: ApiOptions): Handler {
  const shelf = shelfOf(options);
  return async (ctx) => {
    const plan = await planIn(options, ctx);
    const { file = '' } = ctx.params;
    const span = spanOfFile(plan, file);
    const { answer, files } = span === null ? { answer: null, files: null } : await shelf.partition(plan, span);
    const bytes = files?.get(file);
    const part = answer?.parts.find((one) => one.file === file);
    if (bytes === undefined || part === undefined) throw notFound(`The export has no file ${file.slice(0, 60)}.`);
    ctx.type = FORMAT_TYPES[plan.asked.format];
    ctx.set('ETag', `"${part.sha256}"`);
    ctx.set('Repr-Digest', `sha-256=:${Buffer.from(part.sha256, 'hex').toString('base64')}:`);
    ctx.set('Content-Disposition', `attachment; filename="${file}"`);
    ctx.body = bytes;
  };
}

/** GET /v1/exports/{id}/manifest: every file with its checksum, totals over all, and the digest of it all. */
export function showExportManifest(options: ApiOptions): Handler {
  const shelf = shelfOf(options);
  return async (ctx) => {
    const plan = await planIn(options, ctx);
    await streamJson(ctx, manifestPieces(await headOf(options.store, plan), partitionsOf(shelf, plan)));
  };
}

async function* partitionsOf(shelf: PartitionShelf, plan: ExportPlan): AsyncGenerator<ExportPartitionAnswer> {
  for (const span of plan.spans) yield await shelf.answer(plan, span);
}

async function planIn(options: ApiOptions, ctx: ApiContext): Promise<ExportPlan> {
  const { id = '' } = ctx.params;
  const stored = await findExport(options.store, id, identityOf(ctx));
  return planOf(deskOf(options), id, stored);
}

const shelves = new WeakMap<ApiOptions, PartitionShelf>();

function shelfOf(options: ApiOptions): PartitionShelf {
  let shelf = shelves.get(options);
  if (shelf === undefined) shelves.set(options, (shelf = new PartitionShelf(deskOf(options))));
  return shelf;
}
