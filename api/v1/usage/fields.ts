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
 * What may be said to /v1/usage and its neighbours. URL and body have the same fields: of those that a URL can only
 * spell, the body may give the JSON value.
 */

export const ESTIMATES = ['none', 'previous'] as const;

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

const SHARE = /^(0?\.\d+|0(\.0*)?|1(\.0*)?)$/;

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
  min_coverage: AmountText.refine((text) => SHARE.test(text), { error: 'must be a share from 0 to 1, such as 0.95' })
    .optional()
    .meta({
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
  guard_formulas: Flag.prefault(false).meta({
    description: "In CSV, `'` before texts that a spreadsheet would take for a formula.",
  }),
  limit: Count.optional().meta({ description: 'Most lines of the answer.' }),
  cursor: z.string().optional().meta({ description: 'Where to go on: `next` of the answer before.' }),
});
export type UsageFields = z.output<typeof UsageFields>;

const MomentField = z.string().meta({ description: 'An instant, or a local date or time in `tz`.' });

export const DiffFields = UsageFields.omit({ as_of: true, guard_formulas: true }).extend({
  from_as_of: MomentField,
  to_as_of: MomentField.optional().meta({ description: 'Default: now.' }),
});
export type DiffFields = z.output<typeof DiffFields>;

/** No cursor: everything is new. */
export const ChangesFields = UsageFields.omit({ as_of: true, guard_formulas: true });

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
