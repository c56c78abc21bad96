import { compare, formatInstant, gapFields, lineFields, parseDecimal } from '@nephometer/core';
import type { Decimal, Micros, UsageField, UsageLine } from '@nephometer/core';
import { projected } from './projection.ts';
import type { Projected } from './projection.ts';
import type { UsageQuestion } from './question.ts';

/** `LineAnswer`, as an object whose properties are in their order. */
export type LineShape = Readonly<Record<string, unknown>> & { readonly id: string };

export type Finality = 'provisional' | 'closed' | 'adjusted';

export function lineShape(
  measured: UsageLine,
  { meter, definition, query, showsEvidence, projection, minCoverage }: UsageQuestion,
  asOf: Micros,
  finality: Finality = 'provisional',
): LineShape {
  const line = isThin(measured, minCoverage) ? { ...measured, ...NO_FIGURE } : measured;
  return {
    ...lineFields(line, { meter, name: definition.name, query }),
    finality,
    ...(projection === null ? {} : { projected: projectedShape(projected(line, query, projection)) }),
    ...(query.gaps ? { gaps: line.gaps.map(gapFields) } : {}),
    ...(showsEvidence ? { evidence: evidenceLink(line, { meter, query }, asOf) } : {}),
  };
}

const NO_FIGURE = { quantity: null, estimated: null, unrounded: null };

function isThin({ coverage }: UsageLine, least: Decimal | null): boolean {
  return least !== null && compare(parseDecimal(coverage ?? '0'), least) < 0;
}

function projectedShape(one: Projected | null): Record<string, unknown> | null {
  return one === null ? null : { ...one, to: formatInstant(one.to) };
}

const LISTED: readonly UsageField[] = ['project_id', 'user_id', 'resource_id', 'source'];

/** Readings that hold into the line, or grow into it, lie before it: by default at most an hour. */
const BEFORE: Micros = 3_600_000_000;

/** The samples beneath a line, as far as /v1/samples can be asked for them; in the order of time, as of the same moment. */
function evidenceLink(line: UsageLine, { meter, query }: Pick<UsageQuestion, 'meter' | 'query'>, asOf: Micros): string {
  const asked = new URLSearchParams({ meter });
  for (const [field, values] of query.filter) {
    const [only, more] = values;
    if (only != null && more === undefined && !(field in line.group)) asked.set(field, jsonText(field, only));
  }
  for (const [field, value] of Object.entries(line.group)) if (value !== null) asked.set(field, jsonText(field, value));
  asked.set('from', formatInstant(line.from - (query.maxHold ?? BEFORE)));
  asked.set('to', formatInstant(line.to));
  asked.set('as_of', formatInstant(asOf));
  asked.set('order', 'oldest');
  return `/v1/samples?${asked.toString()}`;
}

/** Metadata are compared with their type there, and texts are the rule. */
function jsonText(field: string, value: string): string {
  return LISTED.some((known) => known === field) ? value : JSON.stringify(value);
}

export const COLUMNS = [
  'quantity',
  'unit',
  'lower',
  'upper',
  'estimated',
  'coverage',
  'basis',
  'resets',
  'samples',
  'revision',
  'finality',
] as const;

/** RFC 4180 with line feeds; one column a field of the group. Unknown is an empty cell. */
export function csvText(lines: readonly LineShape[], question: UsageQuestion, asOf: Micros): string {
  const { groupBy, rounding } = question.query;
  const asked = [...(rounding === null ? [] : ['unrounded']), ...(question.projection === null ? [] : ['projected'])];
  const header = ['from', 'to', ...groupBy, ...COLUMNS, ...asked, 'as_of', 'id'];
  const rows = lines.map((line) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `lineShape` makes it
    const group = line['group'] as Readonly<Record<string, string | null>>;
    const values = [line['from'], line['to'], ...groupBy.map((field) => group[field] ?? null)];
    const figures = [...COLUMNS, ...asked].map((column) => line[column]);
    return [...values, ...figures, formatInstant(asOf), line.id];
  });
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

/** Of a projection its quantity. */
export function cell(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'quantity' in value) return cell(value.quantity);
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
