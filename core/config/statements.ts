import { z } from 'zod';
import { parseAnchor } from '../model/usage/windows.ts';
import { messageOf } from '../errors.ts';
import { Duration } from './values.ts';

const Anchor = z.string().superRefine((text, context) => {
  try {
    parseAnchor(text);
  } catch (cause) {
    context.addIssue({ code: 'custom', message: messageOf(cause), input: text });
  }
});

/** When which periods are closed by themselves. */
export const StatementSchedule = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, `.`, `_` or `-`')
      .meta({ description: 'Shown as who closed it.' }),
    cron: z.string().meta({
      description:
        'When, as a cron expression in `tz`; the statement is as of that moment. `0 6 3 * *`: on the 3rd at 6.',
    }),
    tz: z.string().prefault('UTC').meta({ description: 'IANA name of the zone that `cron` and the period are of.' }),
    period: z.enum(['month', 'billing-month']).prefault('month').meta({
      description: 'The last whole one before the moment is closed.',
    }),
    anchor: Anchor.optional().meta({ description: 'Where billing months start: `31`, `31T06:30`, or any start.' }),
    projects: z
      .union([z.literal('all'), z.array(z.string()).min(1)])
      .prefault('all')
      .meta({
        description: 'Ids, or all that used anything.',
      }),
    definitions: z
      .array(z.string())
      .min(1)
      .optional()
      .meta({ description: 'Names of quantities. Default: all in force.' }),
    window: z.enum(['none', 'day', 'week']).prefault('none').meta({ description: 'Cut into such lines.' }),
    min_coverage: z
      .string()
      .regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, 'must be a share from 0 to 1, such as 0.99')
      .optional()
      .meta({ description: 'Least coverage of every line.' }),
    below: z
      .enum(['refuse', 'flag', 'wait'])
      .prefault('flag')
      .meta({
        description:
          'What becomes of a project below it, or when an agent that was expected was not heard: it stays open, is closed with ' +
          'its lines named and warnings, or is tried again every `retry_every`, and closed so `wait_at_most` after the moment.',
      }),
    retry_every: Duration.prefault('1h'),
    wait_at_most: Duration.prefault('7d'),
  })
  .refine(({ below, min_coverage }) => below !== 'wait' || min_coverage !== undefined, {
    path: ['below'],
    error:
      'is wait, and there is no min_coverage to wait for; give one, such as "0.99", or "0" to wait for nothing but agents ' +
      'that are expected and were not heard',
  })
  .refine(({ period, anchor }) => anchor === undefined || period === 'billing-month', {
    path: ['anchor'],
    error: 'only means something with period: billing-month',
  });
export type StatementSchedule = z.output<typeof StatementSchedule>;

export const StatementsConfig = z
  .strictObject({
    key_file: z
      .string()
      .optional()
      .meta({
        description:
          'Private Ed25519 key that statements are signed with, as `nephometer key statement` writes it; API servers on ' +
          'one store share it. Default: one made at first start, in data_dir.',
      }),
    schedules: z.array(StatementSchedule).prefault([]).meta({
      description: 'Periods that API servers close by themselves. Several servers on one store may have the same ones.',
    }),
  })
  .refine(({ schedules }) => new Set(schedules.map(({ name }) => name)).size === schedules.length, {
    path: ['schedules'],
    error: 'two schedules have one name; rename one of them',
  });
