import { JsonNumber, metadataText, parseJson } from '@nephometer/core';
import type { Identity, MetadataCondition, SampleFilter, SampleQuery, StoredSample } from '@nephometer/core';
import { visibleTo } from '../auth.ts';
import { badRequest, httpError } from '../errors.ts';
import type { HttpError } from '../errors.ts';
import type { SamplesQuery } from './requests.ts';
import { decodeCursor } from './request.ts';

type Asked = Omit<SamplesQuery, 'beside'>;

/** A question about samples: what a store is asked, and what is asked of each that it gives; null: nothing more. */
export interface SampleQuestion {
  readonly query: SampleQuery;
  readonly matches: ((sample: StoredSample) => boolean) | null;
}

/** Narrowed to what this identity may see. @throws HttpError 400; 403 for what it may not */
export function sampleQuestion(asked: Asked, identity: Identity): SampleQuestion {
  const { meter, resource_id, source, message_id: messageId, from, to, as_of: asOf } = asked;
  const conditions = asked.match === 'json' ? typedConditions(asked.metadata ?? {}) : [];
  const query = {
    ...ownerFilter(asked, identity),
    ...(meter === undefined ? {} : { meter }),
    ...only('resourceId', resource_id),
    ...only('source', source),
    ...(messageId === undefined ? {} : { messageId }),
    ...(from === undefined ? {} : { from: { at: from, inclusive: true } }),
    ...(to === undefined ? {} : { to: { at: to, inclusive: false } }),
    ...(conditions.length === 0 ? {} : { metadata: conditions }),
    ...(asOf === undefined ? {} : { asOf }),
    ...(asked.cursor === undefined ? {} : { after: placeOf(asked.cursor) }),
    order: asked.order,
  };
  return { query, matches: matcherOf(asked) };
}

function placeOf(cursor: string): { timestamp: number; messageId: string } {
  const [timestamp, messageId] = decodeCursor('cursor', cursor);
  return { timestamp, messageId };
}

/** What a store takes one of. */
function only<K extends string>(name: K, values: readonly string[] | undefined): { [P in K]?: string } {
  const [first] = values ?? [];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- computed keys are told as any string
  return (first === undefined || first === '' || values?.length !== 1 ? {} : { [name]: first }) as {
    [P in K]?: string;
  };
}

function ownerFilter(asked: Asked, identity: Identity): Pick<SampleFilter, 'projectIds' | 'userId'> {
  const { projectIds: visible, userId: onlyUser } = visibleTo(identity);
  const hidden = visible === undefined ? undefined : asked.project_id?.find((id) => !visible.includes(id));
  if (hidden !== undefined) throw forbidden('project', hidden);
  const stranger = onlyUser === undefined ? undefined : asked.user_id?.find((id) => id !== onlyUser);
  if (stranger !== undefined) throw forbidden('user', stranger);
  const projectIds = asked.project_id?.includes('') === true ? undefined : (asked.project_id ?? visible);
  const userId = onlyUser === undefined ? only('userId', asked.user_id) : { userId: onlyUser };
  return { ...(projectIds === undefined ? {} : { projectIds }), ...userId };
}

function forbidden(what: string, id: string): HttpError {
  return httpError('MTR_FORBIDDEN', `This token may not see ${id === '' ? `what has no ${what}` : `${what} ${id}`}.`);
}

function typedConditions(metadata: Readonly<Record<string, readonly string[]>>): MetadataCondition[] {
  return Object.entries(metadata).map(([path, [text = '', ...more]]) => {
    if (more.length > 0)
      throw badRequest(`metadata.${path}: given twice; once would be right, or any of several with match=text.`);
    return { path, value: scalar(text) };
  });
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

/** Of several values any counts, and the empty text is "not known", as /v1/usage has it. */
function matcherOf({ project_id, user_id, resource_id, source, metadata, match }: Asked): SampleQuestion['matches'] {
  const conditions: ((sample: StoredSample) => boolean)[] = [];
  const add = (values: readonly string[], read: (sample: StoredSample) => string | null): void => {
    const wanted = new Set(values.map((value) => (value === '' ? null : value)));
    conditions.push((sample) => wanted.has(read(sample)));
  };
  const isAsked = (values: readonly string[] | undefined): boolean => (values?.length ?? 0) > 1 || values?.[0] === '';
  if (project_id?.includes('') === true) add(project_id, ({ projectId }) => projectId);
  if (isAsked(user_id)) add(user_id ?? [], ({ userId }) => userId);
  if (isAsked(resource_id)) add(resource_id ?? [], ({ resourceId }) => resourceId);
  if (isAsked(source)) add(source ?? [], (sample) => sample.source);
  for (const [path, values] of match === 'text' ? Object.entries(metadata ?? {}) : []) {
    add(values, (sample) => metadataText(sample.metadata, path));
  }
  return conditions.length === 0 ? null : (sample) => conditions.every((holds) => holds(sample));
}
