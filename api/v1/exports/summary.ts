import { add, compare, compareText, decimal, parseDecimal, toText } from '@nephometer/core';
import type { Decimal } from '@nephometer/core';
import type { ExportPartitionAnswer } from './schemas.ts';
import type { RowSource } from './table.ts';

type Total = ExportPartitionAnswer['totals'][number];
type Completeness = ExportPartitionAnswer['completeness'];

/** Control totals and completeness of some rows. */
export interface Summary {
  readonly totals: readonly Total[];
  readonly completeness: Completeness;
}

export function summaryOf(sources: readonly RowSource[]): Summary {
  const totals = new Map<string, Total>();
  const finality: Record<string, number> = {};
  const reasons: Record<string, number> = {};
  let [full, part, unknown, gaps] = [0, 0, 0, 0];
  let lowest: string | null = null;
  for (const { line, shape, definition } of sources) {
    addTotal(totals, {
      definition: definition.name,
      unit: line.unit,
      rows: 1,
      unknown: line.quantity === null ? 1 : 0,
      quantity: line.quantity ?? '0',
      lower: line.lower,
      upper: line.upper,
    });
    const state = String(shape['finality']);
    finality[state] = (finality[state] ?? 0) + 1;
    for (const { reason } of line.gaps) reasons[reason] = (reasons[reason] ?? 0) + 1;
    gaps += line.gaps.length;
    if (line.quantity === null) unknown += 1;
    else if (line.coverage === '1') full += 1;
    else part += 1;
    lowest = lower(lowest, line.coverage);
  }
  return {
    totals: sorted(totals),
    completeness: {
      full,
      part,
      unknown,
      lowest_coverage: lowest,
      gaps,
      gap_reasons: inOrder(reasons),
      finality: inOrder(finality),
    },
  };
}

/** Of several partitions together. */
export function joined(summaries: readonly Summary[]): Summary {
  const totals = new Map<string, Total>();
  const all: Completeness = {
    full: 0,
    part: 0,
    unknown: 0,
    lowest_coverage: null,
    gaps: 0,
    gap_reasons: {},
    finality: {},
  };
  for (const { totals: some, completeness: one } of summaries) {
    for (const total of some) addTotal(totals, total);
    all.full += one.full;
    all.part += one.part;
    all.unknown += one.unknown;
    all.gaps += one.gaps;
    all.lowest_coverage = lower(all.lowest_coverage, one.lowest_coverage);
    addCounts(all.gap_reasons, one.gap_reasons);
    addCounts(all.finality, one.finality);
  }
  const { gap_reasons: reasons, finality } = all;
  return {
    totals: sorted(totals),
    completeness: { ...all, gap_reasons: inOrder(reasons), finality: inOrder(finality) },
  };
}

function addTotal(totals: Map<string, Total>, one: Total): void {
  const key = JSON.stringify([one.definition, one.unit]);
  const known = totals.get(key);
  if (known === undefined) {
    totals.set(key, { ...one });
    return;
  }
  known.rows += one.rows;
  known.unknown += one.unknown;
  known.quantity = toText(add(exact(known.quantity), exact(one.quantity)));
  known.lower = plus(known.lower, one.lower);
  known.upper = plus(known.upper, one.upper);
}

/** Where one has no bound, the sum has none. */
function plus(a: string | null, b: string | null): string | null {
  return a === null || b === null ? null : toText(add(exact(a), exact(b)));
}

const ZERO = decimal(0);

/** Sums may have more digits than a reading's literal. */
function exact(text: string): Decimal {
  if (text === '0') return ZERO;
  if (text.length <= 38) return parseDecimal(text);
  const [whole = '', fraction = ''] = text.split('.');
  return { coefficient: BigInt(whole + fraction), scale: fraction.length };
}

function lower(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compare(exact(b), exact(a)) < 0 ? b : a;
}

function sorted(totals: ReadonlyMap<string, Total>): Total[] {
  return [...totals.values()].sort(
    (a, b) => compareText(a.definition, b.definition) || compareText(a.unit ?? '', b.unit ?? ''),
  );
}

function inOrder(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => compareText(a, b)));
}

function addCounts(all: Record<string, number>, some: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(some)) all[name] = (all[name] ?? 0) + count;
}
