import type { Decimal } from '../../decimal.ts';
import type { Micros } from '../../time.ts';
import type { CycleReport } from '../cycle.ts';
import type { Series, StoredSample } from '../sample.ts';

export const USAGE_KINDS = [
  'duration',
  'integral',
  'increase',
  'sum',
  'max',
  'min',
  'avg',
  'p95',
  'count',
  'last',
  'peak',
  'distinct',
] as const;
/** What is asked of a meter; fold.ts has the table. */
export type UsageKind = (typeof USAGE_KINDS)[number];

/** What a line may be grouped and filtered by. The path is dotted below resource_metadata. */
export type UsageField = 'project_id' | 'user_id' | 'resource_id' | 'source' | `metadata.${string}`;

/** A step across a cut: shared by time, or given whole to the side in which it ends. */
export type EdgeRule = 'interpolate' | 'end';

/** What usage needs of a stored sample. */
export type UsageSample = Omit<
  StoredSample,
  'volume' | 'signature' | 'text' | 'monotonicTime' | 'batchDigest' | 'batchIndex' | 'epoch' | 'seq' | 'keyId'
> & { readonly volume: Decimal };

/** A cycle report and the ledger row that it came by. */
export interface AgentCycle {
  readonly agentId: string;
  readonly recordedAt: Micros;
  readonly report: CycleReport;
}

export const GAP_REASONS = {
  conflict: 'The reading has two contents and is set aside.',
  voided: 'The reading was voided.',
  quarantined: 'The reading was refused.',
  'spool-overflow': 'The agent took the reading and could not keep it.',
  'not-yet-arrived': 'A batch is missing, or the time has not come yet.',
  overrun: 'The tick was not run, since the one before still ran.',
  'pollster-failed': 'The pollster or the discovery failed.',
  'agent-silent': 'The agent reported no cycle.',
  unread: 'The resource came or went between two readings of its counter.',
  'no-cadence': 'The sender reports no cycles and has no regular interval.',
} as const;
export type GapReason = keyof typeof GAP_REASONS;

/** Readings that were taken, or may have been, and cannot be used. Null means any. */
export interface LostSpan {
  readonly reason: 'conflict' | 'voided' | 'quarantined' | 'spool-overflow' | 'not-yet-arrived';
  /** Times or slots of the readings, first and last. */
  readonly from: Micros;
  readonly to: Micros;
  readonly agentId: string | null;
  readonly source: string | null;
  readonly meter: string | null;
  readonly resourceId: string | null;
  readonly recordedAt: Micros;
}

/** Samples recorded before the void that match all that it names are not used. Their interval is a gap. */
export interface UsageVoid {
  readonly recordedAt: Micros;
  readonly messageId?: string;
  readonly agentId?: string;
  readonly source?: string;
  readonly meter?: string;
  readonly resourceId?: string;
  readonly projectId?: string;
  /** Half-open. */
  readonly from?: Micros;
  readonly to?: Micros;
}

/** All that is known of one meter around a period: see LOOKBACK for how far around. In any order; copies do no harm. */
export interface UsageFacts {
  readonly samples: Iterable<UsageSample>;
  readonly cycles?: Iterable<AgentCycle>;
  readonly lost?: Iterable<LostSpan>;
  readonly voids?: Iterable<UsageVoid>;
}

/** What the folding of hours depends on. Fold lines are kept for the defaults. */
export interface FoldParameters {
  /** Null: twice the reported interval, an hour where none is known. */
  readonly maxHold: Micros | null;
  readonly edge: EdgeRule;
  /** Fields by which cells are cut, beside those that belong to the series. */
  readonly attributes: readonly UsageField[];
  /** Only what was recorded by then counts, and nothing is said of the time after it. Null: all that is given. */
  readonly asOf: Micros | null;
}

