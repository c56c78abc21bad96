import { z } from 'zod';
import { DeclaredToken } from './tokens.ts';
import { Size } from './values.ts';

export const ApiConfig = z.strictObject({
  default_limit: z
    .int()
    .min(1)
    .prefault(100)
    .meta({ description: 'Rows of an answer where the question gives no limit.' }),
  max_limit: z.int().min(1).prefault(100_000).meta({ description: 'Most rows that a question may ask for.' }),
  max_body: Size.prefault('16MiB').meta({ description: 'Largest request body.' }),
  public_url: z.string().optional().meta({ description: 'Base of links in answers. Default: from the request.' }),
  tokens: z
    .array(DeclaredToken)
    .prefault([])
    .meta({ description: 'Tokens declared here; others are made by `token create`.' }),
});
