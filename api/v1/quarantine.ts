import { formatInstant, QuarantinedMessage } from '@nephometer/core';
import type { Entry, Micros, Store } from '@nephometer/core';
import type { ApiOptions, Handler } from '../context.ts';
import { notFound } from '../errors.ts';
import { sendJson } from '../respond.ts';
import { readParameters, rowLimit } from './request.ts';
import { NoQuery, QuarantineQuery } from './requests.ts';

/** A refused message as it stands now. */
export interface Quarantined {
  readonly entry: Entry;
  readonly message: QuarantinedMessage;
}

/** Entries hold the original bytes, up to many MiB each, so few are read at a time and none is kept. */
const PAGE = 16;

/** GET /v1/quarantine: newest first, without the bytes. */
export function listQuarantine({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const asked = readParameters(ctx, QuarantineQuery);
    const limit = rowLimit(asked.limit, config.api);
    const found: { recordedAt: Micros; shown: Record<string, unknown> }[] = [];
    for await (const quarantined of newestOfEach(store, asked.before)) {
      if (asked.reason !== undefined && quarantined.message.reason !== asked.reason) continue;
      const { bytes: _bytes, ...shown } = quarantinedShape(quarantined);
      found.push({ recordedAt: quarantined.entry.recordedAt, shown });
      if (found.length > limit) break;
    }
    const last = found.length > limit ? found[limit - 1] : undefined;
    const next = last === undefined ? null : formatInstant(last.recordedAt);
    sendJson(ctx, JSON.stringify({ quarantine: found.slice(0, limit).map(({ shown }) => shown), next }));
  };
}

/** The newest entry of an id tells its state, so an older one is passed over, also when the newer stood on an earlier page. */
async function* newestOfEach(store: Store, before: Micros | undefined): AsyncGenerator<Quarantined> {
  const seen = new Set<string>();
  let end = before;
  for (;;) {
    const range = end === undefined ? {} : { before: end };
    const entries = await store.entries({ kind: 'quarantine', limit: PAGE, ...range });
    const fresh = entries.filter(({ id }) => !seen.has(id) && seen.add(id));
    const newest = before === undefined ? new Map<string, Micros>() : await newestOf(store, fresh);
    for (const entry of fresh) {
      if ((newest.get(entry.id) ?? entry.recordedAt) <= entry.recordedAt) yield { entry, message: messageOf(entry) };
    }
    end = entries.at(-1)?.recordedAt;
    if (end === undefined || entries.length < PAGE) return;
  }
}

/** When the newest entry of each id was recorded, where that is newer than the oldest of these. */
async function newestOf(store: Store, entries: readonly Entry[]): Promise<Map<string, Micros>> {
  const after = Math.min(...entries.map(({ recordedAt }) => recordedAt));
  const ids = entries.map(({ id }) => id);
  const newer = await store.entries({ kind: 'quarantine', ids, after, headsOnly: true });
  return new Map(newer.toReversed().map(({ id, recordedAt }) => [id, recordedAt]));
}

async function newestEntry(store: Store, id: string): Promise<Entry | undefined> {
  const [newest] = await store.entries({ kind: 'quarantine', id, limit: 1 });
  return newest;
}

function messageOf(entry: Entry): QuarantinedMessage {
  return QuarantinedMessage.parse(JSON.parse(entry.body));
}

/** @throws HttpError 404 */
export async function findQuarantined(store: Store, id: string): Promise<Quarantined> {
  const entry = await newestEntry(store, id);
  if (entry === undefined) throw notFound(`There is no quarantined message ${id}.`);
  return { entry, message: messageOf(entry) };
}

/** GET /v1/quarantine/{id}: with the bytes. */
export function showQuarantined({ store }: ApiOptions): Handler {
  return async (ctx) => {
    readParameters(ctx, NoQuery);
    const found = await findQuarantined(store, ctx.params['id'] ?? '');
    sendJson(ctx, JSON.stringify(quarantinedShape(found)));
  };
}

/** `QuarantineMessageAnswer`. */
function quarantinedShape({ entry, message }: Quarantined): Record<string, unknown> {
  const { from, to, received, ...rest } = message;
  const times = { from: optionalInstant(from), to: optionalInstant(to), received: formatInstant(received) };
  return { id: entry.id, recorded_at: formatInstant(entry.recordedAt), ...rest, ...times };
}

function optionalInstant(at: Micros | null): string | null {
  return at === null ? null : formatInstant(at);
}
