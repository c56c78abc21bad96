import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { Config } from './config.ts';
import type { ConfigInput } from './config.ts';
import { ConfigError, messageOf } from './errors.ts';
import type { ConfigProblem } from './errors.ts';
import { maskSecrets } from './mask.ts';

/** A configuration with the way back to the lines it came from. */
export interface LoadedConfig {
  readonly config: Config;
  /** What file, flags and environment say, as a user writes it. */
  readonly written: Readonly<Record<string, unknown>>;
  /** Where a key stands, for problems that are found later (options of plugins). */
  readonly problemAt: (path: readonly PropertyKey[], message: string) => ConfigProblem;
}

/** What stands above and below the file. */
export interface ConfigLayers {
  /** Flags and environment: win over the file. */
  readonly overrides?: ConfigInput;
  /** A role's own defaults: the file wins over them. */
  readonly defaults?: ConfigInput;
}

/** Reads and checks a YAML configuration. @throws ConfigError */
export async function loadConfigFile(file: string, layers: ConfigLayers = {}): Promise<LoadedConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const message = `cannot be read: ${messageOf(cause)}. Give the path of an existing YAML file, or run \`nephometer config init\`.`;
    throw new ConfigError([{ file, line: null, key: '', message }]);
  }
  return parseConfig(text, file, layers);
}

/** The same from text; `file` is what problems name. @throws ConfigError */
export function parseConfig(text: string, file: string, layers: ConfigLayers = {}): LoadedConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => ({
        file,
        line: lines.linePos(error.pos[0]).line,
        key: '',
        message: sentence(`is not YAML: ${error.message}, at ${JSON.stringify(excerpt(text, error.pos[0]))}`),
      })),
    );
  }
  const problemAt = (path: readonly PropertyKey[], message: string): ConfigProblem => ({
    file,
    line: lineOf(document, path, lines),
    key: keyText(path),
    message: sentence(message),
  });
  const value: unknown = document.toJS() ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new ConfigError([problemAt([], 'must be a mapping of keys to values, such as `interval: 60s`')]);
  }
  const written = layered(value as Record<string, unknown>, layers);
  const parsed = Config.safeParse(written);
  if (parsed.success) return { config: parsed.data, written, problemAt };
  throw new ConfigError(parsed.error.issues.flatMap((issue) => problemsOf(issue, value, problemAt)));
}

function layered(
  file: Record<string, unknown>,
  { defaults = {}, overrides = {} }: ConfigLayers,
): Record<string, unknown> {
  return mergeMappings(mergeMappings(defaults, file), overrides);
}

/** What is over wins key by key; lists are replaced whole. */
export function mergeMappings(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged[key];
    merged[key] = isMapping(below) && isMapping(value) ? mergeMappings(below, value) : value;
  }
  return merged;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type ProblemAt = LoadedConfig['problemAt'];

function problemsOf(issue: z.core.$ZodIssue, root: unknown, problemAt: ProblemAt): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => problemAt([...issue.path, key], unknownKey(key, issue.path)));
  }
  const found = at(root, issue.path);
  const message = sentence(plainMessage(issue));
  const shown =
    found === undefined || /found/i.test(message) ? '' : ` Found ${describe(found, String(issue.path.at(-1) ?? ''))}.`;
  return [problemAt(issue.path, message + shown)];
}

/** What stands in the file, shortened; of a mapping or a long list only the kind. */
function describe(found: unknown, key: string): string {
  // A slip of the pen in a URL must not put its password into a log.
  const text = JSON.stringify(maskSecrets({ [key]: found })[key]);
  if (isMapping(found)) return 'a mapping';
  return text.length <= 80 ? text : Array.isArray(found) ? 'a list' : `${text.slice(0, 80)}...`;
}

/** The line of the file that begins at an offset, shortened. */
function excerpt(text: string, from: number): string {
  return (text.slice(from).split('\n')[0] ?? '').trim().slice(0, 40);
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
};

/** zod's own messages in words of the file; messages of our schema stay as they are. */
function plainMessage(issue: z.core.$ZodIssue): string {
  if (!/^(Invalid|Too)/.test(issue.message)) return issue.message;
  if (issue.code === 'invalid_type') return `must be ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  if (issue.code === 'too_small') {
    return issue.origin === 'string' ? 'must not be empty' : `must be at least ${issue.minimum}`;
  }
  return issue.code === 'invalid_value' ? `must be one of ${issue.values.join(', ')}` : issue.message;
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const known = knownKeys(path);
  const near = known.filter((name) => distance(name, key) <= Math.max(2, key.length / 3));
  const hint = near.length > 0 ? `did you mean ${near[0]}?` : `known here: ${known.join(', ')}`;
  return `is not a key of the configuration; ${hint}`;
}

/** The keys that the schema knows at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = Config;
  for (const step of path) schema = typeof step === 'number' ? elementOf(schema) : shapeOf(schema)[String(step)];
  return Object.keys(shapeOf(schema));
}

interface SchemaDef {
  readonly innerType?: unknown;
  readonly in?: unknown;
  readonly element?: unknown;
  readonly shape?: Record<string, unknown>;
}

function unwrapped(schema: unknown): SchemaDef {
  let def = (schema as { def?: SchemaDef } | undefined)?.def ?? {};
  while (def.shape === undefined && def.element === undefined && (def.innerType ?? def.in) !== undefined) {
    def = ((def.innerType ?? def.in) as { def: SchemaDef }).def;
  }
  return def;
}

function shapeOf(schema: unknown): Record<string, unknown> {
  return unwrapped(schema).shape ?? {};
}

function elementOf(schema: unknown): unknown {
  return unwrapped(schema).element;
}

/** Levenshtein distance, for hints. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, change));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function at(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step], root);
}

function keyText(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}

/** Line of the node at a path, or of the nearest one above that is in the file. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number | null {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}
