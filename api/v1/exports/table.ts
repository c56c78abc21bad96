import { formatInstant } from '@nephometer/core';
import type { UsageDefinition, UsageLine } from '@nephometer/core';
import type { LineShape } from '../usage/line-shape.ts';

/** Times, decimals and JSON are texts; null is not known. */
export type Cell = string | number | null;

/** What a row is made from. */
export interface RowSource {
  readonly line: UsageLine;
  readonly shape: LineShape;
  readonly definition: UsageDefinition;
  readonly hash: string;
  readonly asOf: number;
}

/** One column of the files of an export. */
export interface ExportColumn {
  readonly name: string;
  readonly type: 'string' | 'timestamp' | 'decimal' | 'integer';
  readonly nullable: boolean;
  readonly description: string;
  readonly value: (source: RowSource) => Cell;
}

export function column(
  name: string,
  type: ExportColumn['type'],
  value: ExportColumn['value'],
  description: string,
  { nullable = true }: { readonly nullable?: boolean } = {},
): ExportColumn {
  return { name, type, nullable, description, value };
}

/** A property of a line as /v1/usage has it. */
export function ofShape(name: string): ExportColumn['value'] {
  return ({ shape }) => {
    const value = shape[name];
    return typeof value === 'string' || typeof value === 'number' ? value : null;
  };
}

const GIVEN = { nullable: false };

/** Usage lines as /v1/usage has them, with one column a field of the groups. */
export function usageColumns(groupBy: readonly string[], hasEstimate: boolean, hasRounding: boolean): ExportColumn[] {
  const text = (name: string, description: string): ExportColumn => column(name, 'string', ofShape(name), description);
  const amount = (name: string, description: string): ExportColumn =>
    column(name, 'decimal', ofShape(name), description);
  return [
    column('definition', 'string', ({ definition }) => definition.name, 'Name of the quantity.', GIVEN),
    column('from', 'timestamp', ofShape('from'), 'First instant of the line, included.', GIVEN),
    column('to', 'timestamp', ofShape('to'), 'Last instant of the line, excluded.', GIVEN),
    ...groupBy.map((field) =>
      column(field, 'string', ({ line }) => line.group[field] ?? null, 'Group; empty: not known, or not grouped by.'),
    ),
    amount('quantity', 'What was used; empty: nothing was read, which is not zero.'),
    text('unit', 'Of quantity, lower and upper.'),
    amount('lower', 'The least it can be, whatever gaps and resets hide; empty: no bound.'),
    amount('upper', 'The most it can be; empty: no bound.'),
    ...(hasEstimate ? [amount('estimated', 'What it were with the gaps filled.')] : []),
    ...(hasRounding ? [amount('unrounded', 'What quantity was before rounding.')] : []),
    amount('coverage', '0 to 1, of the time in which the resources existed.'),
    text('basis', 'What coverage stands on: cycles, cadence, mixed or none.'),
    column('gaps', 'integer', ({ line }) => line.gaps.length, 'Number of gaps beneath the line.', GIVEN),
    column('resets', 'integer', ofShape('resets'), 'Counter resets.', GIVEN),
    column('samples', 'integer', ofShape('samples'), 'Samples beneath the line.', GIVEN),
    column('revision', 'timestamp', ofShape('revision'), 'Newest recorded_at beneath the line.'),
    column('finality', 'string', ofShape('finality'), 'provisional, closed or adjusted.', GIVEN),
    column('id', 'string', ofShape('id'), 'Stable: of the same question, period and group always the same.', GIVEN),
    column('definition_hash', 'string', ({ hash }) => hash, 'SHA-256 of what the definition says.', GIVEN),
    column('as_of', 'timestamp', ({ asOf }) => formatInstant(asOf), 'The moment that the line is as of.', GIVEN),
  ];
}
