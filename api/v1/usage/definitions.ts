import { formatInstant } from '@nephometer/core';
import type { ApiOptions, Handler } from '../../context.ts';
import { sendJson } from '../../respond.ts';
import { readFields } from './ask.ts';
import { deskOf } from './desk.ts';
import { DefinitionsQuery } from './fields.ts';

/** GET /v1/definitions: the named quantities, as they stood at a moment. */
export function listDefinitions(options: ApiOptions): Handler {
  const desk = deskOf(options);
  return async (ctx) => {
    const { as_of: asked } = await readFields(ctx, DefinitionsQuery, options.config.api.max_body);
    const known = await desk.definitions.list(desk.moment(asked, 'UTC').asOf);
    const definitions = known.map(({ definition, hash, since }) => ({
      ...definition,
      hash,
      since: formatInstant(since),
    }));
    sendJson(ctx, JSON.stringify({ definitions }));
  };
}
