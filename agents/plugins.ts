import { fileURLToPath } from 'node:url';

/** Where plugins are looked for: beside this package, and in the folder the command is started in. */
export function searchFolders(): string[] {
  return [fileURLToPath(new URL('..', import.meta.url)), process.cwd()];
}
