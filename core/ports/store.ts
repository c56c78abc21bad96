import type { SignedHeader } from '../model/batch.ts';
import type { ReceivedSample, SampleType, Series, StoredSample } from '../model/sample.ts';
import type { StatisticsQuery, StatisticsRow } from '../model/statistics.ts';
import type { UsageSample } from '../model/usage/types.ts';
import type { Micros } from '../time.ts';

/**
 * The time-series store and its ledger. Append-only: nothing is overwritten. Errors of these verbs:
 * - StoreUnavailable: cannot be reached or timed out; nothing is known to be written. Try again.
 * - StoreRefused: this content is refused for good. Quarantine it.
 * - BehindRetention: the question reaches behind what retention kept.
 *
 * Every read shows only samples whose batch has a ledger row (and, with `asOf`, one recorded by then), each message_id
 * once: of copies the one recorded first. Samples in conflict are not shown, until an entry of kind `resolution` (see
 * core/model/resolution.ts) says which version counts: from its `recorded_at` on reads show that one, or none. A version
 * that comes later is a conflict again. Samples that an entry of kind `void` (core/model/void.ts) selects are not shown from
 * its `recorded_at` on.
 */
export interface Store {
  /**
   * Records batches; each is readable when its outcome is returned. The samples are written first, the ledger row last.
   * A batch whose digest is in the ledger is a duplicate. Within a batch, a sample whose message_id is stored with the
   * same content is counted as a duplicate and not stored; one with other content is stored as a conflict.
   */
  record(batches: readonly BatchRecord[]): Promise<readonly RecordOutcome[]>;

  /** Samples that match, in the order asked for (ties by message_id, ascending by code point in both orders), at most `limit`. */
  samples(query: SampleQuery): AsyncIterable<StoredSample>;
  /** One per series and owner, ordered by meter name, resource and source; at most `limit` rows, `order` and `after` do not matter. */
  meters(query: SampleQuery): Promise<readonly MeterRow[]>;
  /** One per resource and source, ordered by resource, described by its newest matching sample; `limit` as for meters. */
  resources(query: SampleQuery): Promise<readonly ResourceRow[]>;
  /** Exact; see core/model/statistics.ts. */
  statistics(query: StatisticsQuery): Promise<readonly StatisticsRow[]>;

  /**
   * What usage needs of the samples of one meter, page by page, in any order. Voided ones are among them, since their
   * interval is a gap; voids are left to the reader.
   */
  readings(query: ReadingsQuery): AsyncIterable<readonly UsageSample[]>;

  /**
   * The newest or the oldest visible sample of each series of one meter in a stretch of time, as far as retention has kept
   * it; in any order. Costs a search, not a reading of all samples.
   */
  edges(query: EdgesQuery): Promise<readonly Edge[]>;

  /** Ledger rows in order of `recorded_at`, then digest. */
  ledger(query: LedgerQuery): AsyncIterable<LedgerRow>;
  /** Of the message_ids that are in conflict and not resolved every version that matches; ordered as samples, then as recorded. */
  conflicts(query: SampleQuery): AsyncIterable<StoredSample>;

  /** Appends to a named list (quarantine, tokens, ...). The same kind, id and body again is not appended twice. */
  appendEntry(entry: NewEntry): Promise<Entry>;
  /** Newest first. */
  entries(query: EntryQuery): Promise<readonly Entry[]>;

  /**
   * Removes whole UTC days of samples older than each rule says; remembers how far. Ledger rows stay. A later question
   * that names a start before a horizon fails with BehindRetention; one without a start is answered from the horizon
   * on, so what arrives late from before a horizon is recorded but not shown. Fold lines go with their samples.
   */
  retain(rules: readonly RetentionRule[]): Promise<RetentionOutcome>;

  /**
   * Lets go of the bytes of messages that were put into quarantine before an instant; what was refused, why and of which
   * time stays, so that no gap vanishes. Gives how many lost their bytes.
   */
  shedQuarantine(before: Micros): Promise<number>;

