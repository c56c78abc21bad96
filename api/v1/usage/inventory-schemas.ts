import { z } from 'zod';
import { Time } from './answers.ts';
import { Count, Filters, UsageFields } from './fields.ts';

/*
 * What operators say was there, and how it compares with what was sampled.
 */

const ListName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, 'must be a word of letters, digits, and _ . - between them')
  .meta({ description: 'What the list is called: one name for each kind of list, such as `instances`.' });

export const InventoryRequest = z
  .strictObject({
    name: ListName,
    at: z.string().optional().meta({ description: 'When it was true. Default: now.' }),
    agents: z.array(z.string().min(1)).min(1).optional().meta({
      description: 'Agents that must be heard from `at` on, up to the next list of this name.',
    }),
    resources: z
      .array(
        z.union([
          z
            .string()
            .min(1)
            .transform((resource_id) => ({ resource_id, project_id: null })),
          z.strictObject({ resource_id: z.string().min(1), project_id: z.string().nullable().prefault(null) }),
        ]),
      )
      .optional()
      .meta({ description: 'Resources that were there at `at`: ids, or ids with their owners.' }),
    meters: z.array(z.string().min(1)).prefault([]).meta({
      description: 'Of a list of resources: the meters that each of them must have samples of.',
    }),
    source: z.string().min(1).optional().meta({ description: 'The source that the samples are of. Default: any.' }),
    complete: z.boolean().prefault(true).meta({
      description: 'Whether a resource that is sampled and not in the list was not there.',
    }),
    who: z.string().min(1).max(200).optional().meta({ description: 'Default: the name of the token.' }),
  })
  .refine(({ agents, resources }) => agents !== undefined || resources !== undefined, {
    error: 'found neither agents nor resources; one of them, or both, would be right',
  })
  .refine(({ resources, meters }) => (resources === undefined) === (meters.length === 0), {
    path: ['meters'],
    error: 'goes with resources: the meters that each of them must have samples of',
  });

export const InventoryQuery = z.strictObject({
  name: ListName.optional(),
  as_of: UsageFields.shape.as_of,
  limit: Count.optional(),
});

export const InventoryListAnswer = z.strictObject({
  name: z.string(),
  at: Time,
  recorded_at: Time,
  agents: z.array(z.string()).nullable(),
  resources: z.int().nullable().meta({ description: 'How many it names; null where it is not of resources.' }),
  meters: z.array(z.string()),
  source: z.string().nullable(),
  complete: z.boolean(),
  who: z.string(),
  by: z.string(),
});
export const InventoryAnswer = z.strictObject({ lists: z.array(InventoryListAnswer), as_of: Time });

export const FINDINGS = {
  'never-sampled': 'A list of the period names it, and nothing of it was sampled in the period.',
  'not-sampled-then': 'A list names it, and its samples in the period begin later or end earlier than that list.',
  'never-answered': 'A discovery found it, and every reading of it failed in the period.',
  'unknown-resource': 'It was sampled before and after a complete list that does not name it.',
} as const;
export type Finding = keyof typeof FINDINGS;

export const FindingsFields = z.strictObject({
  from: UsageFields.shape.from,
  to: UsageFields.shape.to,
  tz: UsageFields.shape.tz,
  as_of: UsageFields.shape.as_of,
  list: z.string().optional().meta({ description: 'Only what this list shows.' }),
  meter: z.string().optional(),
  finding: z.enum(Object.keys(FINDINGS) as [Finding, ...Finding[]]).optional(),
  project_id: Filters.project_id,
  limit: Count.optional(),
  cursor: z.string().optional().meta({ description: 'Where to go on: `next` of the answer before.' }),
});

export const FindingAnswer = z.strictObject({
  finding: z.enum(Object.keys(FINDINGS) as [Finding, ...Finding[]]),
  meter: z.string().nullable(),
  resource_id: z.string(),
  project_id: z.string().nullable(),
  source: z.string().nullable(),
  list: z.string().nullable().meta({ description: 'Null where a discovery found it.' }),
  agent_id: z.string().nullable().meta({ description: 'Whose discovery found it.' }),
  reason: z.string().nullable().meta({ description: 'Why its last reading failed.' }),
  times: z.int().meta({ description: 'Lists, or ticks, that show it.' }),
  first: Time.meta({ description: 'The first of them.' }),
  last: Time,
  first_sample: Time.nullable(),
  last_sample: Time.nullable(),
});
export const FindingsAnswer = z.strictObject({
  findings: z.array(FindingAnswer),
  next: z.string().nullable(),
  lists: z
    .int()
    .meta({ description: 'Lists of resources that are of the period. None: nothing is known to compare with.' }),
  from: Time,
  to: Time,
  as_of: Time,
  settled: z.boolean(),
});
