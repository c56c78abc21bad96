import { AGENT_STATES, QuarantinedMessage, SAMPLE_TYPES, TokenRole } from '@nephometer/core';
import { z } from 'zod';

/* What /v1 answers. Quantities are decimal strings, times are `2026-03-01T00:00:00Z` with up to six digits of fraction. */

const Time = z.string().meta({ format: 'date-time' });

export const SampleAnswer = z.strictObject({
  message_id: z.string().meta({ description: 'The same reading sent twice keeps it.' }),
  source: z.string().meta({ description: 'Which cloud.' }),
  counter_name: z.string().meta({ description: 'The meter.' }),
  counter_type: z.enum(SAMPLE_TYPES),
  counter_unit: z.string().nullable(),
  counter_volume: z.string().meta({ description: 'Exact decimal.' }),
  user_id: z.string().nullable(),
  project_id: z.string().nullable().meta({ description: 'Who pays.' }),
  resource_id: z.string().meta({ description: 'The thing measured.' }),
  timestamp: Time.meta({ description: "When it was true, by the sender's clock." }),
  resource_metadata: z.record(z.string(), z.unknown()),
  recorded_at: Time.meta({ description: 'When it was stored.' }),
  slot: Time.nullable().meta({ description: 'When the poll was due; null from senders other than our agents.' }),
  agent_id: z.string().nullable().meta({ description: 'Who measured.' }),
  epoch: z.string().nullable().meta({ description: "The agent's run." }),
  seq: z.int().nullable().meta({ description: 'The number of its batch within the epoch.' }),
  key_id: z.string().nullable().meta({ description: 'The key that it is signed with.' }),
});

export const SamplesAnswer = z.strictObject({ samples: z.array(SampleAnswer), next: z.string().nullable() });

export const ConflictsAnswer = z.strictObject({
  conflicts: z.array(
    z.strictObject({
      message_id: z.string(),
      versions: z.array(SampleAnswer.extend({ batch_digest: z.string() })),
    }),
  ),
  next: z.string().nullable(),
});

export const ResolutionAnswer = z.strictObject({
  message_id: z.string(),
  keep: z.string().nullable(),
  by: z.string(),
  why: z.string(),
  recorded_at: Time.meta({ description: 'From this moment on reads show the version that counts.' }),
});

const Seconds = z.number().nullable().meta({ description: 'Seconds.' });

export const AgentsAnswer = z.strictObject({
  agents: z.array(
    z.strictObject({
      agent_id: z.string(),
      state: z.enum(AGENT_STATES),
      expected: z.boolean(),
      last_batch: z
        .strictObject({
          recorded_at: Time,
          epoch: z.string().nullable(),
          seq: z.int().nullable(),
          key_id: z.string().nullable(),
        })
        .nullable(),
      interval: Seconds,
      lag: Seconds,
      clock_skew: Seconds,
      batches: z.int(),
      samples: z.int(),
      missing: z.int().meta({ description: 'Sequence numbers that the ledger has not, of all epochs.' }),
      quarantined: z.int(),
      cloned_at: Time.nullable(),
      epochs: z.array(
        z.strictObject({
          epoch: z.string(),
          first_recorded_at: Time,
          last_recorded_at: Time,
          last_created: Time,
          last_seq: z.int(),
          missing: z.int(),
          missing_seqs: z.array(z.tuple([z.int(), z.int()])),
        }),
      ),
    }),
  ),
});

export const KeysAnswer = z.strictObject({
  keys: z.array(
    z.strictObject({
      key_id: z.string(),
      agent_id: z.string().nullable(),
      kind: z.enum(['shared', 'derived', 'listed']),
      state: z.enum(['valid', 'not-yet', 'retiring', 'revoked']),
      valid_from: Time.nullable(),
      valid_until: Time.nullable(),
      last_used: Time.nullable(),
      by: z.string().nullable(),
      why: z.string().nullable(),
    }),
  ),
});

export const KeyChangeAnswer = z.strictObject({
  action: z.enum(['rotate', 'revoke']),
  key_id: z.string(),
  agent_id: z.string().nullable(),
  next_key_id: z.string().nullable(),
  valid_until: Time.nullable(),
  by: z.string(),
  why: z.string(),
});

