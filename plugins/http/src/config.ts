import { z } from '@nephometer/core/plugin';
import { buildDefinition, isCentral, isPlainUrl } from './build.ts';
import type { Surroundings } from './build.ts';
import type { Definition } from './definition.ts';
import { loadPath } from './load.ts';

const Url = z
  .string()
  .refine(isPlainUrl, { error: 'must be an http or https URL without user and password; see plugins.http.auth' });
const File = z.string({ error: 'must be the path of a file with the secret' }).min(1);
const Text = z.string({ error: 'must be a text' }).min(1);

const KeystoneAuth = z
  .strictObject({
    kind: z.literal('keystone'),
    url: Url.meta({ description: 'Keystone, with or without /v3.' }),
    username: z.string().optional(),
    user_domain: z.string().prefault('Default'),
    password_file: File.optional(),
    project: z.string().optional(),
    project_domain: z.string().prefault('Default'),
    application_credential_id: z.string().optional(),
    application_credential_secret_file: File.optional(),
    region: z.string().optional().meta({ description: 'Only endpoints of this region.' }),
    interface: z.enum(['public', 'internal', 'admin']).prefault('public'),
  })
  .refine(
    ({
      username,
      password_file: password,
      project,
      application_credential_id: id,
      application_credential_secret_file: secret,
    }) =>
      id === undefined
        ? username !== undefined && password !== undefined && project !== undefined && secret === undefined
        : secret !== undefined && username === undefined && password === undefined && project === undefined,
    {
      error:
        'must have username, password_file and project; or application_credential_id and application_credential_secret_file',
    },
  );
export type KeystoneAuth = z.output<typeof KeystoneAuth>;

const Auth = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('bearer'), token_file: File }),
    z.strictObject({ kind: z.literal('basic'), username: Text, password_file: File }),
    z.strictObject({ kind: z.literal('headers'), files: z.record(z.string(), File) }),
    z.strictObject({
      kind: z.literal('s3'),
      access_key_file: File,
      secret_key_file: File,
      region: Text.prefault('us-east-1'),
    }),
    KeystoneAuth,
  ],
  { error: 'must have a kind: bearer, basic, headers, s3 or keystone' },
);
export type Auth = z.output<typeof Auth>;

const Endpoint = z.union([Url, z.strictObject({ url: Url, auth: z.string().optional() })], {
  error: 'must be a URL, or url and the name of an auth',
});

const Options = z.strictObject({
  definitions: z.array(z.string().min(1)).prefault([]).meta({
    description: 'Files with definitions, or folders of .yaml files.',
  }),
  pollsters: z
    .array(z.unknown())
    .prefault([])
    .meta({ description: 'Definitions that stand in the configuration itself.' }),
  endpoints: z.record(z.string(), Endpoint).prefault({}).meta({
    description:
      'Base URL by endpoint_type: a URL, or `url` and `auth`. They come before those of a Keystone catalogue.',
  }),
  auth: z.record(z.string(), Auth).prefault({}).meta({
    description: 'Ways to authenticate by name, for endpoints and definitions. Secrets come from files.',
  }),
  catalogue: z.string().optional().meta({
    description: 'Name of the Keystone auth that finds the other endpoints. Default: the only one there is.',
  }),
  other_origins: z.array(Url).prefault([]).meta({
    description:
      'Origins that next pages and redirects may lead to, beside that of the endpoint; they get its secrets.',
  }),
  max_pages: z.int().min(1).prefault(1000).meta({ description: 'Pages read of one definition in a poll.' }),
  max_size: z.int().min(1024).prefault(33_554_432).meta({ description: 'Largest answer taken, in bytes.' }),
  parallel: z.int().min(1).max(100).prefault(8).meta({ description: 'Requests under way at the same time.' }),
  allow_host_commands: z.boolean().prefault(false).meta({
    description: 'Whether definitions may run a command on this node (`host_command`).',
  }),
});

