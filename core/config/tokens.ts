import { z } from 'zod';

export const TokenRole = z.enum(['admin', 'reader', 'writer']);

export const DeclaredToken = z
  .strictObject({
    name: z.string().min(1).meta({ description: 'Name of the token in logs and lists.' }),
    hash: z
      .string()
      .regex(
        /^sha256:[0-9a-f]{64}$/,
        'must be sha256: and 64 lower-case hex digits, as `nephometer token create` prints it',
      )
      .optional()
      .meta({ description: 'Hash of the token.' }),
    file: z.string().optional().meta({ description: 'File that holds the token; a final newline is trimmed.' }),
    role: TokenRole,
    projects: z.array(z.string()).optional().meta({ description: 'Projects that a reader may see.' }),
    user_id: z.string().optional().meta({ description: 'User in whose name a writer posts.' }),
  })
  .refine((token) => (token.hash === undefined) !== (token.file === undefined), {
    path: ['hash'],
    error: 'give exactly one of hash and file',
  })
  .refine((token) => token.role !== 'reader' || (token.projects?.length ?? 0) > 0, {
    path: ['projects'],
    error: 'a reader is bound to projects; name at least one',
  });
export type DeclaredToken = z.output<typeof DeclaredToken>;
