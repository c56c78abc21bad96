import type { z } from '@nephometer/core/plugin';
import type { Definition, Members, Origin } from './definition.ts';
import { parsePath } from './path.ts';
import type { Path } from './path.ts';
import { DefinitionSchema, KNOWN_KEYS, OriginSchema } from './schema.ts';
import type { RawDefinition, RawOrigin } from './schema.ts';

/** What is wrong with one key of a definition; the message tells what was found and what would be right. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What definitions are checked against. */
export interface Surroundings {
  readonly allowHostCommands: boolean;
  readonly authNames: readonly string[];
  readonly endpointTypes: readonly string[];
  /** Whether a Keystone catalogue can tell other endpoints. */
  readonly hasCatalogue: boolean;
}

export type Built = Definition | readonly Problem[];

/** Checks one definition as it was read; gives it, or all that is wrong with it. */
export function buildDefinition(value: unknown, place: string, around: Surroundings): Built {
  const parsed = DefinitionSchema.safeParse(value);
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOf(issue, value));
  // Where the answers come from is checked in any case, so that all problems are told at once.
  const origin = originOf(pickedOrigin(value), around, problems);
  const volume = parsed.success ? volumeOf(parsed.data, problems) : null;
  if (!parsed.success || problems.length > 0 || origin === null || volume === null) return problems;
  return { place, origin, ...volume, ...plainParts(parsed.data) };
}

/** Whether a definition is one for the central agent; others are not looked at. */
export function isCentral(value: unknown): boolean {
  const given = isMap(value) ? value['namespaces'] : undefined;
  if (typeof given === 'string') return given === 'central';
  return !Array.isArray(given) || given.length === 0 || given.includes('central');
}

