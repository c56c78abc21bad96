import { compare, csvRow, formatInstant, gapFields, lineFields, parseDecimal } from '@nephometer/core';
import type { CsvCell, Decimal, Micros, UsageLine } from '@nephometer/core';
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

/**
 * The samples beneath a line, in the order of time, as of the same moment: those in it, and those next to it that hold or
 * grow into it. Of a resource that several agents measure, those of all.
 */
function evidenceLink(line: UsageLine, { meter, query }: Pick<UsageQuestion, 'meter' | 'query'>, asOf: Micros): string {
  const asked = new URLSearchParams({ meter });
  const group = Object.entries(line.group).map(([field, value]) => [field, [value]] as const);
  const fields = [...[...query.filter].filter(([field]) => !(field in line.group)), ...group];
  for (const [field, values] of fields) for (const value of values) asked.append(field, value ?? '');
  if (fields.some(([field]) => field.startsWith('metadata.'))) asked.set('match', 'text');
  asked.set('from', formatInstant(line.from));
  asked.set('to', formatInstant(line.to));
  asked.set('as_of', formatInstant(asOf));
  asked.set('order', 'oldest');
  const beside = besideOf(query);
  if (beside !== null) asked.set('beside', beside);
  return `/v1/samples?${asked.toString()}`;
}

/** Which readings outside of a line have a part in it. */
function besideOf({ kind, edge }: UsageQuestion['query']): 'before' | 'both' | null {
  if (kind === 'sum' || kind === 'count') return null;
  return (kind === 'increase' || kind === 'p95') && edge === 'interpolate' ? 'both' : 'before';
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

/** Columns of a line's figures and times, whose minus is no formula. */
const FIGURES: ReadonlySet<string> = new Set([...COLUMNS, 'from', 'to', 'unrounded', 'projected', 'as_of', 'gaps']);

export function isFigure(column: string | undefined): boolean {
  return column !== undefined && column !== 'unit' && FIGURES.has(column);
}

/**
 * As `csvRow` of core: one column a field of the group. With `gaps` their number and their reasons; with rounding what the
 * quantity was before; of a projection its quantity.
 */
export function csvText(
  lines: readonly LineShape[],
  { query, projection }: UsageQuestion,
  { asOf, guardFormulas }: { readonly asOf: Micros; readonly guardFormulas: boolean },
): string {
  const { groupBy, rounding, gaps } = query;
  const asked = [
    ...(rounding === null ? [] : ['unrounded']),
    ...(projection === null ? [] : ['projected']),
    ...(gaps ? ['gaps', 'gap_reasons'] : []),
  ];
  const header = ['from', 'to', ...groupBy, ...COLUMNS, ...asked, 'as_of', 'id'];
  const isOurs = (i: number): boolean => (i < 2 || i >= 2 + groupBy.length) && isFigure(header[i]);
  const rows = lines.map((line) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `lineShape` makes it
    const group = line['group'] as Readonly<Record<string, string | null>>;
    const values = [line['from'], line['to'], ...groupBy.map((field) => group[field] ?? null)];
    const cells = [
      ...values,
      ...[...COLUMNS, ...asked].map((column) => figureOf(line, column)),
      formatInstant(asOf),
      line.id,
    ];
    return csvRow(cells.map(csvCell), { guardFormulas, isOurs });
  });
  return [csvRow(header), ...rows].join('');
}

function figureOf(line: LineShape, column: string): unknown {
  const gaps = line['gaps'];
  if (!Array.isArray(gaps)) return line[column];
  if (column === 'gaps') return gaps.length;
  if (column !== 'gap_reasons') return line[column];
  return (
    [...new Set((gaps as readonly { readonly reason: string }[]).map(({ reason }) => reason))].sort().join(';') || null
  );
}

/** Of a projection its quantity. */
export function csvCell(value: unknown): CsvCell {
  if (typeof value === 'object' && value !== null && 'quantity' in value) return csvCell(value.quantity);
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}
