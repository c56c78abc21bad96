import type { SignedHeader } from '@nephometer/core';

/** A sample as `/v1/samples` gives it. */
export interface SampleAnswer {
  readonly message_id: string;
  readonly counter_name: string;
  readonly counter_type: string;
  readonly counter_unit: string | null;
  readonly counter_volume: string;
  readonly project_id: string | null;
  readonly resource_id: string;
  readonly timestamp: string;
  readonly resource_metadata: Readonly<Record<string, unknown>>;
  readonly recorded_at: string;
  readonly slot: string | null;
  readonly agent_id: string | null;
  readonly epoch: string | null;
  readonly seq: number | null;
}

/** A row of `/v1/ledger?headers=true`. */
export interface LedgerBatch {
  readonly digest: string;
  readonly recorded_at: string;
  readonly agent_id: string | null;
  readonly epoch: string | null;
  readonly seq: number | null;
  readonly samples: number;
  readonly duplicates: number;
  readonly header: SignedHeader | null;
}

/** An entry of `/v1/quarantine`. */
export interface QuarantineItem {
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
  readonly agent_id: string | null;
  readonly message_id: string | null;
  readonly samples: number;
  readonly from: string | null;
  readonly to: string | null;
}
