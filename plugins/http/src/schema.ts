import { z } from '@nephometer/core/plugin';
import type { Path } from './path.ts';
import { isVolume } from './numbers.ts';
import { parsePath } from './path.ts';

interface Asked {
  readonly input?: unknown;
}

/** An error that tells a missing key from a wrong one. */
function must(right: string): { error: (issue: Asked) => string } {
  return {
    error: ({ input }) => (input === undefined ? `is missing; it must be ${right}` : `must be ${right}`),
  };
}

const text = (right: string) => z.string(must(right)).min(1, must(right));

function path(right: string) {
  return text(right).transform((given, context): Path => {
    try {
      return parsePath(given);
    } catch (cause) {
      context.issues.push({ code: 'custom', message: cause instanceof Error ? cause.message : '', input: given });
      return z.NEVER;
    }
  });
}

const refused = (instead: string) => z.never({ error: `is not supported; ${instead}` }).optional();

const Number_ = z.number(must('a number'));
const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'must hold texts, numbers, true, false or null',
});
const Volume = z.union([z.number(), z.string()], must('a number')).refine((given) => isVolume(String(given)), {
  error: 'must be a number of at most 38 digits',
});
const NAME = /^[\w-]+(\.[\w-]+)*(\.\{[\w-]+\})?$/;
const HEADER = 'a text; in quotes, since 2.40 without them would be sent as 2.4';
const HeaderMap = z.record(z.string(), z.string(must(HEADER)), must('a map of header names to texts'));
const Handler = z.enum(['json', 'xml', 'text'], must('json, xml or text'));
const OWN_AUTH = 'name a way to authenticate with auth, from those below plugins.http.auth';

/** `path`, or `[list].path` for several meters. */
export interface ValueAttribute {
  readonly text: string;
  readonly list: Path | null;
  readonly value: Path;
}

/** A definition as it stands in a file: the keys of Ceilometer's dynamic pollsters, and `auth`. */
export const DefinitionSchema = z.strictObject(
  {
    name: text('a text such as storage.bucket.size').regex(NAME, {
      error: 'must be words joined by dots, the last of them possibly {key}, such as storage.{category}',
    }),
    sample_type: z.enum(['gauge', 'delta', 'cumulative'], must('gauge, delta or cumulative')),
    unit: text('a text such as GiB'),
    value_attribute: text('a path such as size, "." or "[list].field"').transform((given, context): ValueAttribute => {
      const [, list, field] = /^\s*\[([^\][]+)\]\.(.+)$/s.exec(given) ?? [];
      try {
        return { text: given, list: list === undefined ? null : parsePath(list), value: parsePath(field ?? given) };
      } catch (cause) {
        context.issues.push({ code: 'custom', message: cause instanceof Error ? cause.message : '', input: given });
        return z.NEVER;
      }
    }),
    endpoint_type: text('a service type such as load-balancer').nullish(),
    url_path: text('a path below the endpoint, or a full URL').nullish(),
    auth: text('the name of a way to authenticate').nullish(),
    metadata_fields: z.array(path('a path'), must('a list of paths')).nullish(),
    metadata_mapping: z.record(z.string(), text('a text'), must('a map of names to new names')).nullish(),
    preserve_mapped_metadata: z.boolean(must('true or false')).nullish(),
    value_mapping: z.record(z.string(), Volume, must('a map of values to numbers')).nullish(),
    default_value: Volume.nullish(),
    skip_sample_values: z.array(Scalar, must('a list of values')).nullish(),
    response_entries_key: path('a path').nullish(),
    user_id_attribute: z.union([z.literal(''), path('a path')]).nullish(),
    project_id_attribute: z.union([z.literal(''), path('a path')]).nullish(),
    resource_id_attribute: path('a path').nullish(),
    next_sample_url_attribute: path('a path').nullish(),
    headers: z
      .union([HeaderMap, z.array(HeaderMap)], { error: `must be a map of header names to texts; ${HEADER}` })
      .nullish(),
    timeout: Number_.positive({ error: 'must be a number of seconds above 0' })
      .max(3600, { error: 'must be at most 3600 seconds' })
      .nullish(),
    response_handlers: z
      .array(Handler, must('a list of json, xml and text'))
      .min(1, must('a list of json, xml and text'))
      .nullish(),
    namespaces: z
      .union([text('a name'), z.array(text('a name'))], { error: 'must be central, compute or a list of these' })
      .nullish(),
    host_command: text('a command').nullish(),
    module: refused(`Python classes cannot be loaded here: ${OWN_AUTH}`),
    authentication_object: refused(OWN_AUTH),
    authentication_parameters: refused(`secrets come from files: ${OWN_AUTH}`),
    barbican_secret_id: refused(`secrets come from files: ${OWN_AUTH}`),
    extra_metadata_fields: refused('take what the answer itself holds with metadata_fields'),
    extra_metadata_fields_cache_seconds: refused('extra_metadata_fields are not read'),
    extra_metadata_fields_skip: refused('extra_metadata_fields are not read'),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'must be a map of keys, one definition' : undefined) },
);
export type RawDefinition = z.output<typeof DefinitionSchema>;

/** Keys that a definition may have. */
export const KNOWN_KEYS = Object.entries(DefinitionSchema.shape)
  .filter(([, schema]) => !(schema instanceof z.ZodOptional && schema.unwrap() instanceof z.ZodNever))
  .map(([key]) => key);

/** The keys that say where the answers come from. */
export const OriginSchema = DefinitionSchema.pick({
  endpoint_type: true,
  url_path: true,
  auth: true,
  headers: true,
  host_command: true,
  next_sample_url_attribute: true,
});
export type RawOrigin = z.output<typeof OriginSchema>;
