import { z } from 'zod';
import { Duration } from './values.ts';
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

export const FoldsConfig = z.strictObject({
  enabled: z.boolean().prefault(true).meta({
    description: 'Keep fold lines, from which long periods are answered; without them all comes from samples.',
  }),
  every: Duration.prefault('5m').meta({ description: 'How often an API server looks for late data and settled days.' }),
  busy: Duration.prefault('5s').meta({
    description: 'How long one run goes on folding days; what is left waits for the next.',
  }),
  backfill: Duration.prefault('100d').meta({ description: 'How far back days are folded that are there already.' }),
});
