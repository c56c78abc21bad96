import type { MeterRow, SampleFilter, Store } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { UrlArguments } from './arguments.ts';
import { METER_KEYS, Q_ARGUMENTS, readQuery } from './query.ts';
import { meterText } from './shapes.ts';
import type { MeterShape } from './shapes.ts';

const ARGUMENTS = [...Q_ARGUMENTS, 'limit', 'unique'];

/** GET /v2/meters */
export function listMeters({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const args = new UrlArguments(ctx.querystring, ARGUMENTS);
    const limit = args.limit(config.api);
    const { filter } = readQuery(args, METER_KEYS, identityOf(ctx));
    const rows = args.boolean('unique') ? await uniqueMeters(store, filter) : await metersOf(store, filter, limit);
    sendJson(ctx, `[${rows.slice(0, limit).map(meterText).join(',')}]`);
  };
}

/** One per meter, whatever it was measured on: the ids are null. */
async function uniqueMeters(store: Store, filter: SampleFilter): Promise<MeterShape[]> {
  const unique = new Map<string, MeterShape>();
  for (const { meter, type, unit } of await store.meters(filter)) {
    const nobody = { resourceId: null, projectId: null, userId: null, source: null };
    unique.set(JSON.stringify([meter, type, unit]), { meter, type, unit, ...nobody });
  }
  return [...unique.values()];
}

/** One per meter and resource. The store tells owners apart; a resource that changed hands shows its newest owner. */
async function metersOf(store: Store, filter: SampleFilter, limit: number): Promise<MeterRow[]> {
  const rows = await store.meters({ ...filter, limit });
  const series = collapsed(rows);
  if (series.length === rows.length) return series.map(([row]) => row);
  const all = rows.length < limit ? series : collapsed(await store.meters(filter)).slice(0, limit);
  return Promise.all(all.map(async ([row, isShared]) => (isShared ? withNewestOwner(store, filter, row) : row)));
}

function collapsed(rows: readonly MeterRow[]): [row: MeterRow, isShared: boolean][] {
  const series = new Map<string, [MeterRow, boolean]>();
  for (const row of rows) {
    const key = JSON.stringify([row.meter, row.resourceId, row.source, row.type, row.unit]);
    series.set(key, [row, series.has(key)]);
  }
  return [...series.values()];
}

async function withNewestOwner(store: Store, filter: SampleFilter, row: MeterRow): Promise<MeterRow> {
  const { meter, resourceId, source } = row;
  for await (const { projectId, userId } of store.samples({ ...filter, meter, resourceId, source, limit: 1 })) {
    return { ...row, projectId, userId };
  }
  return row;
}