  /**
   * What was stored in (after, upTo], by series, sender and hour of its time: also copies by other senders, and versions in
   * conflict. Page by page, in any order; more may be told than there was, never less.
   */
  arrivals(query: ArrivalsQuery): AsyncIterable<readonly Arrival[]>;

  /** Appends revisions of fold lines. The same day, series and moment again is the same revision, whoever appends it. */
  appendFolds(rows: readonly FoldRow[]): Promise<void>;
  /**
   * Of each day and series the newest revision as of a moment, page by page, days in order. Days less than LOOKBACK behind
   * a retention horizon are left out: what they were folded from is gone in part. @throws BehindRetention
   */
  folds(query: FoldsQuery): AsyncIterable<readonly FoldRow[]>;

  /** Resolves when the store answers. @throws StoreUnavailable */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** How a batch came. */
export type Transport = 'bus' | 'http' | 'api';

/** A verified batch, or one headerless metering message, ready to record. */
export interface BatchRecord {
  /** Digest of the header; of a headerless message SHA-256 of its text. */
  readonly digest: string;
  /** Null for headerless messages. */
  readonly header: SignedHeader | null;
  readonly headerText: string | null;
  readonly keyId: string | null;
  readonly transport: Transport;
  readonly samples: readonly ReceivedSample[];
}

export interface RecordOutcome {
  readonly digest: string;
  /** `duplicate`: the ledger had this batch already. */
  readonly outcome: 'recorded' | 'duplicate';
  /** Of a duplicate the time of the ledger row that was there. Grows from call to call, and within a call. */
  readonly recordedAt: Micros;
  /** Both lists are empty for a batch that is a duplicate as a whole. message_ids that were stored already with the same content, and not stored again. */
  readonly duplicates: readonly string[];
  /** message_ids that are stored with other content. */
  readonly conflicts: readonly string[];
}

export interface TimeBound {
  readonly at: Micros;
  readonly inclusive: boolean;
}

/** `path` is dotted below resource_metadata; `value` is compared with its type. */
export interface MetadataCondition {
  readonly path: string;
  readonly value: string | number | boolean | null;
}

/** All conditions must hold; absent ones hold always. */
export interface SampleFilter {
  readonly meter?: string;
  readonly resourceId?: string;
  readonly source?: string;
  readonly userId?: string;
  /** Any of these. An empty list matches nothing. */
  readonly projectIds?: readonly string[];
  readonly messageId?: string;
  /** Digest of the batch that they came in. */
  readonly batchDigest?: string;
  readonly from?: TimeBound;
  readonly to?: TimeBound;
  readonly metadata?: readonly MetadataCondition[];
}

export interface SampleQuery extends SampleFilter {
  /** By timestamp. Default `newest` first. */
  readonly order?: 'newest' | 'oldest';
  readonly limit?: number;
  /** Go on behind this one, in the order asked for. */
  readonly after?: { readonly timestamp: Micros; readonly messageId: string };
  /** As known at that moment: only batches recorded at or before it. */
  readonly asOf?: Micros;
}

export interface ReadingsQuery {
  readonly meter: string;
  /** The period asked for, half-open. Retention is judged by its start. */
  readonly from: Micros;
  readonly to: Micros;
  /** How far before and after the period samples are wanted too, as far as retention has kept them. */
  readonly before: Micros;
  readonly after: Micros;
  /** Any of these. Absent: all. */
  readonly resourceIds?: readonly string[];
  /** Only resources that had a sample of any of these at some time are of interest: a store may leave out others. */
  readonly projectIds?: readonly string[];
  readonly asOf?: Micros;
}

export interface EdgesQuery {
  readonly meter: string;
  readonly side: 'newest' | 'oldest';
  /** Half-open. */
  readonly from: Micros;
  readonly to: Micros;
  /** Series of no interest, by `seriesKey`. */
  readonly except?: ReadonlySet<string>;
  /** As in `ReadingsQuery`. */
  readonly resourceIds?: readonly string[];
  readonly projectIds?: readonly string[];
  readonly asOf?: Micros;
}

/** Where the samples of a series begin, or end. */
export interface Edge {
  readonly series: Series;
  readonly timestamp: Micros;
  /** Whose samples they are, of that instant: each sender once, null for those without a header. In order, null last. */
  readonly agentIds: readonly (string | null)[];
}

export interface ArrivalsQuery {
  readonly after: Micros;
  readonly upTo: Micros;
  /** Absent: all. */
  readonly meter?: string;
}

/** Samples of one series from one sender. */
export interface Arrival {
  /** Null: the store cannot tell, it may be any. */
  readonly series: Series | null;
  readonly agentId: string | null;
  /** The newest. */
  readonly recordedAt: Micros;
  /** Times and slots: the first and the last. */
  readonly first: Micros;
  readonly last: Micros;
}

/**
 * A revision of what was folded of one series in one UTC day. Who folds keeps word of a whole day of a meter the same way,
 * under a series of its own.
 */
export interface FoldRow {
  readonly meter: string;
  /** Start of the day. */
  readonly day: Micros;
  /** Names the series within meter and day. */
  readonly series: string;
  readonly resourceId: string;
  /** What it was folded from was recorded by then. */
  readonly asOf: Micros;
  /** What says whether the body still holds: short. */
  readonly head: string;
  readonly body: string;
}

export interface FoldsQuery {
  readonly meter: string;
  /** Days that start in [from, to). */
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
  /** Any of these, and rows of no resource (''). Absent: all. */
  readonly resourceIds?: readonly string[];
  /** As in `ReadingsQuery`: a store may leave out resources that never were of any of these. */
  readonly projectIds?: readonly string[];
  /** Leave the bodies out (''). */
  readonly headsOnly?: boolean;
}

export interface MeterRow {
  readonly source: string;
  readonly meter: string;
  readonly type: SampleType;
  readonly unit: string | null;
  readonly resourceId: string;
  readonly projectId: string | null;
  readonly userId: string | null;
}

export interface ResourceRow {
  readonly resourceId: string;
  readonly source: string;
  readonly firstTimestamp: Micros;
  readonly newest: StoredSample;
  /** Meter names, sorted. */
  readonly meters: readonly string[];
}

export interface LedgerQuery {
  readonly digest?: string;
  readonly agentId?: string;
  readonly epoch?: string;
  /** Recorded in (after, upTo]. */
  readonly after?: Micros;
  readonly upTo?: Micros;
  readonly limit?: number;
}

export interface LedgerRow {
  readonly digest: string;
  readonly recordedAt: Micros;
  readonly agentId: string | null;
  readonly epoch: string | null;
  readonly seq: number | null;
  readonly keyId: string | null;
  readonly transport: Transport;
  /** Samples stored, without duplicates. */
  readonly samples: number;
  readonly duplicates: number;
  /** The signed header as received; null for headerless messages. */
  readonly headerText: string | null;
}

export type EntryKind =
  | 'quarantine'
  | 'token'
  | 'key'
  | 'resolution'
  | 'statement'
  /** The bytes of statements, by their digest, in parts. */
  | 'statement-body'
  | 'void'
  | 'definition'
  | 'export'
  | 'inventory';

export interface NewEntry {
  readonly kind: EntryKind;
  readonly id: string;
  /** JSON text. */
  readonly body: string;
}

export interface Entry extends NewEntry {
  readonly recordedAt: Micros;
}

export interface EntryQuery {
  readonly kind: EntryKind;
  readonly id?: string;
  /** Any of these. An empty list matches nothing. */
  readonly ids?: readonly string[];
  /** Only entries recorded before this, for paging back. */
  readonly before?: Micros;
  /** Only entries recorded after this, to follow what is new. */
  readonly after?: Micros;
  readonly limit?: number;
  /** Leave the bodies out (''), which may be of many MiB. */
  readonly headsOnly?: boolean;
}

export interface RetentionRule {
  /** Meter names or globs; the first rule that matches a meter holds. */
  readonly meters: readonly string[];
  /** Samples before this instant may go; rounded down to whole UTC days. */
  readonly keepFrom: Micros;
}

export interface RetentionOutcome {
  /** By meter: samples before this instant are gone. */
  readonly horizons: ReadonlyMap<string, Micros>;
}
