import type { Edge, LostSpan, Micros, UsageFacts, UsageSample, UsageVoid } from '@nephometer/core';
import type { Tried } from './ledger-book.ts';

export interface FactsQuery {
  readonly meter: string;
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
  readonly projectIds?: readonly string[] | null;
  readonly resourceIds?: readonly string[];
  /** Series without a reading in the LOOKBACK before the period, with their last one, where that is known already. */
  readonly quiet?: readonly Edge[];
  /** Whether `silent` shall be whole; else silences that nobody ended yet may be missing there. */
  readonly marksSilent?: boolean;
}

/** As `UsageFacts`, in lists that can be read again. */
export interface GatheredFacts extends UsageFacts {
  readonly samples: readonly UsageSample[];
  readonly cycles: Tried['cycles'];
  readonly lost: readonly LostSpan[];
  readonly voids: readonly UsageVoid[];
  /** Series (`seriesKey`) of which something further away than LOOKBACK and LOOKAHEAD counts, or may when it comes. */
  readonly silent: ReadonlySet<string>;
}
