import { randomUUID } from 'node:crypto';
import { formatInstant, VoidRecord, VoidSelector } from '@nephometer/core';
import type { Entry } from '@nephometer/core';
import type { z } from 'zod';
import { identityOf } from '../../auth.ts';
import type { ApiOptions, Handler } from '../../context.ts';
import { badRequest } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { complaintOf } from '../complaint.ts';
import { rowLimit } from '../request.ts';
import { readFields } from './ask.ts';
import { momentOf } from './question.ts';
import { countVoided } from './void-count.ts';
import { VoidRequest, VoidsQuery } from './fields.ts';

/** POST /v1/voids: samples recorded so far that match are not used any more. */
export function createVoid({ store, clock, config, log }: ApiOptions): Handler {
  return async (ctx) => {
    const asked = await readFields(ctx, VoidRequest, config.api.max_body);
    const { name: by } = identityOf(ctx);
    const { who = by, reason: why } = asked;
    const record: VoidRecord = { selector: selectorOf(asked.selector), who, by, why, at: clock.now() };
    const entry = await store.appendEntry({ kind: 'void', id: randomUUID(), body: JSON.stringify(record) });
    log.warn({ void: entry.id, who, by, why }, 'Samples were voided.');
    ctx.status = 201;
    const count = await countVoided(store, entry);
    sendJson(ctx, JSON.stringify({ ...voidShape(entry, record), ...count }));
  };
}

function selectorOf(asked: VoidRequest['selector']): VoidSelector {
  const { from, to, ...names } = asked;
  const read = VoidSelector.safeParse({
    ...names,
    ...(from === undefined ? {} : { from: momentOf('selector.from', from, 'UTC') }),
    ...(to === undefined ? {} : { to: momentOf('selector.to', to, 'UTC') }),
  });
  if (read.success) return read.data;
  throw badRequest(`selector: ${complaintOf(read.error, asked, VoidSelector)}`);
}

type VoidRequest = z.output<typeof VoidRequest>;

/** GET /v1/voids: newest first. */
export function listVoids({ store, config }: ApiOptions): Handler {
  return async (ctx) => {
    const asked = await readFields(ctx, VoidsQuery, config.api.max_body);
    const limit = rowLimit(asked.limit, config.api);
    const range = asked.before === undefined ? {} : { before: momentOf('before', asked.before, 'UTC') };
    const entries = await store.entries({ kind: 'void', limit: limit + 1, ...range });
    const last = entries.length > limit ? entries[limit - 1] : undefined;
    const voids = entries.slice(0, limit).flatMap((entry) => {
      const read = VoidRecord.safeParse(JSON.parse(entry.body));
      return read.success ? voidShape(entry, read.data) : [];
    });
    sendJson(ctx, JSON.stringify({ voids, next: last === undefined ? null : formatInstant(last.recordedAt) }));
  };
}

/** `VoidAnswer`. */
function voidShape({ id, recordedAt }: Entry, { selector, why, who, by }: VoidRecord): Record<string, unknown> {
  const { from, to, ...names } = selector;
  const times = {
    ...(from === undefined ? {} : { from: formatInstant(from) }),
    ...(to === undefined ? {} : { to: formatInstant(to) }),
  };
  return { id, recorded_at: formatInstant(recordedAt), selector: { ...names, ...times }, reason: why, who, by };
}
