import {
  compare,
  cutWindows,
  definitionHash,
  definitionQuery,
  messageOf,
  parseAnchor,
  parseDecimal,
  parseTimestamp,
  resolveInstant,
  roundingOf,
  sha256,
  toText,
  UsageDefinition,
  usageQuery,
} from '@nephometer/core';
import type { Decimal, Identity, Micros, UsageField, UsageQuery } from '@nephometer/core';
import { visibleTo } from '../../auth.ts';
import { badRequest, httpError } from '../../errors.ts';
import { lostPlusHint } from '../complaint.ts';
import { assertAhead, windowEnd } from './projection.ts';
import type { Projection } from './projection.ts';
import type { UsageFields } from './fields.ts';

/** A definition in force, and since when. */
export interface KnownDefinition {
  readonly definition: UsageDefinition;
  readonly hash: string;
  readonly since: Micros;
}

/** What is asked, with nothing left to say but as of when. */
export interface UsageQuestion {
  readonly meter: string;
  /** Name and hash of the definition; the name is null where the question spells it out. */
  readonly definition: { readonly name: string | null; readonly hash: string };
  readonly query: UsageQuery;
  /** Projects of which alone anything can be in the answer; null: any. */
  readonly projectIds: readonly string[] | null;
  readonly showsEvidence: boolean;
  readonly projection: Projection | null;
  /** Whether it changes nothing of a named definition, so that its figures are those that a statement may have. */
  readonly isByDefinition: boolean;
  /** Lines that were measured less have no figure. */
  readonly minCoverage: Decimal | null;
  /** The same for the same question, whoever asks it and as of whenever. */
  readonly key: string;
}

/** Filters and grouping that every question about usage may have. */
type Asked = Omit<UsageFields, 'limit' | 'cursor' | 'as_of' | 'guard_formulas'>;

/** What makes other figures than the definition that is asked for. */
const OVERRIDES = ['max_hold', 'edge', 'step', 'rounding', 'floor', 'ceiling', 'min_coverage'] as const;

/** Nothing is recorded of the time before, in any zone; clocks of the zones are not known far ahead. */
const EARLIEST = parseTimestamp('1969-12-31T00:00:00Z');
const LATEST = parseTimestamp('2100-01-01T00:00:00Z');

/** An instant as the question spells it. @throws HttpError 400 that names the field */
export function momentOf(field: string, text: string, tz: string): Micros {
  const at = told(field, () => resolveInstant(text, tz), lostPlusHint(text));
  if (at >= EARLIEST && at <= LATEST) return at;
  const found = JSON.stringify(text.slice(0, 60));
  throw badRequest(`${field}: found ${found}; an instant from 1970-01-01 up to 2100-01-01 would be right.`);
}

function told<T>(field: string, read: () => T, hint = ''): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof RangeError) throw badRequest(`${field}: ${messageOf(cause)}${hint}`);
    throw cause;
  }
}

/**
 * @param known the definition that the question names, as of the moment asked for; null when it names a meter
 * @throws HttpError 400 for what does not fit together, 403 for what this identity may not see
 */
export function questionOf(
  asked: Asked,
  known: KnownDefinition | null,
  identity: Identity,
  asOf: Micros,
): UsageQuestion {
  const definition = known?.definition ?? spelledOut(asked);
  const { tz, window } = asked;
  if (asked.anchor !== undefined && window !== 'billing-month') {
    throw badRequest('anchor: only means something with window=billing-month; add that or leave it out.');
  }
  const filter = filterOf(asked, identity);
  const base = definitionQuery(definition);
  const query = usageQuery({
    ...base,
    from: momentOf('from', asked.from, tz),
    to: asked.to === undefined ? asOf : momentOf('to', asked.to, tz),
    window,
    tz,
    ...(asked.anchor === undefined ? {} : { anchor: told('anchor', () => parseAnchor(asked.anchor ?? '')) }),
    groupBy: asked.group_by ?? base.groupBy,
    filter,
    asOf,
    maxHold: asked.max_hold ?? base.maxHold,
    edge: asked.edge ?? base.edge,
    step: asked.step ?? base.step,
    rounding: asked.rounding === undefined ? base.rounding : roundingOf(asked.rounding),
    estimate: asked.estimate ?? 'none',
    gaps: asked.gaps,
    ...(asked.floor === undefined ? {} : { floor: parseDecimal(asked.floor) }),
    ...(asked.ceiling === undefined ? {} : { ceiling: parseDecimal(asked.ceiling) }),
  });
  told('from, to', () => cutWindows(query));
  if (query.floor !== null && query.ceiling !== null && compare(query.floor, query.ceiling) > 0) {
    const found = `floor ${toText(query.floor)} is above ceiling ${toText(query.ceiling)}`;
    throw badRequest(`floor, ceiling: ${found}; the most that a gap may hide cannot be less than the least.`);
  }
  const projects = filter.get('project_id') ?? null;
  return {
    meter: definition.meter,
    definition: { name: known?.definition.name ?? null, hash: known?.hash ?? definitionHash(definition) },
    query,
    projectIds: projects === null || projects.includes(null) ? null : projects.filter((id) => id !== null),
    showsEvidence: asked.evidence,
    isByDefinition: known !== null && OVERRIDES.every((field) => asked[field] === undefined),
    projection: projectionOf(asked, query),
    minCoverage: asked.min_coverage === undefined ? null : parseDecimal(asked.min_coverage),
    key: keyOf(asked, [...filter]),
  };
}

