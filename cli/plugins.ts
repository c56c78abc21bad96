import { fileURLToPath } from 'node:url';

/** Where plugins are looked for: beside this command, and in the folder it is started in. */
export function searchFolders(): string[] {
  return [fileURLToPath(new URL('..', import.meta.url)), process.cwd()];
}
