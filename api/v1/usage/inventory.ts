import { CONFIGURED_LIST, formatInstant } from '@nephometer/core';
import type { InventoryList, InventoryRecord } from '@nephometer/core';
import type { z } from 'zod';
import { identityOf } from '../../auth.ts';
import type { ApiOptions, Handler } from '../../context.ts';
import { badRequest } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { rowLimit } from '../request.ts';
import { readFields } from './ask.ts';
import { deskOf } from './desk.ts';
import { InventoryQuery, InventoryRequest } from './inventory-schemas.ts';
import { momentOf } from './question.ts';

/** POST /v1/inventory: what was there at a moment. */
export function postInventory(options: ApiOptions): Handler {
  const { clock, config, log } = options;
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, InventoryRequest, config.api.max_body);
    if (asked.name === CONFIGURED_LIST)
      throw badRequest(`name: ${CONFIGURED_LIST} is said by the configuration; another name would be right.`);
    const { name: by } = identityOf(ctx);
    const at = asked.at === undefined ? clock.now() : momentOf('at', asked.at, 'UTC');
    const list = await desk.inventory.append(asked.name, recordOf(asked, at, by));
    const counts = { agents: list.agents?.length ?? 0, resources: list.resources?.length ?? 0 };
    log.info({ list: list.name, at: formatInstant(at), ...counts, by }, 'An inventory was posted.');
    ctx.status = 201;
    sendJson(ctx, JSON.stringify(listShape(list)));
  };
}

function recordOf(asked: z.output<typeof InventoryRequest>, at: number, by: string): InventoryRecord {
  const { agents, resources, meters, source = null, complete, who = by } = asked;
  const owners = new Map(resources?.map(({ resource_id, project_id }) => [resource_id, project_id]));
  return {
    at,
    agents: agents === undefined ? null : [...new Set(agents)].sort(),
    resources: resources === undefined ? null : [...owners],
    meters: [...new Set(meters)],
    source,
    complete,
    who,
    by,
  };
}

/** GET /v1/inventory: which lists there are, newest moment first. */
export function listInventory(options: ApiOptions): Handler {
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, InventoryQuery, options.config.api.max_body);
    const { asOf } = desk.moment(asked.as_of, 'UTC');
    const lists = (await desk.inventory.lists(asOf)).filter(({ name }) => name === (asked.name ?? name));
    const newest = lists.toSorted((a, b) => b.at - a.at).slice(0, rowLimit(asked.limit, options.config.api));
    sendJson(ctx, JSON.stringify({ lists: newest.map(listShape), as_of: formatInstant(asOf) }));
  };
}

/** `InventoryListAnswer`. */
function listShape({ at, recordedAt, resources, ...list }: InventoryList): Record<string, unknown> {
  const { name, agents, meters, source, complete, who, by } = list;
  const times = { at: formatInstant(at), recorded_at: formatInstant(recordedAt) };
  return { name, ...times, agents, resources: resources?.length ?? null, meters, source, complete, who, by };
}
