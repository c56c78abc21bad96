import { z } from 'zod';
import { LOG_LEVELS } from '../log.ts';
import { Port } from './values.ts';

export const ListenConfig = z.strictObject({
  host: z
    .string()
    .prefault('127.0.0.1')
    .meta({ description: 'Address to listen on; beyond loopback every path needs a token.' }),
  port: Port.optional().meta({ description: 'Port. Default: 8777 API, 8778 collector, 8779 agents.' }),
});

export const LogConfig = z.strictObject({
  level: z
    .enum(LOG_LEVELS as [string, ...string[]])
    .prefault('info')
    .transform((level) => level as 'info'),
  format: z
    .enum(['json', 'text', 'auto'])
    .prefault('auto')
    .meta({ description: 'auto: text at a terminal, else json.' }),
});
