import { z } from 'zod';
import { UsageDefinition } from '../model/usage/definition.ts';

export const UsageConfig = z
  .strictObject({
    default_definitions: z
      .boolean()
      .prefault(true)
      .meta({ description: 'Whether the named quantities of the shipped meters are there too.' }),
    definitions: z
      .array(UsageDefinition)
      .prefault([])
      .meta({
        description:
          'Named quantities for /v1/usage. One with the name of a shipped one takes its place; old ones still answer for ' +
          'the time in which they stood.',
      }),
  })
  .refine(({ definitions }) => new Set(definitions.map(({ name }) => name)).size === definitions.length, {
    path: ['definitions'],
    error: 'two definitions have one name; rename one of them',
  });
