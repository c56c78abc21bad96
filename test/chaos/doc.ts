import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './run-case.ts';
import { markdownOf } from './table.ts';

const PAGE = fileURLToPath(new URL('../../../docs/reliability.md', import.meta.url));
const BEGIN = '<!-- table: written by `npm run chaos -- --doc FILE`, from runs -->';
const END = '<!-- end of table -->';

/** Writes the tables of some runs, by their JSON files, into docs/reliability.md. */
export function writeDoc(files: readonly string[]): void {
  const runs = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as { store: string; outcomes: Outcome[] });
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the table.`);
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${markdownOf(runs)}\n\n${END}${after}`);
}
