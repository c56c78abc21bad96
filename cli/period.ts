import { Option } from 'commander';
import type { Command } from 'commander';
import { given } from './client.ts';
import type { QueryPairs } from './client.ts';
import { firstOfMonth } from './question.ts';

/** A period as it was known at a moment. */
export interface PeriodFlags {
  readonly from?: string;
  readonly to?: string;
  readonly tz: string;
  readonly asOf?: string;
}

/** The options of commands that ask of a period. @param to what is meant when nothing is said; null: it has to be said */
export function withPeriod(command: Command, to: 'now' | null = 'now'): Command {
  const last = 'last instant, excluded';
  command.addOption(
    to === null
      ? new Option('--to <when>', last).makeOptionMandatory()
      : new Option('--to <when>', `${last}; default: ${to}`),
  );
  return command
    .option(
      '--from <when>',
      'first instant: a local date, a local time, or an instant with its zone; default: this month',
    )
    .option('--tz <zone>', 'IANA name of the zone of dates', 'UTC')
    .option('--as-of <when>', 'as it was known at that moment; default: now');
}

export function periodPairs({ from, to, tz, asOf }: PeriodFlags): QueryPairs {
  return given({ from: from ?? firstOfMonth(tz), to, tz, as_of: asOf });
}
