import type { Command } from 'commander';
import type { QueryPairs } from './client.ts';
import { firstOfMonth, given } from './question.ts';

/** A period as it was known at a moment. */
export interface PeriodFlags {
  readonly from?: string;
  readonly to?: string;
  readonly tz: string;
  readonly asOf?: string;
}

/** The options of commands that ask of a period. */
export function withPeriod(command: Command): Command {
  return command
    .option(
      '--from <when>',
      'first instant: a local date, a local time, or an instant with its zone; default: this month',
    )
    .option('--to <when>', 'last instant, excluded; default: now')
    .option('--tz <zone>', 'IANA name of the zone of dates', 'UTC')
    .option('--as-of <when>', 'as it was known at that moment; default: now');
}

export function periodPairs({ from, to, tz, asOf }: PeriodFlags): QueryPairs {
  return given({ from: from ?? firstOfMonth(tz), to, tz, as_of: asOf });
}
