import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedPages } from './pages.ts';

/** `npm run docs`: writes the generated pages; with `--check` only says which are out of date, and fails then. */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const check = process.argv.includes('--check');
const stale: string[] = [];
for (const { path, text } of await generatedPages(root)) {
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  stale.push(path);
  if (!check) writeFileSync(file, text);
}
if (stale.length > 0)
  process.stdout.write(`${check ? 'Out of date (run `npm run docs`)' : 'Written'}: ${stale.join(', ')}\n`);
process.exitCode = check && stale.length > 0 ? 1 : 0;
