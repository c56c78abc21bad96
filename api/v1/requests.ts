import { AGENT_STATES, messageOf, parseTimestamp, QuarantinedMessage, TokenRole } from '@nephometer/core';
import { z } from 'zod';
import { lostPlusHint } from './complaint.ts';

/* What may be said to /v1. `wire` in a meta is what the OpenAPI document says of a value that a URL spells as text. */

/** An instant, read into microseconds; without a zone it is UTC. */
export const Instant = z
  .string()
  .transform((text, context) => {
    try {
      return parseTimestamp(text);
    } catch (cause) {
      context.addIssue({ code: 'custom', message: `${messageOf(cause)}${lostPlusHint(text)}`, input: text });
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

/** One or several, as a URL repeats it. */
const OneOrMore = z
  .union([z.string(), z.array(z.string())], { error: 'must be a text or a list of texts' })
  .transform((given) => [given].flat());

/** Conditions on samples, as the URL of a question gives them. `metadata.PATH=value` arrives as `metadata`. */
const SampleConditions = {
  meter: z.string().optional().meta({ description: 'Name of a meter: `cpu`.' }),
  resource_id: OneOrMore.optional().meta({ description: 'The thing measured; any of these, may be repeated.' }),
  source: OneOrMore.optional().meta({ description: 'Which cloud, where several send here; likewise.' }),
  user_id: OneOrMore.optional().meta({ description: 'Whose resource it was; likewise. Empty: not known.' }),
  project_id: z.array(z.string()).optional().meta({ description: 'Who pays; likewise. Empty: not known.' }),
  message_id: z.string().optional().meta({ description: 'One sample.' }),
  from: Instant.optional().meta({ description: 'First instant, included.' }),
  to: Instant.optional().meta({ description: 'Last instant, excluded.' }),
  metadata: z.record(z.string(), OneOrMore).optional().meta({
    description:
      'By dotted path below resource_metadata. A JSON scalar (5, true, null, "5") is compared as such, else text.',
  }),
  match: z.enum(['json', 'text']).prefault('json').meta({
    description:
      'How `metadata.PATH` is compared. `text`: as /v1/usage groups by it, 5 and "5" alike; any of several; empty: not there.',
  }),
  as_of: Instant.optional().meta({ description: 'As it was known at that moment.' }),
};

export const BESIDE = ['before', 'both'] as const;

export const SamplesQuery = z.strictObject({
  ...SampleConditions,
  order: z.enum(['newest', 'oldest']).prefault('newest').meta({ description: 'By timestamp.' }),
  beside: z
    .enum(BESIDE)
    .optional()
    .meta({
      description:
        'With `from`, `to` and order=oldest: also, of each resource, the sample next before `from` (`before`), and next behind `to` ' +
        '(`both`), at most 7 days away. What held, or what a counter grew from and to.',
    }),
  limit: Limit.optional(),
  cursor: Cursor.optional(),
});
export type SamplesQuery = z.output<typeof SamplesQuery>;

export const ConflictsQuery = SamplesQuery.omit({ beside: true });

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
