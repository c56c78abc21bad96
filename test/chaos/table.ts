import type { Letter } from './judge-types.ts';
import type { Outcome } from './run-case.ts';

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

/** Some runs side by side as a Markdown table: a line a fault, a column a store, and what the first of them saw. */
export function markdownOf(runs: readonly { readonly store: string; readonly outcomes: readonly Outcome[] }[]): string {
  const numbers = [...new Set(runs.flatMap(({ outcomes }) => outcomes.map(({ number }) => number)))].sort(
    (a, b) => a - b,
  );
  const rows = numbers.map((number) => {
    const found = runs.map(({ outcomes }) => outcomes.find((one) => one.number === number));
    const injected = found.find((one) => one !== undefined && one.state !== 'not injected') ?? found.find((one) => one);
    const states = found.map((one) => one?.state ?? '').join(' | ');
    return `| ${number} | ${injected?.title ?? ''} | ${states} | ${seenOf(injected)} |`;
  });
  const stores = runs.map(({ store }) => store);
  const head = ['#', 'fault', ...stores, 'seen'];
  const rule = ['--:', '---', ...stores.map(() => '---'), '---'];
  return [`| ${head.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...rows].join('\n');
}

function seenOf(outcome: Outcome | undefined): string {
  if (outcome === undefined) return '';
  if (outcome.reason !== null) return outcome.reason.split('\n')[0] ?? '';
  const counts = outcome.findings.filter(({ letter }) => 'AF'.includes(letter)).map(({ seen }) => seen);
  const claims = outcome.also.map(({ claim, seen }) => `${claim}: ${seen}`);
  const text = [...claims, ...counts].join('; ').replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  return text.replaceAll(/chaos_[0-9a-f]+/g, 'NAMESPACE').replaceAll(/pids? [\d, ]+\d/g, 'the same process');
}
