import type { SampleQuery, StoredSample } from '@nephometer/core';
import { identityOf, visibleTo } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { listPieces, sendJson, streamJson } from '../respond.ts';
import { UrlArguments } from './arguments.ts';
import { entityNotFound } from './faults.ts';
import { Q_ARGUMENTS, readQuery, SAMPLE_KEYS } from './query.ts';
import { oldSampleText, sampleText } from './shapes.ts';

const ARGUMENTS = [...Q_ARGUMENTS, 'limit'];

/** GET /v2/samples */
export function listSamples({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const args = new UrlArguments(ctx.querystring, ARGUMENTS);
    const limit = args.limit(config.api);
    const { filter } = readQuery(args, SAMPLE_KEYS, identityOf(ctx));
    await streamJson(ctx, listPieces(store.samples({ ...filter, limit }), sampleText));
  };
}

/** GET /v2/meters/{name} */
export function listMeterSamples({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const args = new UrlArguments(ctx.querystring, ARGUMENTS);
    const limit = args.limit(config.api);
    const { filter } = readQuery(args, SAMPLE_KEYS, identityOf(ctx));
    const meter = ctx.params['name'] ?? '';
    const isOther = filter.meter !== undefined && filter.meter !== meter;
    const query: SampleQuery = { ...filter, meter, limit, ...(isOther ? { projectIds: [] } : {}) };
    await streamJson(ctx, listPieces(store.samples(query), oldSampleText));
  };
}

/** GET /v2/samples/{id} */
export function showSample({ store }: ApiOptions): Handler {
  return async (ctx) => {
    // Refuses every argument: there is nothing to choose about one sample.
    void new UrlArguments(ctx.querystring, []);
    const messageId = ctx.params['id'] ?? '';
    const sample = await firstOf(store.samples({ ...visibleTo(identityOf(ctx)), messageId, limit: 1 }));
    if (sample === null) throw entityNotFound('Sample', messageId);
    sendJson(ctx, sampleText(sample));
  };
}

async function firstOf(samples: AsyncIterable<StoredSample>): Promise<StoredSample | null> {
  for await (const sample of samples) return sample;
  return null;
}
