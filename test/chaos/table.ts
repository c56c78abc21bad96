import type { Letter } from './judge-types.ts';
import type { Outcome } from './run-case.ts';
import { SOAK } from './soak.ts';

const LETTERS: readonly Letter[] = ['A', 'B', 'C', 'D', 'E', 'F'];

/** One line of the table: number, title, state, the letters, what was seen. */
export function lineOf(outcome: Outcome): string {
  const { number, title, state, seconds, findings, also } = outcome;
  const letters = LETTERS.map((letter) => {
    const finding = findings.find((one) => one.letter === letter);
    return finding === undefined ? '.' : finding.problems.length === 0 ? letter : '-';
  }).join('');
  const claims = also.length === 0 ? '' : ` ${also.filter(({ holds }) => holds).length}/${also.length}`;
  return `${String(number).padStart(2)}  ${title.padEnd(48)} ${state.padEnd(12)} ${letters}${claims.padEnd(4)} ${seconds} s`;
}

/** What stands below the line: everything that failed, and why; with `all`, what was seen too. */
export function detailsOf({ findings, also, reason }: Outcome, all: boolean): string[] {
  const lines = reason === null ? [] : reason.split('\n').slice(0, 12);
  for (const { letter, problems, seen } of findings) {
    if (all || problems.length > 0) lines.push(`${letter}: ${seen}`);
    lines.push(...problems.map((problem) => `   ! ${problem}`));
  }
  for (const { claim, holds, seen } of also) {
    if (all || !holds) lines.push(`${holds ? '  ' : ' !'} ${claim}: ${seen}`);
  }
  return lines.map((line) => `      ${line}`);
}

/** A run as its JSON file has it. */
export interface Run {
  readonly store: string;
  readonly outcomes: readonly Outcome[];
}

/** A run as Markdown: a sentence, the figures by fault, and what was seen of that which the fault itself asks for. */
export function markdownOf({ store, outcomes }: Run): string {
  const faults = outcomes.filter(({ number }) => number !== SOAK);
  const count = (state: Outcome['state']): number => faults.filter((one) => one.state === state).length;
  const minutes = Math.round(faults.reduce((sum, { seconds }) => sum + seconds, 0) / 60);
  const others = count('not injected') === 0 ? '' : `, ${count('not injected')} not injected`;
  const sentence = `${count('passed')} passed, ${count('failed')} failed${others}; ${minutes} minutes.`;
  const rows = outcomes.map((one) => [
    one.number === SOAK ? '' : one.number,
    one.title,
    one.state,
    one.seconds,
    ...figuresOf(one),
    seenOf(one),
  ]);
  const head = ['#', 'fault', 'state', 's', ...FIGURES, 'seen'];
  const rule = ['--:', '---', '---', '--:', ...FIGURES.map(() => '--:'), '---'];
  const lines = [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [`### ${STORES[store] ?? store}`, '', sentence, '', ...lines].join('\n');
}

const STORES: Readonly<Record<string, string>> = { duckdb: 'On DuckDB', influxdb: 'On InfluxDB' };
const FIGURES = ['issued', 'recorded', 'twice', 'told as lost', 'never spooled', 'repeats', 'refused', 'conflicts'];

function figuresOf({ figures }: Outcome): string[] {
  if (figures === null) return FIGURES.map(() => '');
  const { issued, recorded, twice, told, neverSpooled, repeats, repeatsAtLeast, refused, conflicts } = figures;
  const again = repeatsAtLeast ? `${repeats} or more` : String(repeats);
  return [...[issued, recorded, twice, told, neverSpooled].map(String), again, String(refused), String(conflicts)];
}

/** Names that differ from run to run are left out. */
function seenOf({ reason, findings, also }: Outcome): string {
  const wrong = findings.flatMap(({ letter, problems }) => problems.slice(0, 1).map((one) => `NOT ${letter}: ${one}`));
  const claims = also.map(({ claim, holds, seen }) => `${holds ? '' : 'NOT '}${claim}: ${seen}`);
  const text = [...(reason === null ? [] : [reason.split('\n')[0] ?? '']), ...wrong, ...claims].join('; ');
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  return line.replaceAll(/chaos_[0-9a-f]+/g, 'NAMESPACE').replaceAll(/pids? [\d, ]*\d/g, 'the same process');
}
