import { AGENT_STATES, messageOf, parseTimestamp, QuarantinedMessage, SAMPLE_TYPES, TokenRole } from '@nephometer/core';
import { z } from 'zod';

/*
 * Every shape of /v1: what a request may say, and what an answer says. Quantities are decimal strings, times are
 * `2026-03-01T00:00:00Z` with up to six digits of fraction. `wire` in a meta is what the OpenAPI document says of a
 * value that a URL spells as text.
 */

/** An instant, read into microseconds; without a zone it is UTC. */
export const Instant = z
  .string()
  .transform((text, context) => {
    try {
      return parseTimestamp(text);
    } catch (cause) {
      context.addIssue({ code: 'custom', message: messageOf(cause), input: text });
      return z.NEVER;
    }
  })
  .meta({ format: 'date-time' });

const Limit = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'must be a positive whole number')
  .transform(Number)
  .meta({ description: 'Most rows of the answer.', wire: { type: 'integer', minimum: 1 } });
const Cursor = z.string().meta({ description: 'Where to go on: `next` of the answer before.' });
const Flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ wire: { type: 'boolean' } });

/** Conditions on samples, as the URL of a question gives them. `metadata.PATH=value` arrives as `metadata`. */
const SampleConditions = {
  meter: z.string().optional().meta({ description: 'Name of a meter: `cpu`.' }),
  resource_id: z.string().optional().meta({ description: 'The thing measured.' }),
  source: z.string().optional().meta({ description: 'Which cloud, where several send here.' }),
  user_id: z.string().optional().meta({ description: 'Whose resource it was.' }),
  project_id: z.array(z.string()).optional().meta({ description: 'Any of these; may be repeated.' }),
  message_id: z.string().optional().meta({ description: 'One sample.' }),
  from: Instant.optional().meta({ description: 'First instant, included.' }),
  to: Instant.optional().meta({ description: 'Last instant, excluded.' }),
  metadata: z.record(z.string(), z.string()).optional().meta({
    description:
      'By dotted path below resource_metadata. A JSON scalar (5, true, null, "5") is compared as such, else text.',
  }),
  as_of: Instant.optional().meta({ description: 'As it was known at that moment.' }),
};

export const SamplesQuery = z.strictObject({
  ...SampleConditions,
  order: z.enum(['newest', 'oldest']).prefault('newest').meta({ description: 'By timestamp.' }),
  limit: Limit.optional(),
  cursor: Cursor.optional(),
});
export type SamplesQuery = z.output<typeof SamplesQuery>;

export const LedgerQuery = z.strictObject({
  agent_id: z.string().optional().meta({ description: 'Batches of this agent.' }),
  epoch: z.string().optional().meta({ description: 'Of one run of an agent.' }),
  digest: z.string().optional().meta({ description: 'One batch.' }),
  after: Cursor.optional(),
  headers: Flag.optional().meta({ description: 'Whether the signed headers, with their cycle reports, are shown.' }),
  limit: Limit.optional(),
});

export const QuarantineQuery = z.strictObject({
  reason: QuarantinedMessage.shape.reason.optional().meta({ description: 'Why it was refused.' }),
  limit: Limit.optional(),
  before: Instant.optional().meta({ description: 'Only what was recorded before: `next` of the answer before.' }),
});

export const NoQuery = z.strictObject({});

export const AgentsQuery = z.strictObject({
  state: z.enum(AGENT_STATES).optional().meta({ description: 'Only agents that stand so.' }),
});

const Why = z.string().max(2000).prefault('').meta({ description: 'The reason, for those who ask later.' });

export const RotateRequest = z.strictObject({
  agent_id: z.string().min(1).max(200),
  retire_after: z
    .string()
    .prefault('7d')
    .meta({ description: 'How long the key before is accepted beside the new one.' }),
  why: Why,
});

export const RevokeRequest = z.strictObject({
  agent_id: z.string().min(1).max(200).nullish().meta({ description: 'The agent whose key of that id it is.' }),
  all_agents: z.boolean().optional().meta({ description: 'Every key of that id.' }),
  at: Instant.optional().meta({ description: 'From when on it is refused. Default: now.' }),
  why: Why,
});

export const ResolveRequest = z.strictObject({
  keep: z.string().nullable().meta({ description: 'Digest of the batch whose version counts; null: none does.' }),
  why: Why,
});

export const TokenRequest = z
  .strictObject({
    name: z.string().min(1).max(200).meta({ description: 'Name in lists and logs.' }),
    role: TokenRole,
    projects: z.array(z.string().min(1)).nullish().meta({ description: 'Projects that it may read, or post for.' }),
    user_id: z
      .string()
      .min(1)
      .nullish()
      .meta({ description: 'The only user a reader sees; in whose name a writer posts.' }),
  })
  .refine(({ role, projects }) => role !== 'reader' || (projects?.length ?? 0) > 0, {
    path: ['projects'],
    error: 'a reader is bound to projects; name at least one',
  })
  .refine(({ role, projects }) => role !== 'admin' || (projects ?? null) === null, {
    path: ['projects'],
    error: 'an admin sees every project; leave them out, or make a reader',
  });

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
