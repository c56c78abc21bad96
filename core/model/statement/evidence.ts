import { z } from 'zod';
import { fromPlain } from '../../json.ts';
import { canonicalText } from '../../signing/canonical.ts';
import { sha256 } from '../identity.ts';
import { SAMPLE_TYPES } from '../sample.ts';
import type { EvidenceSummary } from './statement.ts';

const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');
const Time = z.string();

/** A signed batch header as it was received, and when the ledger recorded it. */
export const BatchEvidence = z.strictObject({
  kind: z.literal('batch'),
  digest: Digest,
  recorded_at: Time,
  header: z.string(),
});

/** A sample of the statement's project: its exact text, and the way from it to its batch's signed header. */
export const SampleEvidence = z.strictObject({
  kind: z.literal('sample'),
  /** Digest of the batch; of a message without a header the SHA-256 of its text. */
  batch: Digest,
  index: z.int().nonnegative(),
  recorded_at: Time,
  text: z.string(),
  /** Hashes beside the way, from the leaf up. Null: another sample of the batch is not stored, so there is no way; absent without a header. */
  path: z.array(Digest).nullable().optional(),
});

/**
 * What has to be known of a reading that belongs to another project, on a series that changed hands: when it was, and of a
 * counter where it stood. It is the server's word, and proven by nothing.
 */
export const OtherEvidence = z.strictObject({
  kind: z.literal('other'),
  order: z.string(),
  source: z.string(),
  meter: z.string(),
  type: z.enum(SAMPLE_TYPES as ['gauge', 'delta', 'cumulative']),
  unit: z.string().nullable(),
  resource_id: z.string(),
  timestamp: Time,
  slot: Time.nullable(),
  agent_id: z.string().nullable(),
  recorded_at: Time,
  volume: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
});

/** Readings that were refused, are in conflict, or were another project's and voided: their time is a gap. The server's word. */
export const LostEvidence = z.strictObject({
  kind: z.literal('lost'),
  reason: z.enum(['conflict', 'quarantined', 'voided']),
  from: Time,
  to: Time,
  agent_id: z.string().nullable(),
  source: z.string().nullable(),
  meter: z.string().nullable(),
  resource_id: z.string().nullable(),
  recorded_at: Time,
});

/** A void that takes carried samples out of the figures, as it was recorded. The server's word. */
export const VoidEvidence = z.strictObject({
  kind: z.literal('void'),
  id: z.string(),
  recorded_at: Time,
  body: z.string(),
});

/** What an operator decided of a message_id that came with several contents: which batch's version counts; null: none. The server's word. */
export const ResolutionEvidence = z.strictObject({
  kind: z.literal('resolution'),
  id: z.string(),
  recorded_at: Time,
  keep: Digest.nullable(),
  by: z.string(),
  why: z.string(),
});

/** A version of a sample of the statement's project that was set aside by a resolution: not computed with. As `SampleEvidence`. */
export const VersionEvidence = SampleEvidence.extend({ kind: z.literal('version') });

export const EvidenceRecord = z.discriminatedUnion('kind', [
  BatchEvidence,
  SampleEvidence,
  OtherEvidence,
  LostEvidence,
  VoidEvidence,
  ResolutionEvidence,
  VersionEvidence,
]);
export type EvidenceRecord = z.infer<typeof EvidenceRecord>;

/** Counts records and digests them, in any order: the statement says the result, and so signs all that it stands on. */
export class EvidenceDigest {
  readonly #digests: string[] = [];
  readonly #counts: Record<EvidenceRecord['kind'], number> = {
    batch: 0,
    sample: 0,
    other: 0,
    lost: 0,
    void: 0,
    resolution: 0,
    version: 0,
  };

  add(record: EvidenceRecord): void {
    this.#digests.push(recordDigest(record));
    this.#counts[record.kind] += 1;
  }

  get isEmpty(): boolean {
    return this.#digests.length === 0;
  }

  summary(): Required<EvidenceSummary> {
    const { sample: samples, other: others, batch: batches, lost: losses, void: voids } = this.#counts;
    const { resolution: resolutions, version: versions } = this.#counts;
    const digest = sha256(this.#digests.toSorted().join('\n'));
    return { digest, samples, others, batches, losses, voids, resolutions, versions };
  }
}

/** Of what a record says; the Merkle path is left out, since it proves and says nothing. */
function recordDigest(record: EvidenceRecord): string {
  if (record.kind !== 'sample' && record.kind !== 'version') return sha256(canonicalText(fromPlain(record)));
  const { path: _path, ...rest } = record;
  return sha256(canonicalText(fromPlain(rest)));
}
