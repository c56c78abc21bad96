import type { Entry, EntryQuery, LedgerQuery, LedgerRow, Transport } from '@nephometer/core';
import type { Engine, Row } from './engine.ts';
import { keyOf } from './keys.ts';
import { Bindings, int, numberAt, optionalNumberAt, optionalTextAt, textAt } from './sql.ts';

const PAGE_ROWS = 2000;
const COLUMNS = 'id, digest, recorded_at, agent_id, epoch, seq, key_id, transport, samples, duplicates, header_text';

/** Page by page in order of id, which is that of recorded_at. */
export async function* readLedger(engine: Engine, query: LedgerQuery, newest: number): AsyncGenerator<LedgerRow> {
  const bindings = new Bindings();
  const conditions = [`id <= ${int(newest)}`, ...ledgerConditions(query, (text) => bindings.bind(text))];
  let left = query.limit ?? Infinity;
  for (let last = 0; left > 0;) {
    const rows = await engine.read(
      `SELECT ${COLUMNS} FROM batch WHERE ${conditions.join(' AND ')} AND id > ${int(last)}
       ORDER BY id LIMIT ${int(Math.min(left, PAGE_ROWS))}`,
      bindings.values,
    );
    for (const row of rows) yield ledgerRow(row);
    const end = rows.at(-1);
    if (end === undefined || rows.length < PAGE_ROWS) return;
    last = numberAt(end, 0);
    left -= rows.length;
  }
}

function ledgerConditions(query: LedgerQuery, bind: (text: string) => string): string[] {
  const { digest, agentId, epoch, after, upTo } = query;
  return [
    ...(digest === undefined ? [] : [`digest_key = ${keyOf(digest)} AND digest = ${bind(digest)}`]),
    ...(agentId === undefined ? [] : [`agent_id = ${bind(agentId)}`]),
    ...(epoch === undefined ? [] : [`epoch = ${bind(epoch)}`]),
    ...(after === undefined ? [] : [`recorded_at > ${int(after)}`]),
    ...(upTo === undefined ? [] : [`recorded_at <= ${int(upTo)}`]),
  ];
}

function ledgerRow(row: Row): LedgerRow {
  return {
    digest: textAt(row, 1),
    recordedAt: numberAt(row, 2),
    agentId: optionalTextAt(row, 3),
    epoch: optionalTextAt(row, 4),
    seq: optionalNumberAt(row, 5),
    keyId: optionalTextAt(row, 6),
    transport: transportAt(row),
    samples: numberAt(row, 8),
    duplicates: numberAt(row, 9),
    headerText: optionalTextAt(row, 10),
  };
}

function transportAt(row: Row): Transport {
  return (['bus', 'http', 'api'] as const).find((known) => known === row[7]) ?? 'bus';
}

export async function readEntries(engine: Engine, query: EntryQuery): Promise<Entry[]> {
  const { kind, id, ids, before, after, limit, headsOnly = false } = query;
  if (ids?.length === 0) return [];
  const bindings = new Bindings();
  const conditions = [`kind = ${bindings.bind(kind)}`];
  if (id !== undefined) conditions.push(`id = ${bindings.bind(id)}`);
  if (ids !== undefined) conditions.push(`id IN (${ids.map((one) => bindings.bind(one)).join(', ')})`);
  if (before !== undefined) conditions.push(`recorded_at < ${int(before)}`);
  if (after !== undefined) conditions.push(`recorded_at > ${int(after)}`);
  const rows = await engine.read(
    `SELECT id, ${headsOnly ? "''" : 'body'}, recorded_at FROM entry WHERE ${conditions.join(' AND ')}
     ORDER BY recorded_at DESC ${limit === undefined ? '' : `LIMIT ${int(limit)}`}`,
    bindings.values,
  );
  return rows.map((row) => ({ kind, id: textAt(row, 0), body: textAt(row, 1), recordedAt: numberAt(row, 2) }));
}
