import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefinitionError } from './definition.ts';
import type { MeterDefinition } from './definition.ts';
import { readDefinitions } from './read-file.ts';

/** The definitions that come with this plugin. */
export const PACKAGED = fileURLToPath(new URL('../definitions', import.meta.url));

/**
 * Reads definition files in the order given, folders by file name. Of two definitions of one name the first file's
 * counts, and within a file the last, as in Ceilometer: so a file given before the packaged ones replaces theirs.
 * @throws DefinitionError
 */
export async function loadDefinitions(paths: readonly string[]): Promise<MeterDefinition[]> {
  const byName = new Map<string, MeterDefinition>();
  for (const path of paths) {
    for (const file of await filesOf(path)) {
      const inFile = new Map(readDefinitions(await readText(file), file).map((one) => [one.name.literal, one]));
      for (const [name, definition] of inFile) if (!byName.has(name)) byName.set(name, definition);
    }
  }
  return [...byName.values()];
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name));
    return names.sort((a, b) => (a < b ? -1 : 1)).map((name) => join(path, name));
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw cannotRead(file, cause);
  }
}

function cannotRead(path: string, cause: unknown): DefinitionError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DefinitionError(`${path}: cannot be read: ${reason}; name a file, or a folder of .yaml files`);
}
