import { z } from 'zod';
import { Duration, Size } from './values.ts';

export const WatchConfig = z.strictObject({
  every: Duration.prefault('10s').meta({ description: 'How often a collector looks which agents are heard.' }),
  margin: Duration.prefault('15s').meta({
    description: 'Added to 2 and 5 intervals of an agent before it is called late, and silent.',
  }),
  lookback: Duration.prefault('7d').meta({
    description:
      'How far back the ledger is read at start; an agent not heard for so long is forgotten unless it is expected.',
  }),
});

export const CollectorConfig = z.strictObject({
  prefetch: z
    .int()
    .min(1)
    .max(10_000)
    .prefault(200)
    .meta({ description: 'Messages taken of each queue and not yet acknowledged.' }),
  batch: z.int().min(1).max(10_000).prefault(100).meta({ description: 'Messages recorded in one go.' }),
  linger: Duration.prefault('50ms').meta({ description: 'Longest wait for a batch to fill.' }),
  max_attempts: z.int().min(1).prefault(5).meta({
    description: 'A message that fails this often for a reason of its own is quarantined as poison.',
  }),
  quarantine_max: Size.prefault('16MiB').meta({ description: 'Bytes kept of one refused message.' }),
});

export const QuarantineConfig = z.strictObject({
  keep: Duration.prefault('90d').meta({
    description:
      'How long the bytes of a refused message are kept; what was refused, why and of which time is kept for good.',
  }),
  max_per_sender: Size.prefault('64MiB').meta({
    description:
      'Kept by one collector in one UTC day of one sender and of the agent that its messages name; what is more is ' +
      'counted, in one entry a reason.',
  }),
  max_per_day: Size.prefault('1GiB').meta({ description: 'The same for all senders together.' }),
});
