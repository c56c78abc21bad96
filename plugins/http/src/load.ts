import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { buildDefinition, isCentral } from './build.ts';
import type { Problem, Surroundings } from './build.ts';
import type { Definition } from './definition.ts';

/** What was read, and all that is wrong with it: messages name file, line, definition and key. */
export interface Loaded {
  readonly definitions: readonly Definition[];
  readonly problems: readonly string[];
}

/** Reads one file, or the .yaml and .yml files of one folder by name. */
export async function loadPath(path: string, around: Surroundings): Promise<Loaded> {
  try {
    const loaded: Loaded[] = [];
    for (const file of await filesOf(path)) loaded.push(readDefinitions(await readFile(file, 'utf8'), file, around));
    return {
      definitions: loaded.flatMap(({ definitions }) => definitions),
      problems: loaded.flatMap(({ problems }) => problems),
    };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const problem = `${path}: cannot be read: ${reason}; name a file, or a folder of .yaml files`;
    return { definitions: [], problems: [problem] };
  }
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'));
  return names.sort().map((name) => join(path, name));
}

/** Reads the definitions of one file; an empty one has none. */
export function readDefinitions(text: string, file: string, around: Surroundings): Loaded {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ linePos, message }) => {
      return `${file}:${linePos?.[0].line ?? 1}: is no YAML: ${message.split('\n', 1)[0]?.replace(/ at line.*$/, '')}`;
    });
    return { definitions: [], problems };
  }
  const value: unknown = document.toJS({ maxAliasCount: 1000 }) ?? [];
  if (!Array.isArray(value)) return { definitions: [], problems: [`${file}:1: must be a list of definitions`] };
  const definitions: Definition[] = [];
  const problems: string[] = [];
  for (const [index, item] of value.entries()) {
    if (!isCentral(item)) continue;
    const built = buildDefinition(item, `${file}:${lineOf(document, [index], lines)}`, around);
    if ('origin' in built) definitions.push(built);
    else problems.push(...built.map((problem) => messageOf(problem, item, `${file}:${line(problem, index)}`)));
  }
  return { definitions, problems };

  function line({ path }: Problem, index: number): number {
    return lineOf(document, [index, ...path], lines);
  }
}

function messageOf({ path, message }: Problem, item: unknown, place: string): string {
  const name = (item as { name?: unknown } | null)?.name;
  const definition = typeof name === 'string' ? `definition ${name}: ` : '';
  return `${place}: ${definition}${path.length === 0 ? '' : `${path.join('.')}: `}${message}`;
}

/** The line of a key, or of the nearest thing above it that stands there. */
function lineOf(document: Document, path: readonly PropertyKey[], lines: LineCounter): number {
  for (let length = path.length; length > 0; length--) {
    const above = document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const pair = isMap(above) ? above.items.find((one) => isScalar(one.key) && one.key.value === key) : undefined;
    const node = pair === undefined ? document.getIn(path.slice(0, length), true) : pair.key;
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
