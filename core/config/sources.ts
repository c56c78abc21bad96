import { z } from 'zod';
import { Duration, MeterPatterns } from './values.ts';

export const PollingSource = z
  .strictObject({
    name: z.string().min(1).meta({ description: 'Name of the source; part of the identity of its samples.' }),
    interval: Duration.optional().meta({
      description: 'Time between polls of this source. Default: the shared interval.',
    }),
    cron: z
      .string()
      .optional()
      .meta({ description: 'A cron expression in place of an interval, seconds field allowed.' }),
    tz: z.string().optional().meta({
      description:
        'Zone of the cron expression. Default UTC; a zone with clock changes skips or doubles an hour twice a year.',
    }),
    meters: MeterPatterns.meta({ description: 'Meter names or globs to poll; `!` in front excludes.' }),
    resources: z.array(z.string()).optional().meta({ description: 'Static resources handed to the pollsters.' }),
    discovery: z.array(z.string()).optional().meta({
      description: "Discoveries, `name` or `name://parameter`, in place of the pollsters' own.",
    }),
  })
  .refine((source) => source.interval === undefined || source.cron === undefined, {
    path: ['cron'],
    error: 'cannot stand beside interval; keep one of the two',
  })
  .refine((source) => source.tz === undefined || source.cron !== undefined, {
    path: ['tz'],
    error: 'only means something beside cron; add cron or remove tz',
  });
export type PollingSource = z.output<typeof PollingSource>;
