import { z } from 'zod';
import { compare, parseDecimal } from '../../decimal.ts';
import { messageOf } from '../../errors.ts';
import { fromPlain } from '../../json.ts';
import { canonicalText } from '../../signing/canonical.ts';
import { formatDuration, parseDuration, SECOND } from '../../time.ts';
import { sha256 } from '../identity.ts';
import { parseFraction } from './fraction.ts';
import type { UsageQuery } from './query.ts';
import { ROUNDING_PLACES, ROUNDING_WAYS } from './rounding.ts';
import type { Rounding } from './rounding.ts';
import { USAGE_KINDS } from './types.ts';
import type { UsageField } from './types.ts';

/** Text that a parser takes; kept as text, since a definition is content-addressed. */
function textOf(parse: (text: string) => unknown, spell: (text: string) => string = (text) => text) {
  return z.string().transform((text, context) => {
    try {
      parse(text);
      return spell(text);
    } catch (cause) {
      context.addIssue({ code: 'custom', message: messageOf(cause), input: text });
      return z.NEVER;
    }
  });
}

const Factor = textOf(parseFraction);
const Amount = textOf(parseDecimal);
const Span = textOf(parseDuration, (text) => formatDuration(parseDuration(text)));
const Step = Span.refine((text) => parseDuration(text) >= SECOND, { error: 'must be a second or more' });
const FIELD = /^(project_id|user_id|resource_id|source|metadata\..+)$/;

export const RoundingRule = z.strictObject({
  where: z
    .enum(ROUNDING_PLACES)
    .meta({ description: 'What is rounded: each sample, what each resource has, or the line.' }),
  how: z.enum(ROUNDING_WAYS),
  to: Factor.meta({ description: 'Rounded to a multiple of this: 1, 0.01, or 1/60 (of an hour: a minute).' }),
  minimum: Amount.nullable().prefault(null).meta({ description: 'What is more than zero counts as at least this.' }),
});

/** A named quantity: what is measured, how it becomes usage, in which unit. */
export const UsageDefinition = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case words joined by _, like instance_hours'),
    description: z.string().prefault(''),
    meter: z.string().min(1),
    kind: z.enum(USAGE_KINDS),
    unit: z
      .string()
      .nullable()
      .prefault(null)
      .meta({ description: 'Of the result. Default: what kind and meter give.' }),
    conversion: z
      .union([Factor, z.record(z.string(), Factor)], {
        error: 'must be a factor above zero like 0.5 or 1/1024, or one by unit of the samples',
      })
      .prefault('1')
      .meta({
        description: 'What figures are multiplied by; or that by unit of the samples, others are then left out.',
      }),
    group_by: z
      .array(z.string().regex(FIELD, 'must be project_id, user_id, resource_id, source or metadata.PATH'))
      .prefault([]),
    rounding: RoundingRule.nullable().prefault(null),
    max_hold: Span.nullable()
      .prefault(null)
      .meta({ description: 'Default: twice the reported interval, 1h where none is known.' }),
    edge: z.enum(['interpolate', 'end']).prefault('interpolate'),
    step: Step.prefault('5m').meta({ description: 'Of p95: what is averaged over before it is ranked.' }),
    floor: Amount.nullable().prefault('0').meta({
      description: 'Least that a gap may hide, in the unit of the result; null for meters that can be negative.',
    }),
    ceiling: Amount.nullable()
      .prefault(null)
      .meta({ description: 'Most that a gap may hide, likewise; of counters growth an hour.' }),
  })
  .refine(({ kind, conversion }) => kind !== 'duration' || typeof conversion === 'string', {
    path: ['conversion'],
    error: 'of a duration is one factor on hours: the unit of the samples does not matter',
  })
  .refine(({ floor, ceiling }) => floor === null || ceiling === null || !isAbove(floor, ceiling), {
    path: ['ceiling'],
    error:
      'is less than floor (0 unless it says otherwise): the most that a gap may hide cannot be less than the least',
  });
export type UsageDefinition = z.output<typeof UsageDefinition>;

function isAbove(one: string, other: string): boolean {
  return compare(parseDecimal(one), parseDecimal(other)) > 0;
}

/** SHA-256 of what the definition says: equal for equal definitions, however they were written. */
export function definitionHash(definition: UsageDefinition): string {
  return sha256(canonicalText(fromPlain(definition)));
}

/** The part of a question that a definition answers. */
export type DefinedQuery = Pick<
  UsageQuery,
  'kind' | 'unit' | 'conversion' | 'groupBy' | 'rounding' | 'maxHold' | 'edge' | 'step' | 'floor' | 'ceiling'
>;

export function definitionQuery(definition: UsageDefinition): DefinedQuery {
  const { kind, unit, conversion, edge, step, floor, ceiling, max_hold: maxHold } = definition;
  return {
    kind,
    unit,
    edge,
    conversion:
      typeof conversion === 'string'
        ? parseFraction(conversion)
        : new Map(Object.entries(conversion).map(([from, factor]) => [from, parseFraction(factor)])),
    groupBy: definition.group_by.filter(isUsageField),
    rounding: definition.rounding === null ? null : roundingOf(definition.rounding),
    maxHold: maxHold === null ? null : parseDuration(maxHold),
    step: parseDuration(step),
    floor: floor === null ? null : parseDecimal(floor),
    ceiling: ceiling === null ? null : parseDecimal(ceiling),
  };
}

export function isUsageField(text: string): text is UsageField {
  return FIELD.test(text);
}

export function roundingOf(rule: z.output<typeof RoundingRule>): Rounding {
  const minimum = rule.minimum === null ? null : parseDecimal(rule.minimum);
  return { where: rule.where, how: rule.how, to: parseFraction(rule.to), minimum };
}
