import { compareNullable, compareText, formatInstant, sha256 } from '@nephometer/core';
import type { ApiOptions, Handler } from '../../context.ts';
import { badRequest } from '../../errors.ts';
import { sendJson } from '../../respond.ts';
import { rowLimit } from '../request.ts';
import { readFields } from './ask.ts';
import { deskOf } from './desk.ts';
import { findingsOf, listsWithin, neverAnswered } from './findings.ts';
import type { FoundResource } from './findings.ts';
import { FindingsFields } from './inventory-schemas.ts';
import { momentOf } from './question.ts';
import { placeText, readPlace } from './usage.ts';

/** GET /v1/findings: what was there and is not sampled, and what is sampled and was not there. */
export function listFindings(options: ApiOptions): Handler {
  const desk = deskOf(options);
  return async (ctx) => {
    const asked = await readFields(ctx, FindingsFields, options.config.api.max_body);
    const { tz, cursor, limit, list, meter, finding, project_id: projectIds } = asked;
    const place = cursor === undefined ? null : readPlace(cursor);
    const moment = place === null ? desk.moment(asked.as_of, tz) : desk.momentAt(place.asOf);
    const { asOf } = moment;
    const from = momentOf('from', asked.from, tz);
    const to = asked.to === undefined ? asOf : momentOf('to', asked.to, tz);
    if (from >= to) throw badRequest('to: lies before from; a later moment would be right.');
    const query = { from, to, asOf, ...(projectIds === undefined ? {} : { projectIds }) };
    const lists = listsWithin(await desk.inventory.lists(asOf), query).filter(({ name }) => name === (list ?? name));
    const found = await findingsOf(options.store, lists, query, meter);
    if (list === undefined && meter === undefined) found.push(...(await neverAnswered(options.store, desk, query)));
    const wanted = found.filter((one) => one.finding === (finding ?? one.finding)).sort(compareFindings);
    const key = sha256(JSON.stringify([from, to, list, meter, finding, projectIds]));
    const offset = place?.offset ?? 0;
    const end = offset + rowLimit(limit, options.config.api);
    const frame = {
      findings: wanted.slice(offset, end).map(findingShape),
      next:
        end < wanted.length
          ? placeText({
              asOf,
              offset: end,
              key,
            })
          : null,
      lists: lists.length,
      from: formatInstant(from),
      to: formatInstant(to),
      as_of: formatInstant(asOf),
      settled: moment.settled,
    };
    sendJson(ctx, JSON.stringify(frame));
  };
}

function compareFindings(a: FoundResource, b: FoundResource): number {
  return (
    compareText(a.finding, b.finding) ||
    compareNullable(a.meter, b.meter) ||
    compareText(a.resourceId, b.resourceId) ||
    compareNullable(a.list, b.list)
  );
}

/** `FindingAnswer`. */
function findingShape({ sampled, ...one }: FoundResource): Record<string, unknown> {
  return {
    finding: one.finding,
    meter: one.meter,
    resource_id: one.resourceId,
    project_id: one.projectId,
    source: one.source,
    list: one.list,
    agent_id: one.agentId,
    reason: one.reason,
    times: one.times,
    first: formatInstant(one.first),
    last: formatInstant(one.last),
    first_sample: sampled === null ? null : formatInstant(sampled.first),
    last_sample: sampled === null ? null : formatInstant(sampled.last),
  };
}
