import { Statement, WINDOWS } from '@nephometer/core';
import { z } from 'zod';
import { CAUSES, ChangeAnswer } from '../usage/answers.ts';
import { UsageFields } from '../usage/fields.ts';

/* What may be said to /v1/statements, and what it answers. A statement itself is core's `Statement`. */

const Share = z.string().regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, 'must be a share from 0 to 1, such as 0.99');

/** One project; a URL's reader gives a list of all that it found. */
const OneProject = z
  .union([z.string(), z.array(z.string()).length(1)], { error: 'must be one project' })
  .transform((given) => [given].flat()[0] ?? '')
  .meta({ wire: { type: 'string' } });

export const StatementRequest = z.strictObject({
  project_id: z.string().nullable().optional().meta({
    description: 'Null: what belongs to nobody known. Absent: one statement for each project that used anything.',
  }),
  period: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month, such as 2026-03')
    .optional()
    .meta({ description: 'A calendar month in `tz`; or `from` and `to`.' }),
  from: UsageFields.shape.from.optional(),
  to: UsageFields.shape.from.optional().meta({ description: 'Last instant, excluded, likewise.' }),
  tz: UsageFields.shape.tz,
  window: z.enum(WINDOWS).prefault('none').meta({ description: 'Calendar windows, one line each.' }),
  anchor: UsageFields.shape.anchor,
  group_by: UsageFields.shape.group_by.meta({ description: 'Default: what each definition groups by.' }),
  definitions: z.array(z.string().min(1)).min(1).optional().meta({ description: 'Names. Default: all in force.' }),
  as_of: z
    .string()
    .optional()
    .meta({ description: 'As it was known at that moment. Default: the newest that is settled.' }),
  min_coverage: Share.optional().meta({ description: 'Least coverage of every line.' }),
  below: z
    .enum(['refuse', 'flag'])
    .prefault('refuse')
    .meta({
      description:
        'What becomes of a statement with a line below `min_coverage`, or when an agent that was expected was not heard in the ' +
        'period at all: none is made, or it says so.',
    }),
});
export type StatementRequest = z.output<typeof StatementRequest>;

const Time = z.string().meta({ format: 'date-time' });

export const StatementHeadAnswer = z.strictObject({
  statement_id: z.string(),
  project_id: z.string().nullable(),
  from: Time,
  to: Time,
  tz: z.string(),
  window: z.enum(WINDOWS),
  as_of: Time,
  recorded_at: Time.meta({ description: 'When it was closed.' }),
  settled: z
    .boolean()
    .meta({ description: 'False for a moment after closing, while another server may turn out to have been first.' }),
  definitions: z.array(z.strictObject({ name: z.string(), hash: z.string() })),
  min_coverage: z.string().nullable(),
  flagged: z.int().meta({ description: 'Lines below `min_coverage`.' }),
  warnings: z.int().meta({ description: 'What no line can show; the statement says what.' }),
  lines: z.int(),
  digest: z.string(),
  key_id: z.string(),
  by: z.string().meta({ description: 'Name of the token, or of the schedule.' }),
});

const LowLine = z.strictObject({ definition: z.string(), line: z.string(), coverage: z.string().nullable() });

export const CloseAnswer = z.strictObject({
  statements: z.array(StatementHeadAnswer.extend({ created: z.boolean() })),
  refused: z
    .array(z.strictObject({ project_id: z.string().nullable(), reason: z.string(), lines: z.array(LowLine) }))
    .meta({
      description:
        'Projects that have no statement now, and why; also those of which nothing was measured, though lists of an inventory ' +
        'name them, or an agent was not heard and they had lines before. The status does not tell: only an empty list says ' +
        'that everything is closed. Of one project alone the answer is an error.',
    }),
});

