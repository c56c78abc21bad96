import { compare, parseDecimal } from '@nephometer/core';
import type { StatementPart } from '@nephometer/core';
import { HttpError } from '../../errors.ts';

export interface LowLine {
  readonly definition: string;
  readonly line: string;
  readonly coverage: string | null;
}

/** A line is below the coverage that was asked for. */
export class CoverageTooLow extends HttpError {
  readonly lines: readonly LowLine[];
  constructor(projectId: string | null, least: string, lines: readonly LowLine[]) {
    const [worst] = lines.toSorted((a, b) => compare(parseDecimal(a.coverage ?? '0'), parseDecimal(b.coverage ?? '0')));
    const detail =
      `${nameOf(projectId)}: ${lines.length} lines are below the coverage ${least}; the lowest is ${worst?.definition} ` +
      `with ${worst?.coverage ?? 'nothing known'}. Wait for what is late, ask for less, or close it with below=flag.`;
    super(409, 'MTR_COVERAGE_LOW', detail);
    this.lines = lines;
  }
}

export function nameOf(projectId: string | null): string {
  return projectId === null ? 'What belongs to nobody known' : `Project ${projectId}`;
}

/** A line of which nothing at all is known is below any. */
export function linesBelow(parts: readonly StatementPart[], least: string): LowLine[] {
  const limit = parseDecimal(least);
  return parts.flatMap(({ definition, lines }) =>
    lines
      .filter(({ coverage, quantity }) =>
        coverage === null ? quantity === null : compare(parseDecimal(coverage), limit) < 0,
      )
      .map(({ id, coverage }) => ({ definition: definition.name, line: id, coverage })),
  );
}