/** Null when a part of it is wrong by itself, which is told already. */
function pickedOrigin(value: unknown): RawOrigin | null {
  if (!isMap(value)) return null;
  const keys = Object.keys(OriginSchema.shape).filter((key) => key in value);
  return OriginSchema.safeParse(Object.fromEntries(keys.map((key) => [key, value[key]]))).data ?? null;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function plainParts(raw: RawDefinition): Omit<Definition, 'place' | 'origin' | 'members' | 'value'> {
  const own = (path: Path | '' | null | undefined, usual: string): Path | null =>
    path === '' || path === null || path === undefined || path.text.trim() === usual ? null : path;
  return {
    name: raw.name,
    type: raw.sample_type,
    unit: raw.unit,
    metadata: (raw.metadata_fields ?? []).map((path) => ({ name: path.text, path })),
    metadataMapping: new Map(Object.entries(raw.metadata_mapping ?? {})),
    preserveMapped: raw.preserve_mapped_metadata ?? true,
    valueMapping: new Map(Object.entries(raw.value_mapping ?? {}).map(([from, to]) => [from, String(to)])),
    defaultValue: String(raw.default_value ?? -1),
    skip: (raw.skip_sample_values ?? []).map(String),
    entries: raw.response_entries_key ?? null,
    resourceId: raw.resource_id_attribute ?? parsePath('id'),
    userId: own(raw.user_id_attribute, 'user_id'),
    projectId: own(raw.project_id_attribute, 'project_id'),
    next: raw.next_sample_url_attribute ?? null,
    timeoutMs: (raw.timeout ?? 30) * 1000,
    handlers: raw.response_handlers ?? ['json'],
  };
}

function originOf(raw: RawOrigin | null, around: Surroundings, problems: Problem[]): Origin | null {
  if (raw === null) return null;
  if (typeof raw.host_command === 'string') return commandOf(raw, raw.host_command, around, problems);
  const fail = (key: string, message: string): null => {
    problems.push({ path: [key], message });
    return null;
  };
  const url = raw.url_path ?? '';
  const endpointType = raw.endpoint_type === 'external' ? null : (raw.endpoint_type ?? null);
  if (url === '') return fail('url_path', 'is missing; it must be a path below the endpoint, or a full URL');
  if (endpointType === null) {
    if (!isPlainUrl(url)) {
      const right = 'name an endpoint_type, or give a full URL with http or https and without user and password';
      return fail('url_path', `is not a URL of its own; ${right}; found ${JSON.stringify(withoutPassword(url))}`);
    }
  } else if (/^[a-z][a-z0-9+.-]*:/i.test(url)) {
    return fail(
      'url_path',
      `must be a path where endpoint_type names the server; found ${JSON.stringify(withoutPassword(url))}`,
    );
  } else if (!around.endpointTypes.includes(endpointType) && !around.hasCatalogue) {
    const known = around.endpointTypes.join(', ') || 'none';
    const right = `name it below plugins.http.endpoints (there: ${known}), or a Keystone below plugins.http.auth`;
    fail('endpoint_type', `no endpoint of the type ${JSON.stringify(endpointType)} is known; ${right}`);
  }
  const auth = raw.auth ?? null;
  if (auth !== null && !around.authNames.includes(auth)) {
    const known = around.authNames.join(', ') || 'none';
    fail('auth', `must be a name from plugins.http.auth (there: ${known}); found ${JSON.stringify(auth)}`);
  }
  const headers = Array.isArray(raw.headers) ? Object.assign({}, ...raw.headers) : (raw.headers ?? {});
  return { kind: 'http', endpointType, url, auth, headers: headers as Record<string, string> };
}

function commandOf(raw: RawOrigin, command: string, around: Surroundings, problems: Problem[]): Origin {
  const fail = (key: string, message: string): void => void problems.push({ path: [key], message });
  if (!around.allowHostCommands) {
    fail('host_command', 'runs a command on this node; set plugins.http.allow_host_commands: true if that is wanted');
  }
  for (const key of ['endpoint_type', 'url_path', 'auth', 'headers'] as const) {
    if ((raw[key] ?? null) !== null) fail(key, 'says nothing beside host_command; remove one of the two');
  }
  if ((raw.next_sample_url_attribute ?? null) !== null) {
    fail('next_sample_url_attribute', 'cannot be used with host_command: what an answer holds would be run');
  }
  return { kind: 'command', command };
}

/** `{key}` at the end of the name and `[list].field` as the value belong together. */
function volumeOf(raw: RawDefinition, problems: Problem[]): { value: Path; members: Members | null } | null {
  const nameKey = /\.\{([\w-]+)\}$/.exec(raw.name)?.[1];
  const { list, value, text } = raw.value_attribute;
  const found = JSON.stringify(text);
  if (nameKey !== undefined && list !== null) return { value, members: { list, nameKey } };
  if (nameKey === undefined && list === null) return { value, members: null };
  if (nameKey !== undefined) {
    const message = `must be [list].field, since the name ends in {${nameKey}}; found ${found}`;
    problems.push({ path: ['value_attribute'], message });
  } else {
    const message = `must end in {key}, the key that tells the members of ${found} apart; found ${JSON.stringify(raw.name)}`;
    problems.push({ path: ['name'], message });
  }
  return null;
}

/** Whether a text is an http or https URL without a password in it. */
export function isPlainUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function withoutPassword(url: string): string {
  return url.replace(/:\/\/[^/@]*@/, '://***@');
}

function problemsOf(issue: z.core.$ZodIssue, root: unknown): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `is not known; known are ${KNOWN_KEYS.join(', ')}`,
    }));
  }
  // Of alternatives that all failed, one that says more than "none of them" is the better message.
  if (issue.code === 'invalid_union') {
    const said = issue.errors.flat().find((one) => one.code === 'custom' || one.path.length > 0);
    if (said !== undefined) return problemsOf({ ...said, path: [...issue.path, ...said.path] }, root);
  }
  const found = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], root);
  // What is refused, the parameters of an authentication for example, may be a secret.
  const tells = found === undefined || /found|column|is not supported/.test(issue.message);
  return [{ path: issue.path, message: tells ? issue.message : `${issue.message}; found ${shown(found)}` }];
}

function shown(found: unknown): string {
  const text = typeof found === 'bigint' ? String(found) : JSON.stringify(found);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