/** A part of a series' time in which one thing holds. Parts follow each other and do not overlap. */
export interface Piece {
  readonly from: Micros;
  readonly to: Micros;
  readonly state: 'measured' | 'gap' | 'absent';
  readonly reason: GapReason | null;
  /** The reading before, whose value and attributes hold. */
  readonly before: UsageSample | null;
  readonly after: UsageSample | null;
  /** Of a counter: the growth that this part has a share in. */
  readonly step: Step | null;
  /** Of a counter: growth that may hide here beside the step; null when nothing bounds it. */
  readonly hidden: Decimal | null;
  /** Coverage counts a measured part up to here only: by cadence, less than what is held. */
  readonly coveredTo: Micros;
  readonly basis: 'cycles' | 'cadence';
  /** Newest recorded_at of what this part stands on. */
  readonly revision: Micros;
}

/** Growth of a counter between two readings. */
export interface Step {
  readonly from: Micros;
  readonly to: Micros;
  /** Never negative. */
  readonly amount: Decimal;
  readonly isReset: boolean;
  /** Longer than a hold: when the growth came within it is not known. */
  readonly isBridge: boolean;
}

/** `level`: what holds from a sample on. `growth`: what happened between samples, of cumulative and delta meters. */
export type FoldView = 'level' | 'growth';

export interface UsageGap {
  readonly from: Micros;
  readonly to: Micros;
  readonly reason: GapReason;
}

/**
 * A part of a gap between readings of different attributes: when the resource changed is not known, so those of the later
 * reading may have had it as well.
 */
export interface Claim {
  readonly from: Micros;
  readonly to: Micros;
  /** Of the reading behind the gap. */
  readonly attributes: ReadonlyMap<UsageField, string | null>;
  /** Of a counter: the growth between the readings. */
  readonly step: Step | null;
  /** Growth that may hide beside it; null when nothing bounds it. */
  readonly hidden: Decimal | null;
  readonly basis: Piece['basis'];
  readonly revision: Micros;
}

/** What one series had in one UTC hour. */
export interface HourFold {
  readonly series: Series;
  readonly view: FoldView;
  /** Start of the hour. */
  readonly hour: Micros;
  /** Ascending; a change of attributes, and a window's edge inside the hour, start a new one. */
  readonly cells: readonly HourCell[];
}

export interface HourCell {
  readonly from: Micros;
  readonly to: Micros;
  /** Of the fields that the fold was cut by. */
  readonly attributes: ReadonlyMap<UsageField, string | null>;
  /** Differences of running figures from the hour's start, each rounded half-even to 12 digits at each cut. */
  readonly hours: Decimal;
  /** Of gauges: value x hours. */
  readonly integral: Decimal;
  /** Of counters the growth, of deltas the total. */
  readonly growth: Decimal;
  /** Of gauges, exact: value x microseconds. */
  readonly area: Decimal;
  readonly measured: Micros;
  /** Of `measured`, what coverage counts. */
  readonly covered: Micros;
  readonly gaps: readonly UsageGap[];
  /** Parts of the gaps that may be of other attributes. Ascending. */
  readonly claims: readonly Claim[];
  /** Time in which growth may hide that nothing bounds, and growth that may hide and is bounded. */
  readonly unbounded: Micros;
  readonly hidden: Decimal;
  /** Long steps that this cell has a share in. */
  readonly bridges: readonly Pick<Step, 'from' | 'to' | 'amount'>[];
  readonly resets: number;
  readonly samples: number;
  readonly volumes: Decimal;
  readonly min: Decimal | null;
  readonly max: Decimal | null;
  readonly last: { readonly at: Micros; readonly messageId: string; readonly volume: Decimal } | null;
  /** What the gaps would have, did the reading before them go on: microseconds, and value x microseconds. */
  readonly filled: Micros;
  readonly filledArea: Decimal;
  readonly byCycles: boolean;
  readonly byCadence: boolean;
  readonly byNothing: boolean;
  readonly revision: Micros | null;
}