export const EvidenceAnswer = z.strictObject({
  message_id: z.string(),
  key_id: z.string().nullable(),
  recorded_at: Time,
  slot: Time.nullable(),
  text: z.string().meta({ description: 'The signed metering message, byte for byte as received.' }),
  message: z.record(z.string(), z.unknown()),
  batch: z.strictObject({
    digest: z.string(),
    index: z.int(),
    agent_id: z.string().nullable(),
    epoch: z.string().nullable(),
    seq: z.int().nullable(),
    merkle_root: z.string().nullable(),
    samples: z.int().nullable().meta({ description: 'Number of samples beneath the root.' }),
    proof: z.array(z.string()).nullable().meta({
      description:
        'Hashes from the leaf up to merkle_root; null without a header, or where other samples of the batch are gone.',
    }),
    header: z.record(z.string(), z.unknown()).nullable().meta({
      description: 'For admins: its cycle reports name resources of every project.',
    }),
    header_text: z.string().nullable(),
  }),
});

export const LedgerAnswer = z.strictObject({
  batches: z.array(
    z.strictObject({
      digest: z.string(),
      recorded_at: Time,
      agent_id: z.string().nullable(),
      epoch: z.string().nullable(),
      seq: z.int().nullable(),
      key_id: z.string().nullable(),
      transport: z.string(),
      samples: z.int(),
      duplicates: z.int(),
      header: z.record(z.string(), z.unknown()).nullable().optional(),
    }),
  ),
  next: z.string().nullable(),
});

export const QuarantineEntry = QuarantinedMessage.omit({ bytes: true, from: true, to: true, received: true }).extend({
  id: z.string(),
  recorded_at: Time,
  from: Time.nullable(),
  to: Time.nullable(),
  received: Time,
});
export const QuarantineAnswer = z.strictObject({ quarantine: z.array(QuarantineEntry), next: z.string().nullable() });
export const QuarantineMessageAnswer = QuarantineEntry.extend({ bytes: z.string().meta({ description: 'Base64.' }) });

export const IngestResults = z.array(
  z.strictObject({
    message_id: z.string().nullable(),
    outcome: z.enum(['accepted', 'duplicate', 'refused']),
    reason: QuarantinedMessage.shape.reason.optional(),
    detail: z.string().optional(),
  }),
);

const MeteringMessage = z.looseObject({
  message_id: z.string(),
  source: z.string(),
  counter_name: z.string(),
  counter_type: z.enum(SAMPLE_TYPES),
  counter_unit: z.string().nullable(),
  counter_volume: z.union([z.number(), z.string()]).meta({ description: 'Kept as the literal that was sent.' }),
  user_id: z.string().nullish(),
  project_id: z.string().nullish(),
  resource_id: z.string(),
  timestamp: z.string(),
  resource_metadata: z.record(z.string(), z.unknown()).nullish(),
  message_signature: z.string(),
});
/** As documented only: the collector judges each message by itself, and says what became of it. */
export const MessagesRequest = z.union([
  z.array(MeteringMessage),
  MeteringMessage,
  z.looseObject({ 'oslo.version': z.string(), 'oslo.message': z.string() }),
]);
export const MessagesAnswer = z.strictObject({ results: IngestResults });
export const ReplayAnswer = z.strictObject({
  id: z.string(),
  state: QuarantinedMessage.shape.state,
  via: z.enum(['ingest', 'bus']),
  results: IngestResults.nullable().meta({
    description: 'What became of each message; null by the bus, where a collector judges later.',
  }),
});

export const IdentityAnswer = z.strictObject({
  name: z.string(),
  role: TokenRole,
  projects: z.array(z.string()).nullable(),
  user_id: z.string().nullable(),
});
export const TokenAnswer = IdentityAnswer.extend({ id: z.string(), revoked: z.boolean() });
export const TokensAnswer = z.strictObject({ tokens: z.array(TokenAnswer) });
export const NewTokenAnswer = IdentityAnswer.extend({
  id: z.string(),
  token: z.string().meta({ description: 'Shown this once.' }),
});

export const OpenApiAnswer = z.looseObject({ openapi: z.string() }).meta({ description: 'See spec.openapis.org.' });
