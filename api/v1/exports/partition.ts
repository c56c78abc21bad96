import { formatInstant, sha256 } from '@nephometer/core';
import type { Micros } from '@nephometer/core';
import { finalityOf } from '../statements/line-finality.ts';
import type { UsageDesk } from '../usage/desk.ts';
import { lineShape } from '../usage/line-shape.ts';
import type { UsageQuestion } from '../usage/question.ts';
import { encodeRows } from './encode.ts';
import { questionIn } from './plan.ts';
import type { ExportPlan } from './plan.ts';
import type { ExportPartitionAnswer } from './schemas.ts';
import type { PartitionSpan } from './spans.ts';
import { summaryOf } from './summary.ts';
import type { Cell, RowSource } from './table.ts';

/** A partition with the bytes of its files. */
export interface MadePartition {
  readonly answer: ExportPartitionAnswer;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Makes the files of one partition: all lines of one definition after the other, cut after so many rows. */
export async function makePartition(desk: UsageDesk, plan: ExportPlan, span: PartitionSpan): Promise<MadePartition> {
  const { asked, columns } = plan;
  const { sources, skipped } = await sourcesOf(desk, plan, span);
  const files = new Map<string, Buffer>();
  const parts: ExportPartitionAnswer['parts'] = [];
  for (let start = 0; start < sources.length; start += asked.part_rows) {
    const rows = sources
      .slice(start, start + asked.part_rows)
      .map((source): Cell[] => columns.map(({ value }) => value(source)));
    const bytes = encodeRows(columns, rows, { format: asked.format, guardFormulas: asked.guard_formulas });
    const file = fileName(span, parts.length, asked.format);
    files.set(file, bytes);
    parts.push({ file, rows: rows.length, bytes: bytes.length, sha256: sha256(bytes) });
    await new Promise(setImmediate);
  }
  const answer = {
    name: span.name,
    from: formatInstant(span.from),
    to: formatInstant(span.to),
    rows: sources.length,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    parts,
    ...summaryOf(sources, skipped),
  };
  return { answer: { ...answer, totals: [...answer.totals] }, files };
}

interface Lines {
  readonly sources: readonly RowSource[];
  readonly skipped: number;
}

async function sourcesOf(
  desk: UsageDesk,
  { asked, asOf, definitions }: ExportPlan,
  span: PartitionSpan,
): Promise<Lines> {
  const sources: RowSource[] = [];
  let skipped = 0;
  for (const { definition, hash } of definitions) {
    const question = await questionIn(desk, asked, definition, asOf, span);
    const answer = await desk.answer(question, { asOf, settled: true });
    skipped += answer.skipped.length;
    const at = (moment: Micros): Promise<UsageQuestion> => questionIn(desk, asked, definition, moment, span);
    const finality = await finalityOf(desk, { question, asOf, at }, answer.lines);
    for (const [i, line] of answer.lines.entries()) {
      sources.push({ line, shape: lineShape(line, question, asOf, finality[i]), definition, hash, asOf });
    }
  }
  return { sources, skipped };
}

const DIGITS = 4;

function fileName({ name }: PartitionSpan, index: number, format: string): string {
  return `${name}.${String(index + 1).padStart(DIGITS, '0')}.${format}`;
}

/** The partition that a file's name says it is of. */
export function spanOfFile({ spans }: ExportPlan, file: string): PartitionSpan | null {
  const [name] = file.split('.');
  return spans.find((span) => span.name === name) ?? null;
}
