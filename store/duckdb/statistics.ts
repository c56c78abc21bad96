import { add, compareStatisticsRows, computeStatistics, maximum, minimum } from '@nephometer/core';
import type { Decimal, GroupField, StatisticsQuery, StatisticsRow } from '@nephometer/core';
import type { Engine, Row } from './engine.ts';
import { readSamples } from './samples.ts';
import { bigintAt, int, numberAt, optionalTextAt } from './sql.ts';
import { sampleConditions, visible } from './where.ts';
import type { Pin } from './where.ts';

/**
 * Exact figures. The engine adds integers of 128 bits: each coefficient (below 10^38) is cut into three limbs of 13
 * digits, whose sums and sums of products stay below 2^127 for 10^12 samples; the limbs are put together here, scale
 * by scale. Where metadata is asked for, the samples themselves are read.
 */
export async function readStatistics(engine: Engine, query: StatisticsQuery, pin: Pin): Promise<StatisticsRow[]> {
  const needsMetadata =
    (query.metadata ?? []).length > 0 || query.groupBy.some((field) => field.startsWith('resource_metadata.'));
  if (needsMetadata) return computeStatistics(readSamples(engine, { ...query, order: 'oldest' }, visible(pin)), query);
  const [conditions, bindings] = await sampleConditions(engine, query);
  const where = [...conditions, visible(pin)].join(' AND ');
  const origin = query.from?.at ?? (await firstTimestamp(engine, where, bindings.values));
  if (origin === null) return [];
  const keys = ['unit', ...query.groupBy];
  const bucket = query.period === null ? '0' : `((timestamp - ${int(origin)}) // ${int(query.period)})`;
  const from = `FROM (SELECT *, ${bucket} AS bucket FROM sample WHERE ${where}) s JOIN series ON series.id = s.series_id`;
  const groups = ['bucket', ...keys].join(', ');
  const [sums, owners] = await Promise.all([
    engine.read(`SELECT ${groups}, scale, ${FIGURES} ${from} GROUP BY ${groups}, scale`, bindings.values),
    engine.read(`SELECT ${groups}, ${OWNERS} ${from} GROUP BY ${groups}`, bindings.values),
  ]);
  return merge(sums, owners, query, origin);
}

const LIMB = 10n ** 13n;
const [X0, X1, X2] = [
  `(coefficient % ${LIMB})`,
  `((coefficient // ${LIMB}) % ${LIMB})`,
  `(coefficient // ${LIMB * LIMB})`,
];
const sum = (a: string, b = '1') => `sum(${a} * ${b})`;
const FIGURES = `count(*), min(timestamp), max(timestamp), min(coefficient), max(coefficient),
  ${sum(X0)}, ${sum(X1)}, ${sum(X2)}, ${sum(X0, X0)}, ${sum(X0, X1)}, sum(${X1} * ${X1} + 2 * ${X0} * ${X2}),
  ${sum(X1, X2)}, ${sum(X2, X2)}`;
const OWNERS = 'count(DISTINCT resource_id), count(DISTINCT user_id), count(DISTINCT project_id)';

async function firstTimestamp(engine: Engine, where: string, values: string[]): Promise<number | null> {
  const [row] = await engine.read(`SELECT min(timestamp) FROM sample WHERE ${where}`, values);
  return row?.[0] === null || row === undefined ? null : numberAt(row, 0);
}

interface Figures {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly min: Decimal;
  readonly max: Decimal;
  readonly sum: Decimal;
  readonly sumOfSquares: Decimal;
}

function merge(sums: readonly Row[], owners: readonly Row[], query: StatisticsQuery, origin: number): StatisticsRow[] {
  const width = 2 + query.groupBy.length;
  const keyOfRow = (row: Row): string => JSON.stringify(row.slice(0, width).map((_, i) => optionalTextAt(row, i)));
  const figures = new Map<string, Figures>();
  for (const row of sums) {
    const key = keyOfRow(row);
    const read = readFigures(row.slice(width));
    const known = figures.get(key);
    figures.set(key, known === undefined ? read : joined(known, read));
  }
  const rows = owners.flatMap((row): StatisticsRow[] => {
    const found = figures.get(keyOfRow(row));
    return found === undefined ? [] : [statisticsRow(row, found, query, origin)];
  });
  return rows.sort(compareStatisticsRows);
}

/** The columns of `FIGURES` behind the scale, as decimals. */
function readFigures(row: Row): Figures {
  const scale = numberAt(row, 0);
  const at = (column: number): bigint => bigintAt(row, column);
  const sum = at(6) + LIMB * (at(7) + LIMB * at(8));
  // (x0 + x1 L + x2 L^2)^2, by powers of L.
  const squares = at(9) + LIMB * (2n * at(10) + LIMB * (at(11) + LIMB * (2n * at(12) + LIMB * at(13))));
  return {
    count: numberAt(row, 1),
    first: numberAt(row, 2),
    last: numberAt(row, 3),
    min: { coefficient: at(4), scale },
    max: { coefficient: at(5), scale },
    sum: normalised(sum, scale),
    sumOfSquares: normalised(squares, 2 * scale),
  };
}

/** Adding takes the zeros off the end, as everywhere. */
function normalised(coefficient: bigint, scale: number): Decimal {
  return add({ coefficient, scale }, { coefficient: 0n, scale });
}

function joined(a: Figures, b: Figures): Figures {
  return {
    count: a.count + b.count,
    first: Math.min(a.first, b.first),
    last: Math.max(a.last, b.last),
    min: minimum(a.min, b.min),
    max: maximum(a.max, b.max),
    sum: add(a.sum, b.sum),
    sumOfSquares: add(a.sumOfSquares, b.sumOfSquares),
  };
}

function statisticsRow(row: Row, figures: Figures, query: StatisticsQuery, origin: number): StatisticsRow {
  const { groupBy, period } = query;
  const width = 2 + groupBy.length;
  const periodStart = period === null ? figures.first : origin + numberAt(row, 0) * period;
  return {
    ...figures,
    unit: optionalTextAt(row, 1),
    group: new Map(groupBy.map((field, i): [GroupField, string | null] => [field, optionalTextAt(row, 2 + i)])),
    periodStart,
    periodEnd: period === null ? figures.last : periodStart + period,
    distinct: {
      resource_id: numberAt(row, width),
      user_id: numberAt(row, width + 1),
      project_id: numberAt(row, width + 2),
    },
  };
}
