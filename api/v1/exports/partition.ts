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
  /** Beneath its lines. */
  readonly samples: number;
}

/** Consecutive partitions from one fold: to the bytes that each would have from one of its own. */
export async function makePartitions(
  desk: UsageDesk,
  plan: ExportPlan,
  spans: readonly PartitionSpan[],
): Promise<MadePartition[]> {
  const bySpan = await sourcesOf(desk, plan, spans);
  const made: MadePartition[] = [];
  for (const [span, sources] of bySpan) made.push(await madeOf(plan, span, sources));
  return made;
}

/** All lines of one definition after the other, cut into files after so many rows. */
async function madeOf(
  { asked, columns }: ExportPlan,
  span: PartitionSpan,
  sources: readonly RowSource[],
): Promise<MadePartition> {
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
    // Other requests have their turn.
    await new Promise(setImmediate);
  }
  const { totals, completeness } = summaryOf(sources);
  const answer = {
    name: span.name,
    from: formatInstant(span.from),
    to: formatInstant(span.to),
    rows: sources.length,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    parts,
    totals: [...totals],
    completeness,
  };
  return { answer, files, samples: sources.reduce((sum, { line }) => sum + line.samples, 0) };
}

async function sourcesOf(
  desk: UsageDesk,
  { asked, asOf, definitions }: ExportPlan,
  spans: readonly PartitionSpan[],
): Promise<Map<PartitionSpan, RowSource[]>> {
  const bySpan = new Map<PartitionSpan, RowSource[]>(spans.map((span) => [span, []]));
  const [first, last] = [spans[0], spans.at(-1)];
  if (first === undefined || last === undefined) return bySpan;
  for (const { definition, hash } of definitions) {
    const period = { from: first.from, to: last.to };
    const at = (moment: Micros): Promise<UsageQuestion> => questionIn(desk, asked, definition, moment, period);
    const question = await at(asOf);
    const { lines } = await desk.answer(question, { asOf, settled: true });
    const finality = await finalityOf(desk, { question, asOf, at }, lines);
    let place = 0;
    // Lines come in order of their start.
    for (const [i, line] of lines.entries()) {
      while (line.from >= (spans[place]?.to ?? Infinity)) place += 1;
      const shape = lineShape(line, question, asOf, finality[i]);
      bySpan.get(spans[place] ?? last)?.push({ line, shape, definition, hash, asOf });
    }
  }
  return bySpan;
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