export const StatementsQuery = z.strictObject({
  project_id: OneProject.optional(),
  from: z.string().optional().meta({ description: 'Only periods that end after this.' }),
  to: z.string().optional().meta({ description: 'Only periods that start before this.' }),
  tz: UsageFields.shape.tz,
  limit: UsageFields.shape.limit,
  cursor: z.string().optional().meta({ description: 'Where to go on: `next` of the answer before.' }),
});

export const StatementsAnswer = z.strictObject({
  statements: z.array(StatementHeadAnswer),
  next: z.string().nullable(),
});

export const StatementAnswer = Statement;

export const StatementKeyAnswer = z.strictObject({
  algorithm: z.literal('Ed25519'),
  key_id: z.string(),
  public_key: z.string().meta({ description: 'The 32 bytes, base64.' }),
  pem: z.string(),
});

export const AdjustmentsQuery = z.strictObject({
  as_of: z.string().optional().meta({ description: 'As it was known at that moment. Default: now.' }),
  limit: UsageFields.shape.limit,
  cursor: z.string().optional().meta({ description: 'Where to go on: `next` of the answer before.' }),
});

/** What becomes of what arrives after a closing. */
export const POLICY = {
  name: 'adjust',
  says: 'A closed figure stays as it is; the difference to it is given here, for a later invoice.',
} as const;

const Difference = z.string().nullable().meta({ description: 'Exact decimal; null: not known.' });

export const AdjustmentsAnswer = z.strictObject({
  statement_id: z.string(),
  project_id: z.string().nullable(),
  closed_as_of: Time,
  as_of: Time,
  settled: z.boolean(),
  policy: z.strictObject({ name: z.literal(POLICY.name), says: z.string() }),
  adjustments: z.array(
    z.strictObject({
      definition: z.string(),
      id: ChangeAnswer.shape.id,
      change: ChangeAnswer.shape.change,
      causes: z.array(z.enum(CAUSES)),
      unit: z.string().nullable(),
      difference: Difference.meta({ description: 'Quantity now less quantity closed.' }),
      before: ChangeAnswer.shape.before,
      after: ChangeAnswer.shape.after,
    }),
  ),
  totals: z
    .array(
      z.strictObject({ definition: z.string(), unit: z.string().nullable(), lines: z.int(), difference: Difference }),
    )
    .meta({ description: 'Of all adjustments, not of this page alone.' }),
  next: z.string().nullable(),
});

export const FinalityQuery = z.strictObject({
  project_id: OneProject.meta({ description: 'Whose figures.', wire: { type: 'string' } }),
  from: UsageFields.shape.from,
  to: UsageFields.shape.from.meta({ description: 'Last instant, excluded, likewise.' }),
  tz: UsageFields.shape.tz,
  as_of: z.string().optional().meta({ description: 'As it was known at that moment. Default: now.' }),
});

export const FINALITY_STATES = ['open', 'ready', 'closed'] as const;

export const FinalityAnswer = z.strictObject({
  project_id: z.string(),
  from: Time,
  to: Time,
  as_of: Time,
  settled: z.boolean(),
  state: z.enum(FINALITY_STATES).meta({
    description:
      '`open`: something may still arrive or be decided; `ready`: nothing is awaited; `closed`: there is a statement.',
  }),
  statements: z
    .array(z.strictObject({ statement_id: z.string(), from: Time, to: Time, as_of: Time, recorded_at: Time }))
    .meta({ description: 'Those that lie within the period or cover it.' }),
  watermark: Time.nullable().meta({
    description: 'Up to here every agent has reported without a hole; null: no agent has.',
  }),
  agents: z
    .array(z.strictObject({ agent_id: z.string(), watermark: Time.nullable(), last_tick: Time.nullable() }))
    .optional()
    .meta({ description: 'For admins.' }),
  open: z.array(z.strictObject({ reason: z.string(), from: Time, to: Time, agent_id: z.string().optional() })),
  expected_close: Time.nullable().meta({ description: 'When a schedule of this server closes it.' }),
  last_arrival: Time.meta({ description: 'From here on what agents measured in the period is refused as too old.' }),
});
