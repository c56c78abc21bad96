import { conflictSpan, formatInstant, setAside, usageSampleOf } from '@nephometer/core';
import type { Resolution, StoredSample } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { badRequest, notFound } from '../errors.ts';
import { sendJson } from '../respond.ts';
import { readRequest } from './request.ts';
import { ResolveRequest } from './requests.ts';

const LARGEST_REQUEST = 64 * 1024;

/** POST /v1/conflicts/{message_id}/resolve: one version counts from now on, or none. */
export function resolveConflict({ store, clock, log }: ApiOptions): Handler {
  return async (ctx) => {
    const messageId = ctx.params['message_id'] ?? '';
    const { keep, why } = await readRequest(ctx, ResolveRequest, LARGEST_REQUEST);
    const versions: StoredSample[] = [];
    for await (const version of store.conflicts({ messageId })) versions.push(version);
    if (versions.length === 0) throw notFound(`There is no unresolved conflict of message_id ${messageId}.`);
    if (keep !== null && !versions.some(({ batchDigest }) => batchDigest === keep)) {
      const known = versions.map(({ batchDigest }) => batchDigest).join(', ');
      throw badRequest(`keep: found ${keep}; the digest of a version's batch would be right: ${known}.`);
    }
    const { name: by } = identityOf(ctx);
    const set_aside = keep === null ? versions.map((version) => setAside(conflictSpan(usageSampleOf(version)))) : [];
    const resolution: Resolution = { keep, by, why, at: clock.now(), set_aside };
    const entry = await store.appendEntry({ kind: 'resolution', id: messageId, body: JSON.stringify(resolution) });
    log.warn({ message_id: messageId, keep, by, why }, 'A conflict was resolved.');
    const recorded = formatInstant(entry.recordedAt);
    sendJson(ctx, JSON.stringify({ message_id: messageId, keep, by, why, recorded_at: recorded }));
  };
}
