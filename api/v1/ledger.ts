import { compareText, formatInstant } from '@nephometer/core';
import type { LedgerQuery as StoreLedgerQuery, LedgerRow, Store } from '@nephometer/core';
import type { ApiOptions, Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { decodeCursor, encodeCursor, readParameters, rowLimit } from './request.ts';
import { LedgerQuery } from './requests.ts';

/** GET /v1/ledger: what was recorded, in the order of recording. */
export function listLedger({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const asked = readParameters(ctx, LedgerQuery);
    const limit = rowLimit(asked.limit, config.api);
    const { agent_id: agentId, epoch, digest } = asked;
    const query: StoreLedgerQuery = {
      ...(agentId === undefined ? {} : { agentId }),
      ...(epoch === undefined ? {} : { epoch }),
      ...(digest === undefined ? {} : { digest }),
    };
    const cursor = asked.after === undefined ? null : decodeCursor('after', asked.after);
    const rows = await rowsAfter(store, query, cursor, limit + 1);
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    const next = last === undefined ? null : encodeCursor([last.recordedAt, last.digest]);
    const batches = rows.slice(0, limit).map((row) => rowShape(row, asked.headers === true));
    sendJson(ctx, JSON.stringify({ batches, next }));
  };
}

/** Several collectors may write at one instant, so the store is asked from that instant on and the rows seen are left out. */
async function rowsAfter(
  store: Store,
  query: StoreLedgerQuery,
  cursor: readonly [at: number, digest: string] | null,
  count: number,
): Promise<LedgerRow[]> {
  const after = cursor === null ? {} : { after: cursor[0] - 1 };
  for (let limit = count + 1; ; limit *= 2) {
    const rows: LedgerRow[] = [];
    for await (const row of store.ledger({ ...query, ...after, limit })) rows.push(row);
    const unseen = rows.filter((row) => cursor === null || isBehind(row, cursor));
    if (unseen.length >= count || rows.length < limit) return unseen.slice(0, count);
  }
}

function isBehind(row: LedgerRow, [at, digest]: readonly [number, string]): boolean {
  return row.recordedAt > at || (row.recordedAt === at && compareText(row.digest, digest) > 0);
}

function rowShape(row: LedgerRow, withHeader: boolean): Record<string, unknown> {
  const { digest, agentId, epoch, seq, keyId, transport, samples, duplicates, headerText } = row;
  const header = withHeader ? { header: headerText === null ? null : (JSON.parse(headerText) as unknown) } : {};
  const recordedAt = formatInstant(row.recordedAt);
  const names = { agent_id: agentId, epoch, seq, key_id: keyId, transport };
  return { digest, recorded_at: recordedAt, ...names, samples, duplicates, ...header };
}
