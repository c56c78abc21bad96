import {
  isUsageField,
  parseDecimal,
  parseDuration,
  messageOf,
  ROUNDING_PLACES,
  ROUNDING_WAYS,
  RoundingRule,
  USAGE_KINDS,
  WINDOWS,
} from '@nephometer/core';
import type { UsageField } from '@nephometer/core';
import { z } from 'zod';
import { PROJECTIONS } from './projection.ts';

/*
 * What may be said to /v1/usage and its neighbours, and what they answer. URL and body have the same fields: of those that
 * a URL can only spell, the body may give the JSON value.
 */

const ESTIMATES = ['none', 'previous'] as const;

const Flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
  error: 'must be true or false',
});
export const Count = z.union(
  [
    z.int().positive(),
    z
      .string()
      .regex(/^[1-9]\d{0,9}$/)
      .transform(Number),
  ],
  { error: 'must be a positive whole number' },
);

const Span = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch (cause) {
    context.addIssue({ code: 'custom', message: messageOf(cause), input: text });
    return z.NEVER;
  }
});

const AmountText = z
  .union([z.string(), z.number().transform(String)])
  .refine(isDecimal, { error: 'must be a decimal number like 8 or 0.5' });

function isDecimal(text: string): boolean {
  try {
    parseDecimal(text);
    return true;
  } catch {
    return false;
  }
}

/** One or several; the empty text and null mean "not known". */
const Values = z
  .union([z.string(), z.null(), z.array(z.union([z.string(), z.null()]))], {
    error: 'must be a text or a list of texts',
  })
  .transform((given) => [given].flat().map((value) => (value === '' ? null : value)));

const Fields = z
  .union([z.string(), z.array(z.string())], { error: 'must be a text or a list of texts' })
  .transform((given) =>
    [given]
      .flat()
      .flatMap((text) => text.split(','))
      .filter((text) => text !== ''),
  )
  .pipe(
    z.array(
      z.custom<UsageField>(
        (field) => typeof field === 'string' && isUsageField(field),
        'must be project_id, user_id, resource_id, source or metadata.PATH',
      ),
    ),
  );

/** `where,how,to` or `where,how,to,minimum`, as in a definition. */
const RoundingText = z
  .string()
  .transform((text) => {
    const [where, how, to, minimum] = text.split(',');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rule itself says what is wrong with it
    return { where, how, to, ...(minimum === undefined ? {} : { minimum }) } as z.input<typeof RoundingRule>;
  })
  .pipe(RoundingRule);

const ROUNDING_ERROR =
  `must be WHERE,HOW,TO or WHERE,HOW,TO,MINIMUM, such as resource,ceil,1/60: WHERE one of ${ROUNDING_PLACES.join(', ')}; ` +
  `HOW one of ${ROUNDING_WAYS.join(', ')}; TO and MINIMUM in the unit of what is rounded`;

export const Filters = {
  project_id: Values.optional().meta({ description: 'Any of these; may be repeated. Empty: not known.' }),
  user_id: Values.optional(),
  resource_id: Values.optional(),
  source: Values.optional(),
  metadata: z.record(z.string(), Values).optional().meta({
    description: '`metadata.PATH=value`: what was in force at each instant, as text.',
  }),
};

