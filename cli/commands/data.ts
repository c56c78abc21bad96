import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { parseDuration, SECOND } from '@nephometer/core';
import { ApiClient, given } from '../client.ts';
import type { ClientFlags, QueryPairs } from '../client.ts';
import { asClient, print, repeated, wholeNumber, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';
import { queryPairs } from '../query.ts';

interface DataFlags extends ClientFlags, FormatFlag {
  readonly query?: readonly string[];
  readonly limit?: number;
}

interface Meter {
  readonly name: string;
  readonly type: string;
  readonly unit: string | null;
  readonly resource_id: string | null;
  readonly project_id: string | null;
  readonly user_id: string | null;
  readonly source: string | null;
}

interface Resource {
  readonly resource_id: string;
  readonly project_id: string | null;
  readonly user_id: string | null;
  readonly source: string;
  readonly first_sample_timestamp: string;
  readonly last_sample_timestamp: string;
}

interface SampleRow {
  readonly timestamp: string;
  readonly meter: string;
  readonly resource_id: string;
  readonly volume: number;
  readonly unit: string | null;
  readonly type: string;
  readonly project_id: string | null;
  readonly id: string;
}

interface Statistics {
  readonly period_start: string;
  readonly period_end: string;
  readonly count?: number;
  readonly min?: number;
  readonly max?: number;
  readonly sum?: number;
  readonly avg?: number;
  readonly unit: string | null;
  readonly groupby: Record<string, string | null> | null;
}

/** `meters`, `resources`, `samples`, `statistics`: clients of the API v2. */
export function addDataCommands(program: Command): void {
  const data = (name: string, description: string): Command =>
    withFormat(asClient(program.command(name).description(description)))
      .option(
        '-q, --query <condition>',
        "FIELD OP VALUE, e.g. 'resource_id=abc' or 'timestamp>=2026-11-01'; repeat for more",
        repeated,
      )
      .option('--limit <rows>', 'most rows', wholeNumber);

  data('meters', 'list what is measured')
    .option('--unique', 'one row a meter, not one a resource')
    .action(async (flags: DataFlags & { unique?: boolean }) => {
      const extra: QueryPairs = flags.unique === true ? [['unique', 'True']] : [];
      await show<Meter>('/v2/meters', flags, METER_COLUMNS, extra);
    });
  data('resources', 'list what is known of the things measured').action(async (flags: DataFlags) => {
    await show<Resource>('/v2/resources', flags, RESOURCE_COLUMNS, [['meter_links', '0']]);
  });
  data('samples', 'list readings, newest first')
    .option('-m, --meter <name>', 'only this meter')
    .action(async (flags: DataFlags & { meter?: string }) => {
      const query = [...(flags.query ?? []), ...(flags.meter === undefined ? [] : [`meter=${flags.meter}`])];
      await show<SampleRow>('/v2/samples', { ...flags, query }, SAMPLE_COLUMNS);
    });
  addStatistics(data('statistics', 'sums, means and extremes of one meter').argument('<meter>', 'meter name'));
}

interface StatisticsFlags extends DataFlags {
  readonly period?: string;
  readonly groupby?: readonly string[];
  readonly aggregate?: readonly string[];
}

function addStatistics(command: Command): void {
  command
    .option('-p, --period <duration>', 'length of a bucket: 1h, 15m, or seconds', periodSeconds)
    .option('-g, --groupby <field>', 'user_id, project_id, resource_id, source; repeat for more', repeated)
    .option(
      '-a, --aggregate <func>',
      'max, min, sum, avg, count, stddev or cardinality/FIELD; repeat for more',
      repeated,
    )
    .action(async (meter: string, flags: StatisticsFlags) => {
      const extra: QueryPairs = [
        ...given({ period: flags.period }),
        ...(flags.groupby ?? []).map((field) => ['groupby', field] as const),
        ...aggregatePairs(flags.aggregate ?? []),
      ];
      const path = `/v2/meters/${encodeURIComponent(meter)}/statistics`;
      const rows = await new ApiClient(flags).get<(Statistics & { aggregate?: Record<string, number> })[]>(path, [
        ...queryPairs(flags.query ?? []),
        ...extra,
      ]);
      const shown = flags.limit === undefined ? rows : rows.slice(0, flags.limit);
      print(formatRows(shown, statisticsColumns(flags), flags.format));
    });
}

/** Whole seconds: the API knows no shorter bucket, and takes 0 for "one bucket of all". */
export function periodSeconds(text: string): string {
  const seconds = /^\d+$/.test(text) ? Number(text) : secondsOf(text);
  if (Number.isSafeInteger(seconds) && seconds > 0) return String(seconds);
  throw new InvalidArgumentError('It must be whole seconds above zero.');
}

function secondsOf(text: string): number {
  try {
    return parseDuration(text) / SECOND;
  } catch (cause) {
    throw new InvalidArgumentError(cause instanceof Error ? cause.message : String(cause));
  }
}

/** Functions with a parameter come first, so that both lists match by position. */
function aggregatePairs(functions: readonly string[]): QueryPairs {
  const split = functions.map((text) => text.split('/', 2) as [string, string?]);
  const ordered = [
    ...split.filter(([, param]) => param !== undefined),
    ...split.filter(([, param]) => param === undefined),
  ];
  return ordered.flatMap(([func, param]) => [
    ['aggregate.func', func] as const,
    ...(param === undefined ? [] : [['aggregate.param', param] as const]),
  ]);
}

function statisticsColumns(flags: StatisticsFlags): Column<Statistics & { aggregate?: Record<string, number> }>[] {
  const grouped = (flags.groupby ?? []).map((field) => ({
    title: field,
    value: (row: Statistics) => row.groupby?.[field],
  }));
  const extra = (flags.aggregate ?? []).map((name) => ({
    title: name,
    value: (row: { aggregate?: Record<string, number> }) => row.aggregate?.[name],
    align: 'right' as const,
  }));
  const standard = extra.length > 0 ? [] : STANDARD_COLUMNS;
  return [...PERIOD_COLUMNS, ...grouped, ...standard, ...extra, { title: 'unit', value: (row) => row.unit }];
}

async function show<Row>(
  path: string,
  flags: DataFlags,
  columns: readonly Column<Row>[],
  extra: QueryPairs = [],
): Promise<void> {
  const limit = given({ limit: flags.limit?.toString() });
  const rows = await new ApiClient(flags).get<Row[]>(path, [...queryPairs(flags.query ?? []), ...extra, ...limit]);
  print(formatRows(rows, columns, flags.format));
}

const METER_COLUMNS: readonly Column<Meter>[] = [
  { title: 'meter', value: (row) => row.name },
  { title: 'type', value: (row) => row.type },
  { title: 'unit', value: (row) => row.unit },
  { title: 'resource', value: (row) => row.resource_id },
  { title: 'project', value: (row) => row.project_id },
  { title: 'user', value: (row) => row.user_id },
  { title: 'source', value: (row) => row.source },
];

const RESOURCE_COLUMNS: readonly Column<Resource>[] = [
  { title: 'resource', value: (row) => row.resource_id },
  { title: 'project', value: (row) => row.project_id },
  { title: 'user', value: (row) => row.user_id },
  { title: 'source', value: (row) => row.source },
  { title: 'first sample (UTC)', value: (row) => row.first_sample_timestamp },
  { title: 'last sample (UTC)', value: (row) => row.last_sample_timestamp },
];

const SAMPLE_COLUMNS: readonly Column<SampleRow>[] = [
  { title: 'time (UTC)', value: (row) => row.timestamp },
  { title: 'meter', value: (row) => row.meter },
  { title: 'resource', value: (row) => row.resource_id },
  { title: 'volume', value: (row) => row.volume, align: 'right' },
  { title: 'unit', value: (row) => row.unit },
  { title: 'type', value: (row) => row.type },
  { title: 'project', value: (row) => row.project_id },
  { title: 'message_id', value: (row) => row.id },
];

const PERIOD_COLUMNS: readonly Column<Statistics>[] = [
  { title: 'from (UTC)', value: (row) => row.period_start },
  { title: 'to (UTC)', value: (row) => row.period_end },
];

const STANDARD_COLUMNS: readonly Column<Statistics>[] = [
  { title: 'count', value: (row) => row.count, align: 'right' },
  { title: 'min', value: (row) => row.min, align: 'right' },
  { title: 'max', value: (row) => row.max, align: 'right' },
  { title: 'sum', value: (row) => row.sum, align: 'right' },
  { title: 'avg', value: (row) => row.avg, align: 'right' },
];
