import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { markdownOf } from './table.ts';
import type { Run } from './table.ts';

const PAGE = fileURLToPath(new URL('../../../docs/reliability.md', import.meta.url));
const PRETTIER = fileURLToPath(new URL('../../../node_modules/prettier/bin/prettier.cjs', import.meta.url));
const BEGIN = '<!-- table: written by `npm run chaos -- --doc FILE`, from runs -->';
const END = '<!-- end of table -->';

/** Writes the tables of some runs, by their JSON files, into docs/reliability.md. */
export function writeDoc(files: readonly string[]): void {
  const runs = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Run);
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the table.`);
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${runs.map(markdownOf).join('\n\n')}\n\n${END}${after}`);
  execFileSync(process.execPath, [PRETTIER, '--write', '--log-level', 'warn', PAGE]);
}