export const UsageFields = z.strictObject({
  meter: z.string().min(1).optional().meta({ description: 'Meter name; with `kind`. Or name a `definition`.' }),
  definition: z.string().min(1).optional().meta({ description: 'A named quantity: see GET /v1/definitions.' }),
  kind: z.enum(USAGE_KINDS).optional().meta({ description: 'What is asked of the meter.' }),
  from: z.string().meta({ description: 'First instant, included: with a zone, or a local date or time in `tz`.' }),
  to: z.string().optional().meta({ description: 'Last instant, excluded, likewise. Default: `as_of`.' }),
  tz: z.string().prefault('UTC').meta({ description: 'IANA name of the zone that dates and windows are of.' }),
  window: z.enum(WINDOWS).prefault('none').meta({ description: 'Calendar windows, one line each.' }),
  anchor: z.string().optional().meta({
    description: 'Where billing months start: `31`, `31T06:30` or any start, local. In shorter months the last day.',
  }),
  group_by: Fields.optional().meta({
    description: 'project_id, user_id, resource_id, source, metadata.PATH; repeated or comma-separated.',
  }),
  ...Filters,
  as_of: z.string().optional().meta({ description: 'As it was known at that moment. Default: now.' }),
  max_hold: Span.optional().meta({
    description:
      'Longest that a reading holds: `20m`, `PT20M`. Default: twice the reported interval, 1h where none is known.',
  }),
  edge: z
    .enum(['interpolate', 'end'])
    .optional()
    .meta({ description: "How a counter's step across an edge is split." }),
  step: Span.optional().meta({ description: 'Of p95: what is averaged over before it is ranked. Default: 5m.' }),
  rounding: z.union([RoundingText, RoundingRule], { error: ROUNDING_ERROR }).optional().meta({
    description: 'WHERE,HOW,TO[,MINIMUM]: sample, resource or period; ceil, floor, half-up, half-even; a multiple of.',
  }),
  estimate: z.enum(ESTIMATES).optional().meta({
    description: '`previous`: `estimated` says what it were, had the reading before each gap gone on.',
  }),
  floor: AmountText.optional().meta({
    description:
      'Least that a gap may hide, in the unit of the result: of a gauge its level, of counters growth an hour.',
  }),
  ceiling: AmountText.optional().meta({
    description: 'Most that a gap may hide, likewise; without it `upper` may be null.',
  }),
  min_coverage: AmountText.optional().meta({
    description: 'A line of which a smaller share was measured has no figure: `quantity` is null. 0 to 1.',
  }),
  projection: z.enum(PROJECTIONS).optional().meta({
    description: '`linear`: `projected` says what the line that is not over would come to, did it go on as so far.',
  }),
  project_to: z.string().optional().meta({
    description: 'Up to when. Default: the end of the window that the period ends in; without windows, of the month.',
  }),
  gaps: Flag.prefault(false).meta({ description: 'Whether lines list their gaps, with reasons.' }),
  evidence: Flag.prefault(false).meta({ description: 'Whether lines say where their samples are listed.' }),
  limit: Count.optional().meta({ description: 'Most lines of the answer.' }),
  cursor: z.string().optional().meta({ description: 'Where to go on: `next` of the answer before.' }),
});
export type UsageFields = z.output<typeof UsageFields>;

const MomentField = z.string().meta({ description: 'An instant, or a local date or time in `tz`.' });

export const DiffFields = UsageFields.omit({ as_of: true }).extend({
  from_as_of: MomentField,
  to_as_of: MomentField.optional().meta({ description: 'Default: now.' }),
});
export type DiffFields = z.output<typeof DiffFields>;

/** No cursor: everything is new. */
export const ChangesFields = UsageFields.omit({ as_of: true });

export const COVERAGE_BY = ['agent', 'source', 'meter', 'resource'] as const;
export const CoverageFields = z.strictObject({
  by: z.enum(COVERAGE_BY).prefault('agent').meta({ description: '`source`: polling sources of each agent.' }),
  from: UsageFields.shape.from,
  to: UsageFields.shape.to,
  tz: UsageFields.shape.tz,
  as_of: UsageFields.shape.as_of,
  agent_id: z.string().optional(),
  meter: z.string().optional().meta({ description: 'Of `meter` and `resource`; without it every meter.' }),
  project_id: Filters.project_id,
  resource_id: Filters.resource_id,
});

export const VoidRequest = z.strictObject({
  selector: z
    .strictObject({
      message_id: z.string().min(1).optional(),
      agent_id: z.string().min(1).optional(),
      source: z.string().min(1).optional(),
      meter: z.string().min(1).optional(),
      resource_id: z.string().min(1).optional(),
      project_id: z.string().min(1).optional(),
      from: z.string().optional().meta({ description: 'First instant, included.' }),
      to: z.string().optional().meta({ description: 'Last instant, excluded.' }),
    })
    .meta({ description: 'Samples recorded so far that match all of this.' }),
  reason: z.string().min(1).max(2000),
  who: z.string().min(1).max(200).optional().meta({ description: 'Default: the name of the token.' }),
});

export const VoidsQuery = z.strictObject({
  limit: Count.optional(),
  before: z.string().optional().meta({ description: 'Only what was recorded before: `next` of the answer before.' }),
});

export const DefinitionsQuery = z.strictObject({ as_of: z.string().optional() });

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
        warning: z.enum(['agent-not-heard', 'never-sampled', 'not-sampled-then', 'unknown-resource']),
        agents: z.int().optional(),
        agent_ids: z.array(z.string()).optional().meta({ description: 'For admins.' }),
        resources: z.int().optional().meta({ description: 'See GET /v1/findings.' }),
      }),
    )
    .meta({
      description:
        'What no line can show: agents that had to be heard and were not, resources of the inventory that were not sampled, or ' +
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
export const VoidsAnswer = z.strictObject({ voids: z.array(VoidAnswer), next: z.string().nullable() });