function projectionOf({ projection, project_to: until, tz }: Asked, query: UsageQuery): Projection | null {
  if (projection === undefined || projection === 'none') {
    if (until === undefined) return null;
    throw badRequest('project_to: only means something with a projection; add projection=linear or leave it out.');
  }
  const to = until === undefined ? windowEnd(query) : momentOf('project_to', until, tz);
  return assertAhead({ policy: projection, to }, query);
}

/** A question without a definition is one of its own. */
export function spelledOut({ meter, kind, definition }: Pick<Asked, 'meter' | 'kind' | 'definition'>): UsageDefinition {
  if (definition !== undefined) throw new TypeError('A named definition is looked up first.');
  if (meter === undefined)
    throw badRequest('meter: found nothing; a meter with a kind, or a definition, would be right.');
  if (kind === undefined) {
    throw badRequest(
      'kind: found nothing; what is asked of the meter (duration, integral, increase, ...) would be right.',
    );
  }
  return UsageDefinition.parse({ name: 'asked', meter, kind });
}

/** A named definition says meter and kind itself. @throws HttpError 400 */
export function assertOneOfBoth({ meter, kind, definition }: Asked): void {
  if (definition === undefined || (meter === undefined && kind === undefined)) return;
  const found = meter === undefined ? 'kind' : 'meter';
  throw badRequest(`${found}: found beside definition, which says it already; one of the two would be right.`);
}

function filterOf(asked: Asked, identity: Identity): Map<UsageField, readonly (string | null)[]> {
  const filter = new Map<UsageField, readonly (string | null)[]>();
  for (const field of ['project_id', 'user_id', 'resource_id', 'source'] as const) {
    const values = asked[field];
    if (values !== undefined) filter.set(field, values);
  }
  for (const [path, values] of Object.entries(asked.metadata ?? {})) filter.set(`metadata.${path}`, values);
  const { projectIds, userId } = visibleTo(identity);
  narrow(filter, 'project_id', projectIds);
  narrow(filter, 'user_id', userId === undefined ? undefined : [userId]);
  return filter;
}

function narrow(
  filter: Map<UsageField, readonly (string | null)[]>,
  field: 'project_id' | 'user_id',
  visible: readonly string[] | undefined,
): void {
  if (visible === undefined) return;
  const hidden = filter.get(field)?.find((value) => value === null || !visible.includes(value));
  if (hidden !== undefined) {
    const what = field.slice(0, -'_id'.length);
    throw httpError(
      'MTR_FORBIDDEN',
      `This token may not see ${hidden === null ? `what has no ${what}` : `${what} ${hidden}`}.`,
    );
  }
  if (!filter.has(field)) filter.set(field, visible);
}

/** Of the question as it was written, with what the token sees. */
export function keyOf(asked: Omit<Asked, 'to'> & { to?: string | undefined }, filter: readonly unknown[]): string {
  const { from, to, tz, window, anchor, group_by, max_hold, edge, step, rounding, estimate, gaps, evidence } = asked;
  const names = [asked.meter, asked.kind, asked.definition];
  const { floor, ceiling, min_coverage, projection, project_to } = asked;
  const bounds = { floor, ceiling, min_coverage, projection, project_to };
  const rest = {
    from,
    to,
    tz,
    window,
    anchor,
    group_by,
    max_hold,
    edge,
    step,
    rounding,
    estimate,
    gaps,
    evidence,
    ...bounds,
  };
  return sha256(JSON.stringify([names, rest, filter]));
}
