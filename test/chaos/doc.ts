import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './run-case.ts';
import { SOAK } from './soak.ts';
import { markdownOf } from './table.ts';
import type { Run } from './table.ts';

const PAGE = fileURLToPath(new URL('../../../docs/reliability.md', import.meta.url));
const PRETTIER = fileURLToPath(new URL('../../../node_modules/prettier/bin/prettier.cjs', import.meta.url));
const BEGIN = '<!-- table: written by `npm run chaos -- --doc FILE`, from runs -->';
const END = '<!-- end of table -->';

/** Writes the tables of some runs, by their JSON files, into docs/reliability.md. A case that was run again counts so. */
export function writeDoc(files: readonly string[]): void {
  const runs = joined(files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Run));
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} has no place for the table.`);
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${runs.map(markdownOf).join('\n\n')}\n\n${END}${after}`);
  execFileSync(process.execPath, [PRETTIER, '--write', '--log-level', 'warn', PAGE]);
}

/** One run a store, its soak last. */
function joined(runs: readonly Run[]): Run[] {
  const byStore = new Map<string, Map<number, Outcome>>();
  for (const { store, outcomes } of runs) {
    const known = byStore.get(store) ?? new Map<number, Outcome>();
    for (const outcome of outcomes) known.set(outcome.number, outcome);
    byStore.set(store, known);
  }
  const last = (number: number): number => (number === SOAK ? Infinity : number);
  return [...byStore].map(([store, known]) => ({
    store,
    outcomes: [...known.values()].toSorted((a, b) => (last(a.number) < last(b.number) ? -1 : 1)),
  }));
}
