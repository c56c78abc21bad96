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

/** The rows of a run as a Markdown table. */
export function markdownOf(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ number, title, state, findings, also, reason }) => {
    const seen = [
      ...findings.filter(({ letter }) => 'AF'.includes(letter)).map((one) => one.seen),
      ...also.map((one) => `${one.claim}: ${one.seen}`),
    ];
    const text = reason === null ? seen.join('; ') : (reason.split('\n')[0] ?? '');
    return `| ${number} | ${title} | ${state} | ${text.replaceAll('|', '\\|')} |`;
  });
  return ['| # | fault | result | seen |', '| --: | --- | --- | --- |', ...rows].join('\n');
}
