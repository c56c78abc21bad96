import { ROUNDING_PLACES, ROUNDING_WAYS, USAGE_KINDS } from '@nephometer/core';
import { z } from 'zod';
import { COVERAGE_BY, ESTIMATES, VoidRequest } from './fields.ts';

/* What /v1/usage and its neighbours answer. */

export const Time = z.string().meta({ format: 'date-time' });
const Amount = z.string().meta({ description: 'Exact decimal.' });

export const GapAnswer = z.strictObject({
  from: Time,
  to: Time,
  reason: z.string(),
  resource_id: z.string().optional(),
  source: z.string().optional(),
});

export const LineAnswer = z.strictObject({
  id: z.string().meta({ description: 'Stable: of the same question, period and group always the same.' }),
  from: Time,
  to: Time,
  group: z.record(z.string(), z.string().nullable()).meta({ description: 'Null: not known.' }),
  quantity: Amount.nullable().meta({ description: 'Null where nothing at all was read: unknown, not zero.' }),
  unit: z.string().nullable(),
  lower: Amount.nullable().meta({ description: 'The least it can be, whatever gaps and resets hide; null: no bound.' }),
  upper: Amount.nullable(),
  estimated: Amount.nullable().meta({ description: 'With the gaps filled by the policy asked for.' }),
  unrounded: Amount.nullable().optional(),
  projected: z
    .strictObject({
      to: Time,
      quantity: Amount,
      lower: Amount.nullable().meta({ description: 'What was used so far at least.' }),
      upper: z.null().meta({ description: 'Nothing bounds what is to come.' }),
    })
    .nullable()
    .optional()
    .meta({ description: 'By the policy asked for; null where the line is over, or does not grow with time.' }),
  coverage: Amount.nullable().meta({ description: '0 to 1, of the time in which the resources existed.' }),
  basis: z.enum(['cycles', 'cadence', 'mixed', 'none']).meta({
    description: 'What coverage stands on: cycle reports, the usual interval of senders without them, or nothing.',
  }),
  resets: z.int(),
  samples: z.int(),
  revision: Time.nullable().meta({ description: 'Newest recorded_at beneath the line.' }),
  finality: z.enum(['provisional', 'closed', 'adjusted']),
  gaps: z.array(GapAnswer).optional(),
  evidence: z.string().optional().meta({ description: 'Where the samples beneath are listed.' }),
});

const DefinitionName = z.strictObject({
  name: z.string().nullable(),
  hash: z.string().meta({ description: 'SHA-256 of what the definition says.' }),
});

export const UsageAnswer = z.strictObject({
  lines: z.array(LineAnswer),
  next: z.string().nullable(),
  as_of: Time,
  settled: z
    .boolean()
    .meta({ description: 'Whether the same question as of the same moment has the same bytes from now on.' }),
  from: Time,
  to: Time,
  meter: z.string(),
  kind: z.enum(USAGE_KINDS),
  definition: DefinitionName,
  estimate: z.enum(ESTIMATES).meta({ description: 'The policy that `estimated` follows.' }),
  projection: z.strictObject({ policy: z.enum(['linear']), to: Time }).nullable(),
  tz: z.string(),
  tzdata: z.string(),
  skipped: z
    .array(
      z.strictObject({
        reason: z.enum(['type', 'unit']),
        type: z.string(),
        unit: z.string().nullable(),
        series: z.int(),
      }),
    )
    .meta({ description: 'Series of the meter that the kind or the conversion has no answer for.' }),
  warnings: z
    .array(
      z.strictObject({
        warning: z.enum(['unknown-meter', 'agent-not-heard', 'never-sampled', 'not-sampled-then', 'unknown-resource']),
        meter: z.string().optional().meta({ description: 'Of which no sample was ever seen.' }),
        near: z.array(z.string()).optional().meta({ description: 'Meters of a name like it that were.' }),
        agents: z.int().optional(),
        agent_ids: z.array(z.string()).optional().meta({ description: 'For admins.' }),
        resources: z.int().optional().meta({ description: 'See GET /v1/findings.' }),
      }),
    )
    .meta({
      description:
        'What no line can show: that there was never a sample of the meter, agents that had to be heard and were not, resources of the inventory that were not sampled, or ' +
        'sampled and not in it.',
    }),
});

/** A line that refused messages bear on. */
export const QuarantineLineAnswer = z.strictObject({
  id: z.string(),
  from: Time,
  to: Time,
  group: z.record(z.string(), z.string().nullable()),
  unit: z.string().nullable(),
  quantity: Amount.nullable().meta({ description: 'As GET /v1/usage has it; null where there is no such line.' }),
  in_quarantine: Amount.nullable().meta({ description: 'What all refused messages together would add.' }),
  with_quarantine: Amount.nullable(),
  by_reason: z
    .record(z.string(), Amount)
    .meta({ description: 'What those of one reason alone would add; they need not add up.' }),
});

