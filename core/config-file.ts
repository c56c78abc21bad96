import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { Config } from './config.ts';
import type { ConfigInput } from './config.ts';
import { ConfigError, messageOf } from './errors.ts';
import type { ConfigProblem } from './errors.ts';
import { maskSecrets } from './mask.ts';
import { keyText, knownKeys, namesNear, plainMessage, valueAt } from './schema-words.ts';

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
  const found = valueAt(root, issue.path);
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

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const known = knownKeys(Config, path);
  const [near] = namesNear(key, known);
  const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${near}?`;
  return `is not a key of the configuration; ${hint}`;
}

/** Line of the node at a path, or of the nearest one above that is in the file. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number | null {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}
