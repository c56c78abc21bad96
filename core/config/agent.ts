import { z } from 'zod';
import { Duration, Size } from './values.ts';

export const AgentConfig = z.strictObject({
  id: z
    .string()
    .regex(/^[\w.-]{1,200}$/, 'must be 1 to 200 letters, digits, `.`, `_` or `-`')
    .optional()
    .meta({ description: 'Id of the agent. Default: made at first start.' }),
  source: z.string().min(1).prefault('openstack').meta({ description: 'Source of its samples.' }),
  spread: Duration.optional().meta({
    description: 'Ticks are delayed by a fixed part of this, by agent id. Default: a tenth of the interval.',
  }),
  max_message: Size.prefault('256KiB').meta({ description: 'Largest message that the agent publishes.' }),
  max_samples: z.int().min(1).max(10_000).prefault(500).meta({ description: 'Most samples in one message.' }),
  max_readings: z
    .int()
    .min(1)
    .prefault(100_000)
    .meta({ description: 'Most readings of one pollster run; more is a flood.' }),
  resend_after: Duration.prefault('10m').meta({
    description:
      'After so long a confirmed batch without receipt is sent again, if later ones of its way were recorded or the connection was made anew; else after six times as long.',
  }),
  discovery_cache: Duration.prefault('5m').meta({
    description: 'How long a discovery that failed may reuse its last result.',
  }),
  spool: z
    .strictObject({
      max_size: Size.prefault('1GiB').meta({ description: 'Room for batches that wait for their receipt.' }),
      when_full: z.enum(['refuse-new', 'drop-oldest']).prefault('refuse-new'),
    })
    .prefault({}),
});