export const QuarantineUsageAnswer = z.strictObject({
  lines: z.array(QuarantineLineAnswer).meta({ description: 'Only those that refused messages bear on.' }),
  next: z.string().nullable(),
  refused: z
    .array(
      z.strictObject({
        reason: z.string(),
        messages: z.int(),
        samples: z.int().meta({ description: 'Of the meter, as far as they can be read.' }),
        unreadable_messages: z.int().meta({ description: 'Nothing of them can be read: no line has them.' }),
        unreadable_samples: z.int().meta({ description: 'Of any meter.' }),
      }),
    )
    .meta({ description: 'Refused messages of the period that were not let in later.' }),
  as_of: Time,
  settled: z.boolean(),
  from: Time,
  to: Time,
  meter: z.string(),
  kind: z.enum(USAGE_KINDS),
  definition: DefinitionName,
});

export const CAUSES = ['late', 'void', 'conflict', 'definition'] as const;
export type Cause = (typeof CAUSES)[number];

export const ChangeAnswer = z.strictObject({
  id: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  causes: z.array(z.enum(CAUSES)),
  before: LineAnswer.nullable(),
  after: LineAnswer.nullable(),
});

export const DiffAnswer = z.strictObject({
  changes: z.array(ChangeAnswer),
  next: z.string().nullable(),
  from_as_of: Time,
  to_as_of: Time,
  settled: z.boolean(),
  definition: z.strictObject({ before: DefinitionName, after: DefinitionName }),
});

export const ChangesAnswer = z.strictObject({
  changes: z.array(ChangeAnswer),
  cursor: z.string().meta({ description: 'For the next call, also when nothing changed.' }),
  more: z.boolean().meta({ description: 'Whether the next call has more of these changes.' }),
  as_of: Time,
});

const RoundingAnswer = z.strictObject({
  where: z.enum(ROUNDING_PLACES),
  how: z.enum(ROUNDING_WAYS),
  to: z.string().meta({ description: 'Rounded to a multiple of this: `1`, `0.01`, `1/60`.' }),
  minimum: Amount.nullable(),
});

/** As `UsageDefinition` of core reads, with its texts as they are kept. */
export const DefinitionAnswer = z.strictObject({
  name: z.string(),
  description: z.string(),
  meter: z.string(),
  kind: z.enum(USAGE_KINDS),
  unit: z.string().nullable(),
  conversion: z.union([z.string(), z.record(z.string(), z.string())]).meta({
    description: 'What figures are multiplied by; or that by unit of the samples.',
  }),
  group_by: z.array(z.string()),
  rounding: RoundingAnswer.nullable(),
  max_hold: z.string().nullable(),
  edge: z.enum(['interpolate', 'end']),
  step: z.string(),
  floor: Amount.nullable(),
  ceiling: Amount.nullable(),
  hash: z.string().meta({ description: 'SHA-256 of what the definition says.' }),
  since: Time.meta({ description: 'From when on the name stands for this.' }),
});
export const DefinitionsAnswer = z.strictObject({ definitions: z.array(DefinitionAnswer) });

const CoverageGap = z.strictObject({ from: Time, to: Time, reason: z.string() });
export const CoverageAnswer = z.strictObject({
  by: z.enum(COVERAGE_BY),
  from: Time,
  to: Time,
  as_of: Time,
  settled: z.boolean(),
  coverage: z.array(
    z.strictObject({
      agent_id: z.string().nullable().optional(),
      source: z.string().optional(),
      meter: z.string().optional(),
      resource_id: z.string().nullable().optional(),
      state: z.enum(['measured', 'never-seen']).optional(),
      expected: z.boolean().optional(),
      coverage: Amount.nullable(),
      basis: z.string(),
      gaps: z.array(CoverageGap),
    }),
  ),
});

export const VoidAnswer = z.strictObject({
  id: z.string(),
  recorded_at: Time.meta({ description: 'From this moment on reads do not show the samples.' }),
  selector: VoidRequest.shape.selector,
  reason: z.string(),
  who: z.string(),
  by: z.string().meta({ description: 'Name of the token that was used.' }),
});
export const NewVoidAnswer = VoidAnswer.extend({
  samples: z
    .int()
    .meta({ description: 'How many samples it took out. 0: nothing matched; is there a slip of the pen?' }),
  more: z.boolean().meta({ description: 'Whether there may be more than were counted.' }),
});
export const VoidsAnswer = z.strictObject({ voids: z.array(VoidAnswer), next: z.string().nullable() });
