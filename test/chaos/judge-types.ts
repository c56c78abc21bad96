import type { Leftover, Life } from './agent.ts';
import type { LedgerBatch, QuarantineItem, SampleAnswer } from './store-view.ts';
import type { Tapped } from './tap.ts';
import type { Issued } from './values.ts';

export type Letter = 'A' | 'B' | 'C' | 'D' | 'E' | 'F';

/** One judgement. `problems` is empty when it holds. */
export interface Finding {
  readonly letter: Letter;
  readonly problems: readonly string[];
  /** What was looked at, in figures. */
  readonly seen: string;
}

export interface AgentEvidence {
  readonly id: string;
  /** Microseconds. */
  readonly interval: number;
  readonly lives: readonly Life[];
  readonly issued: readonly Issued[];
  readonly leftovers: ReadonlyMap<string, Leftover>;
  /** `nephometer_agent_dropped_samples_total` at the end; null where a life was killed. */
  readonly droppedCounter: number | null;
  /** `nephometer_agent_samples_total` at the end; null where a life was killed. */
  readonly spooledCounter: number | null;
}

/** The text and the proof that the API gives for one sample. */
export interface ProvenSample {
  readonly sample: SampleAnswer;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** All that the judge goes by: what was issued, what was spooled, what the store holds. */
export interface Evidence {
  /** What samples may be signed with. */
  readonly secrets: ReadonlySet<string>;
  readonly agents: readonly AgentEvidence[];
  readonly tapped: ReadonlyMap<string, Tapped>;
  readonly samples: readonly SampleAnswer[];
  readonly ledger: readonly LedgerBatch[];
  readonly quarantine: readonly QuarantineItem[];
  readonly conflicts: readonly { readonly message_id: string; readonly versions: readonly SampleAnswer[] }[];
  readonly proven: readonly ProvenSample[];
  /** Batches that collectors counted as duplicates; what a killed one counted is not in it. */
  readonly duplicates: number;
  readonly collectorKills: number;
}

/** What a case knows beforehand of its own fault. */
export interface Expectation {
  /** Refusals by reason, as the case made them; `any` where a case does not count one kind. */
  readonly refused?: Readonly<Record<string, number>>;
  /** Refusals that a case makes but cannot count exactly: at least so many. */
  readonly refusedAtLeast?: Readonly<Record<string, number>>;
  /** Batches that come twice because the case sends them so. Judged exactly unless `duplicatesAtLeast`. */
  readonly duplicates?: number;
  readonly duplicatesAtLeast?: boolean;
  /** message_ids in conflict. */
  readonly conflicts?: number;
  /** Samples of these batches (digests) were refused for good, so that they are not in the ledger. */
  readonly refusedBatches?: ReadonlySet<string>;
  /** Batches that the case took from an agent's disk: what is lost of them must be told. */
  readonly mayMiss?: ReadonlySet<string>;
  /** Whether the clock was set, so that slots may leap. */
  readonly clockSet?: boolean;
  /** Whether spools were full or damaged: losses are right then if they are told. */
  readonly mayLose?: boolean;
}
