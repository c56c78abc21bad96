import { average, SECOND, secondsBetween, standardDeviation, toDouble } from '@nephometer/core';
import type { GroupField, Micros, StatisticsRow } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { UrlArguments } from './arguments.ts';
import { clientFault, invalidInput, unknownArgument } from './faults.ts';
import { Q_ARGUMENTS, readQuery, SAMPLE_KEYS } from './query.ts';
import { quoted } from './python.ts';
import { float, json, time } from './shapes.ts';

const ARGUMENTS = [...Q_ARGUMENTS, 'period', 'groupby', 'aggregate.func', 'aggregate.param'];

/** GET /v2/meters/{name}/statistics */
export function meterStatistics({ store }: ApiOptions): Handler {
  return async (ctx) => {
    const args = new UrlArguments(ctx.querystring, ARGUMENTS);
    const period = readPeriod(args);
    const { filter, start, end } = readQuery(args, SAMPLE_KEYS, identityOf(ctx));
    const groupBy = readGroupBy(args.all('groupby'));
    const aggregates = readAggregates(args.all('aggregate.func'), args.all('aggregate.param'));
    const meter = ctx.params['name'] ?? '';
    const rows = await store.statistics({ ...filter, meter, period, groupBy });
    const isOther = filter.meter !== undefined && filter.meter !== meter;
    const texts = (isOther ? [] : rows).map((row) => rowText(row, { start, end }, period, aggregates));
    sendJson(ctx, `[${texts.join(',')}]`);
  };
}

/** Null for one row over everything, which is what period 0 means too. */
function readPeriod(args: UrlArguments): Micros | null {
  const seconds = args.integer('period') ?? 0;
  if (seconds < 0) throw clientFault('Period must be positive.');
  if (!Number.isSafeInteger(seconds * SECOND)) {
    throw clientFault(`Invalid period ${seconds}: Python int too large to convert to C int`);
  }
  return seconds === 0 ? null : seconds * SECOND;
}

const GROUP_FIELDS: readonly GroupField[] = [
  'user_id',
  'resource_id',
  'project_id',
  'source',
  'resource_metadata.instance_type',
];

function readGroupBy(names: readonly string[]): GroupField[] {
  const unknown = new Set(names.filter((name) => !GROUP_FIELDS.some((field) => field === name)));
  if (unknown.size > 0) {
    throw unknownArgument(`set([${[...unknown].map(quoted).join(', ')}])`, 'Invalid groupby fields');
  }
  return GROUP_FIELDS.filter((field) => names.includes(field));
}

type Standard = 'min' | 'max' | 'avg' | 'sum' | 'count';

const STANDARD: Readonly<Record<Standard, (row: StatisticsRow) => number>> = {
  min: (row) => toDouble(row.min),
  max: (row) => toDouble(row.max),
  avg: average,
  sum: (row) => toDouble(row.sum),
  count: (row) => row.count,
};
const STANDARD_NAMES: readonly Standard[] = ['min', 'max', 'avg', 'sum', 'count'];

interface Aggregate {
  /** `max`, or `cardinality/resource_id`. */
  readonly name: string;
  readonly of: (row: StatisticsRow) => number;
}

function readAggregates(names: readonly string[], params: readonly string[]): Aggregate[] {
  const missing = params.length > names.length;
  if (missing) throw invalidInput('func', null, 'Mandatory field missing.');
  const aggregates = names.map((name, i) => aggregateOf(name, params[i] ?? ''));
  return aggregates.filter(({ name }, i) => aggregates.findIndex((other) => other.name === name) === i);
}

function aggregateOf(name: string, param: string): Aggregate {
  const standard = STANDARD_NAMES.find((known) => known === name);
  if (standard !== undefined) return { name, of: STANDARD[standard] };
  if (name === 'stddev') return { name, of: standardDeviation };
  if (name !== 'cardinality') throw clientFault(`Invalid aggregation function: ${name}`);
  if (param !== 'resource_id' && param !== 'user_id' && param !== 'project_id') {
    throw clientFault(`Invalid aggregation function: ${name} of ${param === '' ? 'nothing' : param}`);
  }
  return { name: `${name}/${param}`, of: (row) => row.distinct[param] };
}

interface Range {
  readonly start: Micros | null;
  readonly end: Micros | null;
}

function rowText(row: StatisticsRow, range: Range, period: Micros | null, aggregates: readonly Aggregate[]): string {
  const shown =
    aggregates.length === 0 ? STANDARD_NAMES : STANDARD_NAMES.filter((n) => aggregates.some((a) => a.name === n));
  const figures = shown.map((name) => {
    const value = STANDARD[name](row);
    return `"${name}":${name === 'count' ? value : float(value)}`;
  });
  if (aggregates.length > 0) {
    const chosen = aggregates.map(({ name, of }) => `"${name}":${float(of(row))}`);
    figures.push(`"aggregate":{${chosen.join(',')}}`);
  }
  return (
    `{${figures.join(',')},"unit":${json(row.unit)},${durationText(row, range)},` +
    `"period":${period === null ? 0 : period / SECOND},"period_start":${time(row.periodStart)},` +
    `"period_end":${time(row.periodEnd)},"groupby":${groupText(row)}}`
  );
}

/** First and last sample, clamped to the range asked for; nulls when nothing is left between. */
function durationText({ first, last }: StatisticsRow, { start, end }: Range): string {
  const from = Math.max(first, start ?? first);
  const to = Math.min(last, end ?? last);
  if (from > to) return '"duration":null,"duration_start":null,"duration_end":null';
  const duration = float(secondsBetween(from, to));
  return `"duration":${duration},"duration_start":${time(from)},"duration_end":${time(to)}`;
}

function groupText({ group }: StatisticsRow): string {
  if (group.size === 0) return 'null';
  return `{${[...group].map(([field, value]) => `${json(field)}:${json(value)}`).join(',')}}`;
}