/** Options of the http plugin as it works with them: the definitions are read while the options are checked. */
export interface HttpOptions {
  readonly definitions: readonly Definition[];
  readonly endpoints: ReadonlyMap<string, { readonly url: string; readonly auth: string | null }>;
  readonly auth: ReadonlyMap<string, Auth>;
  readonly catalogue: { readonly name: string; readonly auth: KeystoneAuth } | null;
  readonly otherOrigins: ReadonlySet<string>;
  readonly maxPages: number;
  readonly maxSize: number;
  readonly parallel: number;
}

type Given = z.output<typeof Options>;
type Fail = (path: readonly PropertyKey[], message: string) => void;

/** Below `plugins.http`. */
export const HttpConfig = Options.transform(async (given, context): Promise<HttpOptions> => {
  let failed = false;
  const fail: Fail = (path, message) => {
    failed = true;
    context.issues.push({ code: 'custom', message, path: [...path], input: given });
  };
  const options = { ...plainOptions(given, fail), definitions: await definitionsOf(given, fail) };
  return failed ? z.NEVER : options;
});

function plainOptions(given: Given, fail: Fail): Omit<HttpOptions, 'definitions'> {
  const names = Object.keys(given.auth).join(', ') || 'none';
  const endpoints = Object.entries(given.endpoints).map(([type, one]) => {
    const { url, auth } = typeof one === 'string' ? { url: one, auth: undefined } : one;
    if (auth !== undefined && !Object.hasOwn(given.auth, auth)) {
      fail(['endpoints', type, 'auth'], `must be a name from plugins.http.auth (there: ${names}); found "${auth}"`);
    }
    return [type, { url, auth: auth ?? null }] as const;
  });
  return {
    endpoints: new Map(endpoints),
    auth: new Map(Object.entries(given.auth)),
    catalogue: catalogueOf(given, fail),
    otherOrigins: new Set(given.other_origins.map((url) => new URL(url).origin)),
    maxPages: given.max_pages,
    maxSize: given.max_size,
    parallel: given.parallel,
  };
}

function catalogueOf({ auth, catalogue }: Given, fail: Fail): HttpOptions['catalogue'] {
  const stones = Object.entries(auth).flatMap(([name, one]) => (one.kind === 'keystone' ? [{ name, auth: one }] : []));
  const known = stones.map(({ name }) => name).join(', ') || 'none';
  if (catalogue === undefined) {
    if (stones.length > 1) fail(['catalogue'], `is needed, since there are several Keystones: one of ${known}`);
    return stones[0] ?? null;
  }
  const chosen = stones.find(({ name }) => name === catalogue) ?? null;
  if (chosen === null)
    fail(['catalogue'], `must name an auth of kind keystone (there: ${known}); found "${catalogue}"`);
  return chosen;
}

async function definitionsOf(given: Given, fail: Fail): Promise<Definition[]> {
  const around: Surroundings = {
    allowHostCommands: given.allow_host_commands,
    authNames: Object.keys(given.auth),
    endpointTypes: Object.keys(given.endpoints),
    hasCatalogue: Object.values(given.auth).some(({ kind }) => kind === 'keystone'),
  };
  const definitions: [Definition, PropertyKey[]][] = [];
  for (const [index, path] of given.definitions.entries()) {
    const loaded = await loadPath(path, around);
    for (const problem of loaded.problems) fail(['definitions', index], problem);
    definitions.push(...loaded.definitions.map((one): [Definition, PropertyKey[]] => [one, ['definitions', index]]));
  }
  for (const [index, item] of given.pollsters.entries()) {
    if (!isCentral(item)) continue;
    const built = buildDefinition(item, `plugins.http.pollsters.${index}`, around);
    if ('origin' in built) definitions.push([built, ['pollsters', index]]);
    else for (const { path, message } of built) fail(['pollsters', index, ...path], message);
  }
  failTwins(definitions, fail);
  return definitions.map(([definition]) => definition);
}

/** The same definition twice, in a copied file for example, would meter everything twice. */
function failTwins(definitions: readonly [Definition, PropertyKey[]][], fail: Fail): void {
  const seen = new Map<string, string>();
  for (const [{ name, origin, place }, path] of definitions) {
    const key = JSON.stringify([name, origin]);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, place);
    else fail(path, `${place}: definition ${name}: stands already in ${first}; remove one of the two`);
  }
}
