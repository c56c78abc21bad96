import { z } from 'zod';
import { Duration, InstantSetting } from './values.ts';

const RESERVED_KEY = /^(m\d+|shared)$/;

export const ListedKey = z.strictObject({
  key_id: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, `.`, `_` or `-`')
    .refine((id) => !RESERVED_KEY.test(id), 'is the name of a derived or of the shared key; choose another')
    .meta({ description: 'Name of the key in batch headers.' }),
  agent_id: z.string().min(1).max(200).meta({ description: 'The only agent that it signs for.' }),
  secret_file: z.string().meta({ description: 'File that `nephometer key issue` wrote, or one of the bare secret.' }),
  valid_from: InstantSetting.optional().meta({ description: 'Refused before.' }),
  valid_until: InstantSetting.optional().meta({ description: 'Refused from this instant on.' }),
});
export type ListedKey = z.output<typeof ListedKey>;

export const SigningConfig = z
  .strictObject({
    secret_file: z.string().optional().meta({
      description: "File with the shared secret (Ceilometer's telemetry_secret); a final newline is trimmed.",
    }),
    master_key_file: z.string().optional().meta({
      description: 'File with the master key that every agent key is derived from; for collectors, never for a node.',
    }),
    key_file: z.string().optional().meta({
      description: "This agent's own key, as `nephometer key issue` writes it.",
    }),
    keys: z
      .array(ListedKey)
      .prefault([])
      .meta({ description: "Agents' keys one by one, beside or without a master key." }),
    generation: z.int().min(1).prefault(1).meta({
      description: 'Generation of derived keys to sign with here, unless `key rotate` named a later one.',
    }),
    accept_shared_batches: z.boolean().prefault(false).meta({
      description:
        "Accept agents' batches signed with the shared secret though agents have keys of their own; only while they change over.",
    }),
    accept_headerless: z
      .boolean()
      .optional()
      .meta({
        description:
          'Accept messages without a batch header, signed with the shared secret (a real Ceilometer, POSTs). Default: yes; ' +
          'on the bus no once agents have keys of their own.',
      }),
    clock_ahead: Duration.prefault('10m').meta({ description: 'How far ahead of our clock a timestamp may be.' }),
    clock_behind: Duration.prefault('90d').meta({ description: "How far behind our clock an agent's sample may be." }),
    headerless_behind: Duration.optional().meta({
      description: 'The same for messages without a batch header. Default: no limit.',
    }),
  })
  .refine(({ keys }) => new Set(keys.map(({ key_id: id }) => id)).size === keys.length, {
    path: ['keys'],
    error: 'two keys have one key_id; a batch names its key by it, so each needs its own',
  });
