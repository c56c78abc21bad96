import { z } from 'zod';
import { Duration, MeterPatterns, url } from './values.ts';

export const RetentionSetting = z.strictObject({
  meters: MeterPatterns,
  keep: Duration.meta({ description: 'How long samples of these meters are kept, in whole UTC days.' }),
});

export const StoreConfig = z.strictObject({
  url: url(
    ['duckdb', 'influxdb', 'influxdbs', 'influxdb2', 'influxdb2s', 'memory', 'none'],
    'influxdb://user@host:8086/nephometer',
  )
    .prefault('duckdb:')
    .meta({
      description:
        'The time-series store: `duckdb:` (a file in data_dir), `duckdb:PATH`, `influxdb://HOST:8086/DATABASE` (1.x), ' +
        '`influxdb2://HOST:8086/ORG/BUCKET`, `memory:`, `none`. A final s (`influxdbs:`) means TLS.',
    }),
  password_file: z.string().optional().meta({ description: 'File with the password (1.x) or the token (2.x).' }),
  timeout: Duration.prefault('10s').meta({ description: 'Longest a request to the store may take.' }),
  retention: z.array(RetentionSetting).prefault([]).meta({
    description: 'What may be removed after which time; the first rule that matches a meter holds. Default: nothing.',
  }),
  retention_schedule: z.string().prefault('17 3 * * *').meta({ description: 'When it is removed (cron, UTC).' }),
});
