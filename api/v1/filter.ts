import { JsonNumber, parseJson } from '@nephometer/core';
import type { Identity, MetadataCondition, SampleFilter, SampleQuery } from '@nephometer/core';
import { visibleTo } from '../auth.ts';
import { httpError } from '../errors.ts';
import type { HttpError } from '../errors.ts';
import type { SamplesQuery } from './requests.ts';
import { decodeCursor } from './request.ts';

/** A question about samples, narrowed to what this identity may see. @throws HttpError 403 for what it may not */
export function sampleQuery(asked: SamplesQuery, identity: Identity): SampleQuery {
  const { meter, resource_id: resourceId, source, message_id: messageId, from, to, as_of: asOf, metadata } = asked;
  return {
    ...ownerFilter(asked, identity),
    ...(meter === undefined ? {} : { meter }),
    ...(resourceId === undefined ? {} : { resourceId }),
    ...(source === undefined ? {} : { source }),
    ...(messageId === undefined ? {} : { messageId }),
    ...(from === undefined ? {} : { from: { at: from, inclusive: true } }),
    ...(to === undefined ? {} : { to: { at: to, inclusive: false } }),
    ...(metadata === undefined ? {} : { metadata: conditions(metadata) }),
    ...(asOf === undefined ? {} : { asOf }),
    ...(asked.cursor === undefined ? {} : { after: placeOf(asked.cursor) }),
    order: asked.order,
  };
}

function placeOf(cursor: string): { timestamp: number; messageId: string } {
  const [timestamp, messageId] = decodeCursor('cursor', cursor);
  return { timestamp, messageId };
}

function ownerFilter(asked: SamplesQuery, identity: Identity): Pick<SampleFilter, 'projectIds' | 'userId'> {
  const { projectIds: visible, userId: onlyUser } = visibleTo(identity);
  const projectIds = asked.project_id ?? visible;
  const userId = asked.user_id ?? onlyUser;
  const hidden = visible === undefined ? undefined : projectIds?.find((id) => !visible.includes(id));
  if (hidden !== undefined) throw forbidden('project', hidden);
  if (onlyUser !== undefined && userId !== onlyUser) throw forbidden('user', userId ?? '');
  return { ...(projectIds === undefined ? {} : { projectIds }), ...(userId === undefined ? {} : { userId }) };
}

function forbidden(what: string, id: string): HttpError {
  return httpError('MTR_FORBIDDEN', `This token may not see ${what} ${id}.`);
}

function conditions(metadata: Readonly<Record<string, string>>): MetadataCondition[] {
  return Object.entries(metadata).map(([path, text]) => ({ path, value: scalar(text) }));
}

/** A JSON scalar where the text is one, else the text. */
function scalar(text: string): MetadataCondition['value'] {
  try {
    const value = parseJson(text);
    if (value instanceof JsonNumber) return Number(value.literal);
    return value === null || typeof value === 'boolean' || typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}
