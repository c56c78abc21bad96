import { z } from 'zod';

export const StatementsConfig = z.strictObject({
  key_file: z
    .string()
    .optional()
    .meta({
      description:
        'Private Ed25519 key that statements are signed with, as `nephometer key statement` writes it; API servers on one ' +
        'store share it. Default: one made at first start, in data_dir.',
    }),
});
