import type { Measured, Result } from './measure.ts';

/** What was seen, for a person: a line a subject. */
export function tableOf(result: Result): string {
  const { name, title, unit, units, rounds, subjects } = result;
  const rows = [['', `CPU µs a ${unit}`, 'ratio', 'least', 'most', 'by the clock'], ...subjects.map(rowOf)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `  ${row.map((cell, i) => pad(cell, widths[i] ?? 0, i)).join('  ')}`.trimEnd());
  return [`${name}: ${title}`, `  ${units} ${unit}s a round, ${rounds} rounds`, ...lines, ''].join('\n');
}

function rowOf({ name, microsPerUnit, ratio, clockRatio }: Measured): string[] {
  const figures = [microsPerUnit.median, ratio.median, ratio.least, ratio.most, clockRatio.median];
  return [name, ...figures.map(threeDigits)];
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** Three digits that count, never an exponent. */
export function threeDigits(value: number): string {
  const digits = value === 0 ? 0 : Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(digits);
}
