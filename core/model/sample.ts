import type { Volume } from '../decimal.ts';
import type { JsonObject } from '../json.ts';
import type { Micros } from '../time.ts';

/** gauge: a level; delta: change since the last sample; cumulative: only grows, falls on reset. */
export type SampleType = 'gauge' | 'delta' | 'cumulative';
export const SAMPLE_TYPES: readonly SampleType[] = ['gauge', 'delta', 'cumulative'];

/** One reading of one meter on one resource, before it has an identity: what pollsters and listeners make. */
export interface Counter {
  /** Meter name, Ceilometer's where it has one: `cpu`, `disk.device.read.bytes`. */
  readonly meter: string;
  readonly type: SampleType;
  /** As the meter defines it: `ns`, `B`, `GiB`, `instance`. Null from senders that give none. */
  readonly unit: string | null;
  /** Exact, in `unit`, with the literal that it came with. */
  readonly volume: Volume;
  readonly resourceId: string;
  readonly projectId: string | null;
  readonly userId: string | null;
  /** When it was true, UTC, by the sender's clock. */
  readonly timestamp: Micros;
  readonly metadata: JsonObject;
  /** Seconds of a steady clock of the sender, for rates; null when unknown. */
  readonly monotonicTime: number | null;
}

/** A counter with identity and source: what a metering message says. Immutable once signed. */
export interface Sample extends Counter {
  /** UUID text. Of our own polled samples a UUIDv5 (see `polledSampleId`): the same reading sent twice keeps it. */
  readonly messageId: string;
  /** Who metered it; `openstack` by default. */
  readonly source: string;
  /** 64 hex digits, or '' when the sender does not sign. */
  readonly signature: string;
}

/** A sample as received: the exact text of its metering message, and where it stands in its batch. */
export interface ReceivedSample extends Sample {
  /** The JSON text of the metering message, byte for byte as received. */
  readonly text: string;
  /** The scheduled time of the poll; null from senders that do not tell. */
  readonly slot: Micros | null;
}

/** A sample as the store gives it back. */
export interface StoredSample extends ReceivedSample {
  /** When its ledger row was written. */
  readonly recordedAt: Micros;
  /** Digest of the batch that it came in, and its place there. */
  readonly batchDigest: string;
  readonly batchIndex: number;
  readonly agentId: string | null;
  readonly epoch: string | null;
  readonly seq: number | null;
  readonly keyId: string | null;
}

/** What makes a series: samples that differ in any of these belong to different series. */
export interface Series {
  readonly source: string;
  readonly meter: string;
  readonly type: SampleType;
  readonly unit: string | null;
  readonly resourceId: string;
}
