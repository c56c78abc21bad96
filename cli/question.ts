import { EXIT_CODES, formatTimestamp, systemClock, toLocal, USAGE_KINDS, WINDOWS } from '@nephometer/core';
import { Option } from 'commander';
import type { Command } from 'commander';
import { ApiError, given } from './client.ts';
import type { ApiClient, QueryPairs } from './client.ts';
import { repeated } from './command.ts';

/** What a question about usage may say, whatever becomes of its answer. */
export interface QuestionFlags {
  readonly from?: string;
  readonly to?: string;
  readonly tz: string;
  readonly window?: string;
  readonly anchor?: string;
  readonly groupBy?: readonly string[];
  readonly query?: readonly string[];
  readonly asOf?: string;
  readonly maxHold?: string;
  readonly edge?: string;
  readonly step?: string;
  readonly rounding?: string;
  readonly estimate?: boolean;
}

/** Where commands differ: what is meant when nothing is said; `null`: it has to be said. */
export interface QuestionDefaults {
  readonly from: string | null;
  readonly to: string | null;
  /** `null`: the command asks of other moments. */
  readonly asOf: string | null;
  readonly window?: string;
}

/** The options of a question, on any command that asks one. */
export function withQuestion(command: Command, { from, to, asOf, window }: QuestionDefaults): Command {
  if (asOf !== null) command.option('--as-of <when>', `as it was known at that moment; default: ${asOf}`);
  return command
    .addOption(instant('--from <when>', 'first instant: a local date, a local time, or an instant with its zone', from))
    .addOption(instant('--to <when>', 'last instant, excluded', to))
    .option('--tz <zone>', 'IANA name of the zone of dates and windows', 'UTC')
    .addOption(new Option('-w, --window <window>', 'one line each').choices([...WINDOWS]).default(window))
    .option('--anchor <start>', 'where billing months start: 31, 31T06:30')
    .option(
      '-g, --group-by <field>',
      'project_id, user_id, resource_id, source, metadata.PATH; repeat for more',
      repeated,
    )
    .option('-q, --query <condition>', 'FIELD=VALUE of the same fields; repeat for more', repeated)
    .option('--max-hold <duration>', 'longest that a reading holds: 20m')
    .addOption(
      new Option('--edge <rule>', "how a counter's step across an edge is split").choices(['interpolate', 'end']),
    )
    .option('--step <duration>', 'of p95: what is averaged over first; default: 5m')
    .option('--rounding <rule>', 'WHERE,HOW,TO[,MINIMUM]: resource,ceil,1/60')
    .option('--estimate', 'what it were with the gaps filled, too');
}

function instant(flags: string, description: string, fallback: string | null): Option {
  if (fallback !== null) return new Option(flags, `${description}; default: ${fallback}`);
  return new Option(flags, description).makeOptionMandatory();
}

/** As the API calls them; what was not said is not there. */
export function questionFields(flags: QuestionFlags): Record<string, string | readonly string[]> {
  const { from, to, tz, window, anchor, groupBy, asOf, maxHold, edge, step, rounding, estimate } = flags;
  const named = {
    from,
    to,
    tz,
    window,
    anchor,
    group_by: groupBy,
    as_of: asOf,
    max_hold: maxHold,
    edge,
    step,
    rounding,
  };
  const policy = { estimate: estimate === true ? 'previous' : undefined };
  const said = Object.entries({ ...named, ...policy }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(said), ...filtersOf(flags) };
}

function filtersOf({ query = [] }: QuestionFlags): Record<string, string[]> {
  const filters: Record<string, string[]> = {};
  for (const [field, value] of query.map(condition)) (filters[field] ??= []).push(value);
  return filters;
}

/** `FIELD=VALUE`. */
function condition(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1)];
  throw new ApiError(
    `"${text}" is not a condition; write FIELD=VALUE, for example project_id=p1`,
    EXIT_CODES.usage.code,
  );
}

/** A question of one quantity, or of a meter. */
export interface FigureFlags extends QuestionFlags {
  readonly kind?: string;
  readonly floor?: string;
  readonly ceiling?: string;
  readonly minCoverage?: string;
}

/** The argument and the options of commands that ask of one quantity, up to now when nothing else is said. */
export function withFigure(command: Command, defaults: Pick<QuestionDefaults, 'asOf' | 'from'>): Command {
  command
    .argument('<name>', 'a named quantity such as instance_hours, or a meter (with --kind)')
    .addOption(new Option('-k, --kind <kind>', 'what is asked of a meter').choices([...USAGE_KINDS]));
  return withQuestion(command, { ...defaults, to: 'now' })
    .option(
      '--floor <amount>',
      'least that a gap may hide, in the unit of the result: of a gauge its level, of counters growth an hour',
    )
    .option('--ceiling <amount>', 'most that a gap may hide, likewise')
    .option('--min-coverage <share>', 'no figure where less than this share was measured: 0.95');
}

/** As the API asks for it. */
export async function figurePairs(client: ApiClient, name: string, flags: FigureFlags): Promise<QueryPairs> {
  const fields = questionFields({ ...flags, from: flags.from ?? firstOfMonth(flags.tz) });
  return [
    ...(await whatPairs(client, name, flags)),
    ...Object.entries(fields).flatMap(([field, values]) => [values].flat().map((value) => [field, value] as const)),
    ...given({ floor: flags.floor, ceiling: flags.ceiling, min_coverage: flags.minCoverage }),
  ];
}

/** A named quantity where there is one of that name, else a meter. */
async function whatPairs(client: ApiClient, name: string, { kind }: FigureFlags): Promise<QueryPairs> {
  if (kind !== undefined) return given({ meter: name, kind });
  const { definitions } = await client.get<{ definitions: { name: string }[] }>('/v1/definitions');
  const names = definitions.map((definition) => definition.name);
  if (names.includes(name)) return given({ definition: name });
  throw new ApiError(
    `"${name}" is no named quantity; for a meter say with --kind what is asked of it (${USAGE_KINDS.join(', ')}), or name ` +
      `one of: ${names.join(', ')}`,
    EXIT_CODES.usage.code,
  );
}

/** When a period begins that nobody said the beginning of. */
export function firstOfMonth(tz: string): string {
  try {
    return `${formatTimestamp(toLocal(systemClock.now(), tz)).slice(0, 7)}-01`;
  } catch (cause) {
    if (cause instanceof RangeError) throw new ApiError(cause.message, EXIT_CODES.usage.code);
    throw cause;
  }
}
