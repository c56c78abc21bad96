import { z } from 'zod';
import { CycleReport } from './cycle.ts';

const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits');

/** Consecutive samples of a batch that came from one tick of one source. */
export const BatchRun = z.strictObject({
  /** Name of the polling source; `notifications` for samples made from notifications. */
  source: z.string(),
  /** Scheduled time of the tick, microseconds; null for samples that were not polled. */
  slot: z.int().nullable(),
  /** Number of samples. Runs follow each other in the order of the samples. */
  samples: z.int().nonnegative(),
});

/**
 * What an agent signs over a batch of samples. Travels as the key `nephometer.batch` beside `oslo.message`.
 * Times are microseconds since the epoch, UTC.
 */
export const BatchHeader = z.strictObject({
  version: z.literal(1),
  agent_id: z.string().min(1).max(200),
  /** Random at each start of the agent. */
  epoch: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 lower-case hex digits'),
  /** 1, 2, 3, ... within the epoch. */
  seq: z.int().positive(),
  /** When the batch was sealed, by the agent's clock. */
  created: z.int(),
  /** Number of samples; may be 0: cycle reports travel alone too. */
  samples: z.int().nonnegative(),
  /** Merkle root over each sample's exact bytes, in order. */
  merkle_root: Digest,
  /** Digest of the header before in this epoch; null for seq 1. */
  previous: Digest.nullable(),
  runs: z.array(BatchRun),
  cycles: z.array(CycleReport),
  key_id: z.string().min(1).max(200),
});
export type BatchHeader = z.infer<typeof BatchHeader>;
export type BatchRun = z.infer<typeof BatchRun>;

/** The header with its HMAC, as it travels. */
export const SignedHeader = BatchHeader.extend({ hmac: Digest });
export type SignedHeader = z.infer<typeof SignedHeader>;
